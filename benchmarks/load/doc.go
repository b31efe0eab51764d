// Package load compares how soon an urgent task starts while others keep all workers busy.
//
// # Case
//
//	start  a request every 250 to 350 us, from submission to start, while 64 background tasks and 64 idle ones, of 100 us of
//	       computing each, are always queued: each submits its successor
//
// Figures are percentiles of single starts, in microseconds.
//
// # Entrants
//
// Ours puts the request on an RPC lane, and the load on the default and the idle lane. "cytisus-unloaded" is the same without load.
// "limit" is what ours should keep below: twice the unloaded figure of the same round, and one task's length, since a task is not
// interrupted. The others have one queue for everything, or, with a goroutine for each task, the Go scheduler's.
//
// # What is alike
//
// One worker (the submitter has the other CPU), or GOMAXPROCS for goroutines. The submitter computes between its requests and polls.
package load
