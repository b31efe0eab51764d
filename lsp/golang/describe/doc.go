// Package describe is what a reader is told of something in Go source: what it is declared as, its
// documentation, its size, what else belongs to its type, and where more of it can be read.
//
// It looks at the types of one package ([check.View]) and asks a [Library] for the texts that other
// packages declare things in. [At] describes what stands at an offset; it gives nil where there is
// nothing to say.
//
// # Files
//
// Each rests on those before it:
//
//	library.go
//	declared.go signature.go size.go members.go documentation.go
//	literal.go clause.go
//	object.go
//	describe.go
//	settings.go
package describe
