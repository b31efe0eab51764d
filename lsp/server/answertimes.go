package server

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/runtime/latency"
)

// RequestStats tell how long the requests of one method took, from reading one until its answer
// was ready to be written.
type RequestStats struct {
	Method string `json:"method"`
	latency.Spread
}

// answerTimes count how long answers took, by method. All methods may be called concurrently.
type answerTimes struct {
	methods sync.Map     // from a method's name to its *latency.Recorder
	known   atomic.Int64 // entries of methods, or a few more
}

// methodsMax bounds the methods that are told apart, as a client may invent any; what is beyond
// counts as otherMethods.
const (
	methodsMax   = 256
	otherMethods = "(others)"
)

func (a *answerTimes) add(method string, took time.Duration) {
	r, ok := a.methods.Load(method)
	if !ok {
		if a.known.Add(1) > methodsMax {
			method = otherMethods
		}
		r, _ = a.methods.LoadOrStore(method, new(latency.Recorder))
	}
	r.(*latency.Recorder).Add(took)
}

// timed counts how long an answer to a client took. A flight recorder is told of what an editor
// asks and waits for: not of the tools' own requests, such as a profile of half a minute, nor of
// diagnostics of a workspace, which wait until there is something to say.
func (h *Host) timed(method string, took time.Duration) {
	h.answered.add(method, took)
	if !strings.HasPrefix(method, "cytisus/") && method != "workspace/diagnostic" {
		h.o.Flight.Took(method, took)
	}
}

// stats lists the methods, the one with most requests first.
func (a *answerTimes) stats() []RequestStats {
	list := []RequestStats{}
	a.methods.Range(func(method, r any) bool {
		list = append(list, RequestStats{method.(string), r.(*latency.Recorder).Histogram().Spread()})
		return true
	})
	slices.SortFunc(list, func(a, b RequestStats) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Method, b.Method))
	})
	return list
}
