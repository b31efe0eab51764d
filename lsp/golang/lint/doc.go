// Package lint finds what compiles and is most likely wrong: it runs analyzers of the Go project
// and of staticcheck over one package.
//
// An analyzer (golang.org/x/tools/go/analysis) is a function of the types of a package. [Run] gives
// it what it asks for: the results of others, and facts that they note about what the package and
// its imports declare.
//
// # Facts
//
// A fact says of a function that it never returns or formats like Printf, of anything that it is
// deprecated, and so on. [Notes.Note] has them noted about one package, as bytes, and gets those
// about the packages that this one imports from its caller. The analyzers that are on by default
// note little, and it shows in the syntax where they do: [Notes.Wanted] finds out which bodies have
// to be checked for it, which of most packages are none.
//
// # Limits
//
// What names of C mean is not known. In a package with cgo run the analyzers that need no form of
// the whole code, which cannot be made of it, and nothing is noted about it. Nothing is noted about
// what a package does not export.
//
// # Invariants
//
//   - N1: equal texts, imports and settings give equal findings, in one order.
//   - N2: an analyzer that panics costs its own findings, and those of what needs it.
//   - N3: a package with errors is looked at only by analyzers that say they can. Where the errors
//     are those of its tests, the others look at it without the tests ([RunBesideTests]), but for
//     those that have to see all uses.
//   - N4: the facts about a package are those that a look at all of its bodies notes.
//
// # Files
//
//	analyzers.go  which there are, and how what they find is shown
//	own.go        those that no library has; with
//	simplify.go   what can be written shorter
//	unused.go     what is declared and not used
//	cgocall.go    what C must not be given
//	settings.go   which of them run
//	facts.go      facts of one run, and as bytes
//	wanted.go     what has to be checked to note them
//	noted.go      noting them about a package
//	run.go        running analyzers over a package
//
// The queries of package golang call it. It imports no engine.
package lint
