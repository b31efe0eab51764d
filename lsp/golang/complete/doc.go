// Package complete says what could stand at a place of a Go file, and what a call that is being
// typed takes.
//
// # Method
//
// Where somebody types, code is not whole. So a name is put there, of which nothing else is called
// (syntax.Draft), and the declaration around it is parsed and checked alone, against all other
// declarations of the package (check.View.Check). What could stand in the place of that name
// follows from where it has come to stand in the tree:
//
//   - the nodes around it say what type is expected there, if any (expect.go);
//   - the scopes around it, or the type before its dot, say what there is (scope.go, members.go);
//   - how well what there is fits what was typed, what is expected, and what is used nearby gives
//     the order (rank.go, habit.go).
//
// Where the tree has no place for a name there are keywords, labels and import paths at most.
//
// # Ownership
//
// All functions work on a view of package check, for as long as the caller has it (check K1), and
// keep nothing of it. They read no disk and know no engine: what they need of packages that the
// file does not import, they ask of a Source.
package complete
