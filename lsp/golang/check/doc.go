// Package check asks go/types. It alone knows types, and no type leaves it: what it gives is bytes
// and diagnostics.
//
//   - [Face] makes the export data of a package from the face texts of its files, [Surface] with a
//     table of methods (package methods).
//   - [Package] checks the files of a package: diagnostics, an index (package index), and the
//     table of methods that Surface makes.
//
// What a package sees of those it imports are faces ([Import]), nothing else. Export data is deep:
// it describes all that it mentions. So a check reads the faces of direct imports, and an edit two
// imports away that does not show in them is no reason to check again.
//
// # Invariants
//
//   - K1: a types.Package that is checked has one user at a time. What it imports, a world, is
//     decoded in whole before anybody has it; what go/types adds to it later, such as methods of
//     instances, it guards itself. So all who import the same have the same world, at the same time
//     (world.go). A world of faces of one state of a build grows, and has one user at a time.
//   - K2: no position enters a face: export data is written over an empty file set.
//   - K3: equal face texts, imported faces, language version and architecture give equal export
//     data, byte for byte.
//   - K4: a panic of go/types costs the package that it happened in, and is an error here
//     (internalerror.go). A check that panicked puts no growing world back.
//   - K5: a check cannot be cancelled, so its cost is bounded before it begins: package syntax says
//     which files are too large or too deep.
//   - K6: an error that only follows from what is not known is not told (consequence.go). What is
//     doubtful of another package, the caller tells.
//
// # While a package is edited
//
// A check of a package is made of parts (part.go), one for the body of each function and one for
// the rest of each file, which are put together (assemble.go). While an editor has a file of the
// package, the parts are kept in a session (session.go), and package bodies finds out which of them
// an edit concerns. A part says where something stands by offsets from the start of its function,
// or by the number of a token outside of bodies, so it stays right while the text around it moves.
//
// What is asked behind a keystroke need not wait for the index of the package: [Diagnostics] and
// [FileIndex] give parts of what [Package] gives, and [Prepare] does ahead what the first edit
// takes.
//
//   - K7: what a check gives does not depend on what is kept: TestEditedAgrees compares it with
//     fresh checks, byte for byte. A session has one user at a time.
//
// A session outlives faces: where some imports have others than its world has, a check is made in
// that world, and counts if all that it looked at is in the new faces as it was (K8). Else the
// package is checked as a whole.
//
// # What a check depends on
//
// A check reads the faces of its imports in whole, and what it comes to depends on less of them: on
// the names that it looked at, with what these lead to (package names). It says which those are
// ([Looks]): what its parts name of other packages they have anyway, and what it looked for in vain
// is looked up in the syntax of parts that have errors. So to know it costs a check next to
// nothing.
//
//   - K8: if all that a check says it looked at has the same digests in other faces of the same
//     packages, a check that reads those comes to the same, and looks at the same.
//
// # Questions that an index does not answer
//
// What an expression is, or what could stand at a place, is asked of types. A [View] is a package
// with its types as one question sees it: all declarations, and the bodies that the question is
// about (view.go). While the package stays as it is, a question about another body has that body
// checked alone, against the same declarations (apartbodies.go); one about a body that is checked
// has nothing to do, and reads no file if the state is one that the view was found in
// ([ViewSlot.Known]). Behind an edit of bodies the declarations are still those that were checked,
// and a question has its body checked, no more (followed.go). Who asks gets [Name]s, which mean
// something elsewhere.
//
//   - K9: a view says of an expression the same whichever bodies it was made for. It is used by who
//     has its slot, who takes no other meanwhile, since two that wait for each other's would for
//     ever.
//
// The queries of package golang call it. It imports no engine.
package check
