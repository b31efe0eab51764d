// Package gomod is what a go.mod or go.work file says at which place, which of its requirements a
// set of imports needs, and edits of it. It knows one text, and of others what it is told.
//
// # Files
//
// Each rests on those before it:
//
//	file.go
//	needs.go
//	edits.go
//	complete.go
package gomod
