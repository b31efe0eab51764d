// Package oracle tests that the Go front end, after any history of edits, says what it would say if
// it saw the result for the first time.
//
//	go test ./fuzz/oracle                        a small history
//	go test ./fuzz/oracle -seed=N                that history again
//	go test ./fuzz/oracle -steps=500 -timeout=1h a long one
//
// A world is a small module of several packages: what is on disk, and which files an editor holds
// unsaved. A step changes it at random (bodies, declarations, imports, whole files and packages,
// damage, undo) or changes nothing but the engine under test: checkpoint, collection, close and
// open. The engine under test lives on disk through all of it. After each step a new engine in
// memory reads the same world, and both are asked for: published and computed diagnostics,
// outlines, a symbol search, and definition, hover and references at positions chosen at random.
//
// # Invariants
//
//   - O1: one seed is one history: no choice depends on the order of a map, on time, or on an
//     answer.
//   - O2: what is published is published eventually; once it is right it stays right until the next
//     edit.
//   - O3: the world compiles at first, so that the comparison is of more than errors.
//
// Test files and packages outside the module with dependencies of their own are left out: listing
// and checking them takes longer than all the rest.
package oracle
