// Package measure gives an engine's counters, sizes and latencies the form in which monitoring
// systems take them: a name, what is meant, a unit, labels. Package lsp/live writes them for
// Prometheus, module runtime/telemetry for OpenTelemetry.
package measure

import (
	"iter"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/latency"
)

// Units of measures. What has no unit is a number of things.
const (
	Bytes   = "By"
	Seconds = "s"
)

// A Measure is one value of an engine, or of its process, at a moment. Those of one name come one
// after the other, and differ in the values of their labels only.
type Measure struct {
	Name   string // words from the general to the particular, such as "store.live"
	Means  string // one sentence
	Unit   string
	Grows  bool               // the value only grows, from 0 when the engine was opened
	Value  float64            // unless Times is there
	Times  *latency.Histogram // durations; nil for a single value
	Labels []string           // names and values by turns
}

// Count is a measure that only grows.
func Count[N uint64 | int64](name, means string, n N, labels ...string) Measure {
	return Measure{Name: name, Means: means, Grows: true, Value: float64(n), Labels: labels}
}

// Number is a measure of how many there are now.
func Number[N int | int64 | uint64](name, means string, n N, labels ...string) Measure {
	return Measure{Name: name, Means: means, Value: float64(n), Labels: labels}
}

// Size is a measure of bytes that are there now.
func Size[N int64 | uint64](name, means string, n N, labels ...string) Measure {
	return Measure{Name: name, Means: means, Unit: Bytes, Value: float64(n), Labels: labels}
}

// Durations is a measure of how long things took.
func Durations(name, means string, h latency.Histogram, labels ...string) Measure {
	return Measure{Name: name, Means: means, Unit: Seconds, Times: &h, Labels: labels}
}

// Of lists the measures of an engine.
func Of(s runtime.Stats) iter.Seq[Measure] {
	return func(yield func(Measure) bool) {
		for _, part := range []func(*runtime.Stats, func(Measure) bool) bool{engine, lanes, answers, collector, store} {
			if !part(&s, yield) {
				return
			}
		}
	}
}

func all(yield func(Measure) bool, measures ...Measure) bool {
	for _, m := range measures {
		if !yield(m) {
			return false
		}
	}
	return true
}

func engine(s *runtime.Stats, yield func(Measure) bool) bool {
	idle := 0
	for _, w := range s.Scheduler.Workers {
		if w.Idle {
			idle++
		}
	}
	return all(yield,
		Number("generation", "The newest generation of the engine.", s.Generation),
		Number("snapshots", "Snapshots that are held.", s.Snapshots),
		Number("workers", "Workers.", len(s.Scheduler.Workers)),
		Number("workers.idle", "Workers that have nothing to do.", idle),
	)
}

func lanes(s *runtime.Stats, yield func(Measure) bool) bool {
	for _, l := range s.Latencies {
		lane := l.Lane.String()
		for _, phase := range []struct {
			name string
			of   latency.Spread
		}{{"queued", l.Queued}, {"waited", l.Waited}, {"ran", l.Ran}, {"committed", l.Committed}} {
			if !yield(Durations("lane", "How long work of a lane took, by phase; of the engine's own tasks one in 256 is timed.", phase.of.Times, "lane", lane, "phase", phase.name)) {
				return false
			}
		}
	}
	for _, l := range s.Scheduler.Lanes {
		if !yield(Number("lane.queued", "Tasks that wait in a lane.", l.Queued, "lane", l.Lane.String())) {
			return false
		}
	}
	for _, l := range s.Scheduler.Lanes {
		for _, outcome := range []struct {
			name string
			n    uint64
		}{{"completed", l.Completed}, {"failed", l.Failed}, {"panicked", l.Panicked}, {"cancelled", l.Cancelled}} {
			if !yield(Count("tasks", "Tasks that have ended.", outcome.n, "lane", l.Lane.String(), "outcome", outcome.name)) {
				return false
			}
		}
	}
	return true
}

func answers(s *runtime.Stats, yield func(Measure) bool) bool {
	for _, name := range slices.Sorted(maps.Keys(s.Queries)) {
		q := s.Queries[name]
		for _, how := range []struct {
			name string
			n    uint64
		}{{"ran", q.Ran}, {"failed", q.Failed}, {"reused", q.Reused}, {"steady", q.Steady}, {"validated", q.Validated}} {
			if !yield(Count("answers", "Answers of queries, by how they were found.", how.n, "query", name, "how", how.name)) {
				return false
			}
		}
	}
	return true
}

func collector(s *runtime.Stats, yield func(Measure) bool) bool {
	c := &s.Collector
	freed := Count("freed", "Bytes of records that collections have freed.", c.FreedBytes)
	freed.Unit = Bytes
	return all(yield,
		Count("collections", "Collections of everything.", c.Cycles),
		Count("collections.short", "Collections of what was new.", c.Short),
		freed,
		Size("garbage", "What a collection would free, estimated.", c.GarbageBytes),
		Durations("collection.slice", "How long slices of collections took.", c.Slices),
	)
}

func store(s *runtime.Stats, yield func(Measure) bool) bool {
	return all(yield,
		Number("store.records", "Records in the store.", s.Store.Records),
		Size("store.live", "Bytes of records in the store.", s.Store.LiveBytes),
		Size("store", "Bytes of the store's segments.", s.Store.StoredBytes),
		Count("store.commits", "Commits to the store.", s.Store.Commits),
		Count("store.syncs", "Flushes of the disk.", s.Store.Syncs),
		Count("store.damaged", "Damaged places that were met.", s.Store.Damaged),
	)
}
