// Package mutants plants mistakes in a package, one at a time, and runs the package's tests against
// each: a mistake that no test notices shows what the tests leave open.
//
// # What is planted
//
// A mistake is one edit of a function's text; Plan lists all of a file:
//
//   - operator: == and !=, && and ||, + and -, < and <=, and so on, exchanged;
//   - condition: that of an if or a for, negated, where no operator says so already;
//   - dropped: a call, an assignment, a defer, a go, a send, ++ or --, break, continue, a return
//     without a value, left out;
//   - constant: a whole number in a function, one more; true and false exchanged;
//   - error: a returned error, nil instead;
//   - order: a statement that others see (an atomic store, a turn that is passed on, an unlock),
//     exchanged with its neighbour.
//
// An edit that does not compile is no mistake and is not counted. On amd64 a weaker atomic
// operation behaves like a stronger one, so no mistake of that kind is planted; the models of
// queue, epoch and fuzz/spin look for those.
//
// # How it is judged
//
// The changed file is an overlay of the build (go help build, -overlay), so the tree is not
// written. Statements that no test reaches are known from one run with coverage, and a mistake in
// them survives without a run. Otherwise the tests that take least run first, then the others, each
// group until its first failure and within three times what it took without a mistake, and a
// little. A test that fails, or takes longer, has found the mistake. A test that fails by chance
// finds what is not there: what is reported as found on a busy machine is an upper bound.
//
// # Survivors
//
// A mistake that makes no difference, or none that a test can see, is argued in a file of those
// that were looked at (see Argued). All others are reported and make the run fail.
package mutants
