// Package simtest runs tests of queries and watchers in a simulation, by seed.
//
// In a World the workers of an engine are one goroutine, and every choice that they would make is
// made by a seeded generator: which task goes on next, where it is interrupted, when a watcher is
// told, when time passes. So each seed is one order of all that happens at the same time, a test
// sees many that a machine would hardly ever show, and what fails once can be run again:
//
//	func TestTotals(t *testing.T) {
//		simtest.Run(t, 100, func(w *simtest.World) {
//			eng := w.Open(runtime.Options{})
//			…
//			w.Settle()
//			…
//		})
//	}
//
//	go test -run TestTotals -simtest.runs=100000
//	go test -run TestTotals -simtest.seed=1337
//
// # What is simulated
//
//   - Tasks, watchers and commits interleave as the seed says. A task may be interrupted wherever
//     it calls the engine, and nowhere else.
//   - Time stands still while something can move, and then goes on to what is waited for next.
//     World.Now is that time; a deadline for Partition.WaitUntil or the option Deadline is
//     counted from it.
//   - The store lies in memory. World.Kill ends the process that has it, and World.CutPower the
//     machine; World.Open is the next one.
//
// # What is not
//
// The test's own goroutine is no task: what it commits or asks is done when the call returns, and
// meanwhile others move. It calls World.Settle to let all of them come as far as they can. Ending a
// watch waits for its run, which moves only then, too.
//
// Collections and the watchdog, which go by the clock of the machine, do not run by themselves. A
// test must not depend on that clock, on the order of a map or on goroutines of its own: one that
// does not repeat itself fails, for the first seed is run twice. World.Rand is for what the test
// itself wants to vary.
package simtest
