// Package counts holds what single benchmarks count, and do not time, against what was accepted:
// allocations and bytes of an operation, and its instructions where the machine counts them. A
// count says the same on a busy machine as on a quiet one, so CI can fail for it.
//
// Set names the benchmarks. Each runs in a process of its own, a fixed number of times, on one
// processor, and without Go's collector, which would empty the pools at moments of its own. What
// was accepted is testdata/accepted.txt, and a change that costs more says so by changing that file
// (make bench-counts UPDATE=1).
//
// Instructions are those of user code, counted by the processor through perf_event_open: the
// benchmark runs twice as often in a second process, and what that one needs more is what the
// operations need, without what comes before them. Few virtual machines have such a counter.
//
// # Files
//
//   - set.go: which benchmarks
//   - table.go: what was accepted, and what is more than that
//   - measure.go: one benchmark, counted
//   - perf_linux.go, perf_other.go: instructions of a process
package counts
