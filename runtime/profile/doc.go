// Package profile takes profiles of a running process in which the engine's tasks carry labels,
// and adds CPU profiles up by label.
//
// While an engine is told to, its workers label each task's samples with its lane, its task name
// and its client. What runs outside tasks is told apart by its stack: the garbage collector's own
// workers, the Go scheduler looking for work, and the rest (goroutines of the program).
//
// # Files
//
//   - kind.go: the kinds of profiles there are
//   - take.go: one profile of this process, over a time
//   - flight.go: the last seconds of a trace, kept for when something was slow
//   - report.go: a CPU profile added up by lane, task, phase and function
//   - phase.go: what the engine does in a sample
package profile
