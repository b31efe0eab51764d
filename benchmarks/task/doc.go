// Package task compares ways to run many small functions: the scheduler, goroutines, and goroutine pools.
//
// # Cases
//
//	outside        a goroutine submits trivial tasks (one atomic add) and waits until all have run
//	inside         a task submits them, 512 at a time, and then the task that submits the next 512
//	wait           one wait and its resumption: two tasks that take turns
//	wake           submit to start, when all workers sleep and the submitter goes on computing for 200 us
//	wake-spinning  the same while the worker still spins (ours; the pools have no such thing and sleep, or not, as the
//	               Go scheduler decides): 5 us after the task before
//
// The first three are wall time per task or wait; "-allocs" beside them is allocations per task. The last two are
// percentiles of single starts, in microseconds.
//
// # What is alike
//
// The submitting goroutine has one of the two CPUs; ours has one worker, which is its default there, and so have the
// channel pools. Pools without a queue (ants, conc) have two, or a task that submits would wait for itself; pond has two,
// because its own dispatcher keeps no thread busy. The function that the tasks run is the same and made once, so nobody
// pays for closures but those whose interface makes them.
//
// # Caveats
//
// Ours keeps order and priority, carries a context, and counts; goroutines and channels do none of that.
// "cytisus-with-handle" is ours with a handle for each task, which can be waited for and cancelled. Sleeping and waking on a virtual machine vary twofold at the median and without bound at p99.
package task
