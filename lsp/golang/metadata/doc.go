// Package metadata is what a build consists of: its packages, their files, and what each import
// path means ([Build], [Package], [Edge]). It is made by package disk, from the go command or
// without it, and read by package check and the queries of package golang. It reads no file and
// asks nobody.
//
// # Identity
//
// A package is known by its ID, as go list prints it, such as "fmt [fmt.test]"; several IDs can
// share a path, since a package with its tests is compiled apart. [PathOf] gives the path of an ID.
//
// # Invariants
//
//   - M1: once normalised a Build is immutable. What is looked up in it, by file, path or
//     directory, is gathered when first asked for, and says nothing that the packages do not say.
//   - M2: equal builds have equal metadata: everything is sorted.
//   - M3: the graph of the IDs in Imports is acyclic. The edges of a cycle are cut and say so; a
//     check follows them by Edge.Cut, a face does not.
//   - M4: metadata holds no text, and no position that an edit inside a file would move, except in
//     errors of the go command.
package metadata
