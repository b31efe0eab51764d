// Package query compares what a question costs after a commit.
//
// # The world
//
// 20,000 files, a query for each (the length of its text), and sums of ten above them until one is
// left, the root: 22,221 answers on five levels.
//
// # Cases
//
//	hit       the root again, nothing was committed
//	unread    a key that nothing reads was committed
//	equal     one file has another text of the same length
//	other     one file has another length, which it never had
//	undo      one file goes between two lengths
//	reopened  one file has another length, and the process has just opened the store
//	wide      100,000 files (five times as many) under one answer that asks for all of them: one changed
//	rerun     10,000 answers read one key, which changes, and all of them with it
//	beside    the same key changes, and the first who asks for anything asks for something else
//
// A figure is the time of the question alone, in microseconds: from inside a task that reads the
// new generation already. The commit and the hand-over to a worker are not in it.
//
// # Entrants
//
//	recompute  all of it in plain Go, from a map of texts
//	by-hand    sums that are kept, and the way from a file to the sums that it is in, as one would write
//	           it for this one program; it is the floor, and knows everything beforehand
//
// by-hand does not take part where there is nothing to know beforehand (reopened).
//
// # Caveats
//
// The functions are as good as empty, so a run is what keeping its answer costs. Peers store
// nothing, keep no older generation, and are asked by one goroutine.
package query
