package lane

import (
	"fmt"
	"math/bits"
	"strconv"
)

// Count is the number of lanes.
const Count = 31

// A Lane is one priority: exactly one of the bits 0 to 30. The zero Lane means none.
type Lane uint32

// The lanes, most urgent first.
const (
	// SyncHydration brings back persisted results that work on Sync is about to need.
	SyncHydration Lane = 1 << iota
	// Sync is work that has to be done before anything else goes on: applying an edit, a direct
	// action of the user that blocks the editor.
	Sync
	// InputHydration brings back persisted results that work on Input is about to need.
	InputHydration
	// Input is what follows from continuous input: the file being typed in, its diagnostics.
	Input

	// RPC0 is for requests that must not queue behind others, and where older requests end up: a
	// request that waits climbs from RPC3 to here.
	RPC0
	// RPC1 is for requests a person waits for and watches: completion, signature help.
	RPC1
	// RPC2 is for requests a person waits for: hover, definition.
	RPC2
	// RPC3 is for requests by default: references, symbols, anything from a machine.
	RPC3

	// DefaultHydration brings back persisted results that work on Default is about to need.
	DefaultHydration
	// Default is for work that nobody gave a lane: watchers, follow-ups of commits from outside.
	Default

	// Transition0 is the background wave nearest to the user's focus: the open files. The waves
	// after it are farther away, by whatever measure the language uses: the package, its importers,
	// …
	Transition0
	Transition1
	Transition2
	Transition3
	Transition4
	Transition5
	Transition6
	Transition7
	Transition8
	Transition9
	Transition10
	Transition11
	Transition12
	// Transition13 is the farthest wave: the rest of the workspace.
	Transition13

	// Retry0 is for the first new attempt of work that failed for a passing reason. Later attempts
	// go farther down, so that something that keeps failing gets out of the way.
	Retry0
	Retry1
	Retry2
	// Retry3 is for the fourth and later attempts.
	Retry3

	// IdleHydration brings back persisted results that nobody has asked for yet, and warms caches.
	IdleHydration
	// Idle is upkeep: collection, compaction, checkpoints, verification. It has a share even when
	// the engine is busy.
	Idle
	// Speculative is for results that may never be wanted.
	Speculative
)

// Counts of the groups that are addressed by number.
const (
	RPCs        = 4
	Transitions = 14
	Retries     = 4
)

// FromIndex returns the lane with a number in [0, Count), 0 being the most urgent, and none for any
// other.
func FromIndex(i int) Lane {
	if uint(i) >= Count {
		return 0
	}
	return 1 << i
}

// RPC returns the RPC lane n, clamped to the ones there are; 0 is the most urgent.
func RPC(n int) Lane { return RPC0 << clamp(n, RPCs) }

// Transition returns the transition lane for a distance n from the user's focus, clamped to the
// ones there are.
func Transition(n int) Lane { return Transition0 << clamp(n, Transitions) }

// Retry returns the retry lane for attempt n, counted from 0 and clamped to the ones there are.
func Retry(n int) Lane { return Retry0 << clamp(n, Retries) }

func clamp(n, count int) int { return max(0, min(n, count-1)) }

// Valid reports whether l is exactly one lane.
func (l Lane) Valid() bool { return Mask(l)&All != 0 && l&(l-1) == 0 && Mask(l)&^All == 0 }

// Index returns the lane's number, 0 being the most urgent, and -1 for a value that is not a lane.
func (l Lane) Index() int {
	if !l.Valid() {
		return -1
	}
	return bits.TrailingZeros32(uint32(l))
}

// Mask returns the set that holds l alone.
func (l Lane) Mask() Mask { return Mask(l) }

// Above reports whether l is more urgent than other. Both must be valid.
func (l Lane) Above(other Lane) bool { return l < other }

// IsRPC reports whether l is one of the lanes that age.
func (l Lane) IsRPC() bool { return l.Valid() && RPC0to3.Has(l) }

// Hydration returns the lane on which to bring back persisted results that work on l needs, and l
// itself for hydration lanes and for groups without one.
func (l Lane) Hydration() Lane {
	switch l {
	case Sync, Input, Default, Idle:
		return l >> 1
	}
	return l
}

var names = [Count]string{
	"sync-hydration", "sync",
	"input-hydration", "input",
	"rpc-0", "rpc-1", "rpc-2", "rpc-3",
	"default-hydration", "default",
	"transition-0", "transition-1", "transition-2", "transition-3", "transition-4", "transition-5", "transition-6",
	"transition-7", "transition-8", "transition-9", "transition-10", "transition-11", "transition-12", "transition-13",
	"retry-0", "retry-1", "retry-2", "retry-3",
	"idle-hydration", "idle",
	"speculative",
}

// String returns the lane's name, such as "rpc-2", and a description of the bits for a value that
// is not a lane.
func (l Lane) String() string {
	if i := l.Index(); i >= 0 {
		return names[i]
	}
	return "lane(0x" + strconv.FormatUint(uint64(l), 16) + ")"
}

// MarshalText gives the lane's name, and nothing for no lane.
func (l Lane) MarshalText() ([]byte, error) {
	if l == 0 {
		return nil, nil
	}
	return []byte(l.String()), nil
}

// UnmarshalText is the inverse of MarshalText.
func (l *Lane) UnmarshalText(text []byte) (err error) {
	*l = 0
	if len(text) > 0 {
		*l, err = Parse(string(text))
	}
	return err
}

// Parse returns the lane of a name as String gives it.
func Parse(name string) (Lane, error) {
	for i, n := range names {
		if n == name {
			return FromIndex(i), nil
		}
	}
	return 0, fmt.Errorf("lane: no lane is named %q", name)
}
