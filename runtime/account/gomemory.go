package account

import "runtime/metrics"

// A GoMemory is what Go's runtime says of its memory. Its parts are apart from each other.
type GoMemory struct {
	Objects int64 // on the heap: those in use, and those that the collector has not found to be garbage yet
	Idle    int64 // of the heap, free and not given back to the system
	Stacks  int64 // of goroutines and threads
	Runtime int64 // what the runtime needs for itself
	Live    int64 // of Objects, those in use when the collector last looked

	Allocated int64 // on the heap, since the process began, whatever became of it
}

// Spare is what Go's runtime could give back to the system, at the most: what is free, and what the
// collector has not looked at yet.
func (m *GoMemory) Spare() int64 { return max(m.Objects-m.Live, 0) + m.Idle }

// goNames are the metrics that ReadGo reads, in the order of its sums.
var goNames = []string{
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/unused:bytes", "/memory/classes/heap/free:bytes",
	"/memory/classes/heap/stacks:bytes", "/memory/classes/os-stacks:bytes",
	"/memory/classes/metadata/mcache/free:bytes", "/memory/classes/metadata/mcache/inuse:bytes",
	"/memory/classes/metadata/mspan/free:bytes", "/memory/classes/metadata/mspan/inuse:bytes",
	"/memory/classes/metadata/other:bytes", "/memory/classes/other:bytes", "/memory/classes/profiling/buckets:bytes",
	"/gc/heap/live:bytes",
	"/gc/heap/allocs:bytes",
}

// ReadGo asks Go's runtime, which stops nothing.
func ReadGo() (m GoMemory) {
	samples := make([]metrics.Sample, len(goNames))
	for i, name := range goNames {
		samples[i].Name = name
	}
	metrics.Read(samples)
	sum := func(from, to int) (n int64) {
		for _, s := range samples[from:to] {
			if s.Value.Kind() == metrics.KindUint64 {
				n += int64(s.Value.Uint64())
			}
		}
		return n
	}
	return GoMemory{
		Objects: sum(0, 1), Idle: sum(1, 3), Stacks: sum(3, 5), Runtime: sum(5, 12), Live: sum(12, 13), Allocated: sum(13, 14),
	}
}

// Sum is all that Go's runtime has from the system.
func (m *GoMemory) Sum() int64 { return m.Objects + m.Idle + m.Stacks + m.Runtime }
