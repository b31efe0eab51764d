package profile

import (
	"fmt"
	"slices"
	"strings"
)

// A Kind is what a profile is of.
type Kind string

// The kinds of profiles. All but Trace and FlightKind are in the format of pprof, compressed;
// these two are what go tool trace reads.
const (
	CPU       Kind = "cpu"       // where processor time goes, 100 samples a second
	Heap      Kind = "heap"      // what is alive behind a collection
	Allocs    Kind = "allocs"    // what was allocated during the time
	Mutex     Kind = "mutex"     // who held locks that others waited for, during the time
	Block     Kind = "block"     // who waited for locks and channels, during the time
	Goroutine Kind = "goroutine" // where each goroutine stands
	Trace     Kind = "trace"     // what each thread and goroutine did, event by event

	// FlightKind is a trace of the last seconds, if a Flight is recording.
	FlightKind Kind = "flight"
)

// Kinds lists the kinds, the one that is wanted most often first.
func Kinds() []Kind { return []Kind{CPU, Heap, Allocs, Mutex, Block, Goroutine, Trace, FlightKind} }

// Lasting reports whether a profile of the kind is of a time. The others are of a moment.
func (k Kind) Lasting() bool { return k != Heap && k != Goroutine && k != FlightKind }

// File is how a file with a profile of the kind is called behind its last dot.
func (k Kind) File() string {
	if k == Trace || k == FlightKind {
		return "trace"
	}
	return "pb.gz"
}

// Check returns an error that lists the kinds if k is none of them.
func (k Kind) Check() error {
	if slices.Contains(Kinds(), k) {
		return nil
	}
	var names []string
	for _, known := range Kinds() {
		names = append(names, string(known))
	}
	return fmt.Errorf("profile: there is no kind %q; there are %s", string(k), strings.Join(names, ", "))
}
