// Package load finds the packages of a build, and all that they import, from files alone: what
// go list -deps -test -pgo=off lists, in a fraction of its time, and without running it.
//
// # What agrees, and when there is doubt
//
// For a build that the go command finds nothing wrong with, both give the same packages, test
// variants included: IDs, files, names, directories, language versions, imports and what those
// mean. Two kinds of packages are left out, which no import leads to: the generated main functions
// of tests, and what the linker adds to programs. The imports of a package are listed once.
//
// Errors are not found here. Where something cannot be resolved, or where the go command might do
// otherwise than this package knows, Packages gives ErrDoubt and the go command has to be asked:
//
//   - an import that no module provides, or several; a module that is not wholly in the module
//     cache, or whose line in go.sum is missing;
//   - a go or toolchain line that asks for a newer toolchain than the one at hand;
//   - a module file with exclude lines where versions are selected; a vendor directory that does
//     not fit, or of a workspace of several modules;
//   - a head of a file that does not parse, files of several packages in one directory, a package
//     without files, packages that import each other, directories that cannot be read.
//
// What the go command would call an error and still list, such as the use of an internal package,
// is found by nobody here. So it is asked in any case, later.
//
// # How
//
// A main module of go 1.17 and later lists every module that its packages come from, so no other
// module file decides anything. Otherwise versions are selected from the module graph as the go
// command prunes it (minimal version selection, research.swtch.com/vgo-mvs and
// go.dev/ref/mod#graph-pruning). An import path means the package of the one module whose path is a
// prefix of it and that has a Go file in the directory behind it. Which files of a directory the
// build has, go/build decides; the scan in header.go only gives it the head of each file.
//
// # Concurrency
//
// Packages reads directories on all processors and keeps nothing. Calls are independent.
package load
