// Package refactor changes Go code: it says which changes fit at a place of a file, and makes them.
// It works on the types of one package as a question sees them (check.View) and gives edits of
// texts.
//
// A [Change] is found quickly, and made only if somebody wants it. Each kind of change is a
// provider in a file of its own, which the table of changes.go lists.
//
// # Invariants
//
//   - E1: what a change makes still parses, if the file did, and means the same, if the change is a
//     refactoring: names that it introduces are free where it puts them, and what is moved means in
//     its new place what it meant in the old one. Where that cannot be kept the change is not
//     offered, or fails with the reason.
//   - E2: an edit touches nothing that the change is not about. Layout that gofmt would give is
//     given to the new text alone.
//   - E3: code that does not compile is changed, too, as long as the part that matters is typed.
//
// The workspace of package golang calls it. It imports no engine.
package refactor
