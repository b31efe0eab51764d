// Package task compares ways to run many small functions: the scheduler, goroutines, and goroutine
// pools.
//
// # Cases
//
//	outside        a goroutine submits trivial tasks (one atomic add) and waits until all have run
//	inside         a task submits them, 512 at a time, and then the task that submits the next 512
//	wait           one wait and its resumption: two tasks that take turns
//
// Figures are wall time per task or wait; "-allocs" beside them is allocations per task. How soon a
// single task starts is the question of packages wake and load.
//
// # What is alike
//
// The submitting goroutine has one of the two CPUs; ours has one worker, which is its default
// there, and so have the channel pools. Pools without a queue (ants, conc) have two, or a task that
// submits would wait for itself; pond has two, because its own dispatcher keeps no thread busy. The
// function that the tasks run is the same and made once, so nobody pays for closures but those
// whose interface makes them.
//
// # Caveats
//
// Ours keeps order and priority, carries a context, and counts; goroutines and channels do none of
// that. "cytisus-with-handle" is ours with a handle for each task, which can be waited for and
// cancelled.
package task
