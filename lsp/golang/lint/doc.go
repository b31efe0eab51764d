// Package lint finds what compiles and is most likely wrong: it runs analyzers of the Go project
// and of staticcheck over one package.
//
// An analyzer (golang.org/x/tools/go/analysis) is a function of the types of a package. [Run] gives
// it what it asks for: the results of others, and facts that they note about what the package
// declares.
//
// # Limits
//
// Facts about other packages are not known, so that what an analyzer says of a package depends on
// its texts and the declarations that it imports, and on nothing else. What is lost is little: that
// a function of another package formats like Printf, or never returns.
//
// # Invariants
//
//   - N1: equal texts, imports and settings give equal findings, in one order.
//   - N2: an analyzer that panics costs its own findings, and those of what needs it.
//   - N3: a package with errors is looked at only by analyzers that say they can.
//
// The queries of package golang call it. It imports no engine.
package lint
