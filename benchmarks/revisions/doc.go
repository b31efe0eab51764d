// Package revisions compares the benchmarks of two revisions of a module, so that what got slower
// is told from noise.
//
// Both are built first, each package's tests into one program. Then the programs run by turns, one
// count of the benchmarks each, and who begins changes from turn to turn: what else the machine
// does, and how warm it is, meets both alike.
//
// A row is a benchmark and a unit. Its two samples are compared by the rank test of Mann and
// Whitney, which supposes nothing of how the values are distributed. With many rows some differ by
// chance; so probabilities are corrected as S. Holm has it (A simple sequentially rejective
// multiple test procedure, 1979): the chance that any row of two equal revisions is called
// different is Alpha at most, however many there are. What is different by less than Least is not
// called so: a layout of code that moved differs without anybody having changed it.
//
// # Files
//
//   - samples.go: what programs print, by row
//   - judge.go: what differs
//   - build.go: two trees, and programs of their tests
//   - report.go: what people read
package revisions
