// Package profile records CPU profiles in which the engine's tasks carry labels, and adds them up
// by label.
//
// While an engine is told to, its workers label each task's samples with its lane, its task name
// and its client. What runs outside tasks is told apart by its stack: the garbage collector's own
// workers, the Go scheduler looking for work, and the rest (goroutines of the program).
package profile
