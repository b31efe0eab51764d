// Package wake compares how soon a task starts on a worker that has nothing to do: from submission
// to the first instruction of the task.
//
// # Cases
//
//	park      the worker sleeps, as nothing has come for 200 us; the submitter goes on computing
//	spinning  the worker still looks for work, 5 us after the task before (ours: Options.Spin of
//	          1 ms; the others have no such thing and sleep, or not, as the Go scheduler decides)
//
// Figures are percentiles of single starts, in microseconds, and include one reading of the clock,
// about 0.05.
//
// # What is alike
//
// The submitter computes before each submission and polls afterwards: it never blocks, so it does
// not hand its CPU over. That is what a reader of a connection or a busy caller does, and where
// goroutines and channels are slow: the runtime puts who is woken into the waker's own queue, from
// which another processor takes it late. Each has one worker.
//
// # Caveats
//
// Sleeping and waking on a virtual machine vary twofold at the median and without bound at p99.
package wake
