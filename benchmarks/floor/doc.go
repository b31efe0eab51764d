// Package floor measures what reading Go code takes at least: the parts that every tool is made of,
// alone, beside cytisus index from nothing.
//
// A case is a ground (package ground). Entrants:
//
//	cytisus    cytisus index in a new store: lists, parses, checks and indexes the workspace with its
//	           tests, and what it imports as far as that is needed
//	go-list    go list -deps -test, with the fields that are needed to check the packages
//	go-parser  all Go files of all these packages, each once, with comments, on all processors
//	go-types   all these packages, test variants too, parsed and checked with the bodies of functions,
//	           imports before importers, on all processors
//
// Columns are seconds, and processor seconds where the system tells them (the go command's and
// cytisus' with their children).
//
// # Caveats
//
// go-types checks bodies of functions in all packages; an index needs them in the workspace only.
// cgo's files are checked as they are written, with its names unknown. Nothing is kept for the next
// time, and nothing can be asked.
package floor
