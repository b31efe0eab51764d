// Package load compares how soon an urgent task starts while others keep all workers busy.
//
// # Cases
//
//	start  a request every 250 to 350 us, from submission to start, while 64 background tasks
//	       and 64 idle ones, of 100 us of computing each, are always queued: each submits its
//	       successor
//	held   a request every 250 to 350 us, from submission to start, while another request
//	       computes for 100 ms on the only worker (held-1of1), or on one of two (held-1of2): the
//	       median, and the longest, which is what the first ones wait
//
// Figures are percentiles of single starts, in microseconds.
//
// # Entrants
//
// Ours puts the request on an RPC lane, and the load on the default and the idle lane.
// "cytisus-unloaded" is the same without load. "limit" is what ours should keep below: twice the
// unloaded figure of the same round, and one task's length, since a task is not interrupted.
// "cytisus-no-stand-ins" is ours with Options.StandIns off. The others have one queue for
// everything, or, with a goroutine for each task, the Go scheduler's.
//
// # What is alike
//
// One worker, or two where the case says so (the submitter has the other CPU), or GOMAXPROCS for
// goroutines. The submitter computes between its requests and polls. While a worker is held
// GOMAXPROCS is two more than the workers for all: one for the submitter, and one that the
// scheduler of Go has for what else there is. With fewer it takes a processor away from one of them
// first, 10 to 20 ms late.
package load
