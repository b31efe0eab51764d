// Package flow is what belongs together in one file by its syntax alone: where a keyword leads,
// which statements leave a function or a loop, what is written and what is read, and which operand
// a directive of a format string is about.
//
//   - [Jump] is where a return, break, continue or goto leads.
//   - [Related] are the places that belong to a keyword, a result or a label.
//   - [Written] are the names that a file assigns to.
//   - [Directives] takes a format string apart, as package fmt does, and [Pairs] goes on.
//
// Nothing in it knows a type. Labels are told apart by their names, which a function has once each.
//
// # Files
//
// Each rests on those before it:
//
//	path.go
//	jump.go exits.go loops.go
//	related.go
//	written.go format.go pairs.go
package flow
