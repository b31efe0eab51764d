// Package bodies type-checks a package again after an edit by checking the function bodies that
// differ, and gives what a check of the whole package gives.
//
// # Method
//
// A package is cut into units: the face of each file, which is everything outside of function
// bodies, and each function declaration with a body. The first check is of the whole package, by
// go/types, and its facts and errors are divided among the units. When a later state of the files
// has the same faces, a body that differs is checked alone: against a copy of the package that was
// checked with its bodies left out (faces), go/types is given one more file (Checker.Files allows
// that) with the package clause and the imports of the real one and the one function, renamed to
// "_". The rest keeps what it had. The work is that of the bodies that differ.
//
//   - B1: package-level objects of faces are typed before any body is checked, and a body declares
//     none. So a body is checked in the same environment as in the whole package, and no body can
//     see another.
//   - B2: the function is renamed since its name is declared already, and since go/types looks for
//     the receiver of a named method among the declarations of the files at hand.
//   - B3: bodies are left out of faces by giving functions the body "for {}": function literals in
//     the values of variables belong to the face of their file and are checked with it.
//   - B4: a face is the same if its tokens are, with the language version of the file. Comments and
//     space move positions only, and positions of faces are mapped token by token (Checked.At).
//
// What go/types finds by looking at a file or the package as a whole is found otherwise:
//
//   - unused imports: each unit knows the imports that it uses; their union is the file's
//     (imports.go).
//   - initialization cycles: each function knows what of the package it refers to. If a body comes
//     to refer to something else and might lie on a cycle with a variable, the package is checked
//     as a whole (initcycle.go).
//   - instantiation cycles: if a body that differs instantiates something with its own type
//     parameters, or did, the package is checked as a whole (generic.go).
//   - messages that name invalid types, which go/types keeps to itself after another error: dropped
//     if the faces have errors.
//
// A unit with errors is made again by each check, and its body is checked again: which of its
// errors are worth telling may depend on more than the package.
//
// The package is also checked as a whole if it uses cgo, if it uses what its language version does
// not have, if its syntax is so broken that it cannot be cut into declarations, if the last check
// had more errors than errorsMost, or if many of its bodies differ. That is always right, and slow.
//
// # Source
//
// The method rests on what the documentation of go/types says in one sentence: files may be added
// incrementally. TestAgree compares it with whole checks, over the functions of the standard
// library and over random edits of it, on the Go release at hand.
//
// # Ownership
//
// A Package belongs to one goroutine at a time. What its importer gives may be used by others at
// the same time, if it is complete. Syntax trees are read only and may be shared.
package bodies
