// Package query compares what a question costs after a commit.
//
// # The world
//
// 20,000 files, a query for each (the length of its text), and sums of ten above them until one is
// left, the root: 22,221 answers on five levels.
//
// # Cases
//
//	known-*   one answer over and over, inside a task and from a goroutine that is none
//	hit       the root again once in a task of its own, nothing was committed
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
//	recompute         all of it in plain Go, from a map of texts
//	by-hand           sums that are kept, and the way from a file to the sums that it is in, as one
//	                  would write it for this one program; it is the floor, and knows everything
//	                  beforehand
//	map-singleflight  answers in a map, one computation for all that ask for the same, and every
//	                  change makes all of them stale: what a program has that knows no dependencies
//	go-memdb          texts in a go-memdb; an answer is kept while the channels that came with what
//	                  it read are open, and a question looks at all of them
//
// Peers that keep answers do not take part where a process has nothing kept (reopened).
//
// # Caveats
//
// The functions are as good as empty, so a run is what keeping its answer costs. Peers store
// nothing, keep no older generation, and are asked by one goroutine.
package query
