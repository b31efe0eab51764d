// Package footprint counts what answers take, in memory and in the store, by kind of query, on four
// inputs that are the same on every machine: a Go module, a small language, many tiny queries, and
// tables. What was accepted stands in testdata/accepted.txt. The test fails where a kind takes 2 %
// more: a change that makes answers larger says so by changing that file (make bytes UPDATE=1).
//
// Nothing is measured: sizes on the heap are those that bound the caches (TestBytesOfAnAnswer in
// package memo compares them with the heap), sizes in the store those of its records but for their
// padding. Inputs import nothing of Go's library, have paths of one length, and are asked about by
// one worker in one order. No query is asked for so many keys that whether its answers are stored
// depends on what they cost.
package footprint
