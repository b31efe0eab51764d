// Package profiles makes a report of a profile, or of what differs between two: one HTML page that
// needs nothing else, with flame graphs by lane, task, client and phase, and tables.
//
// A flame graph has a box for each function that was on a stack, as wide as its share, above it
// what called it and below it what it called. Boxes that are narrower than one part in 500 of
// everything are left out. What is compared are two profiles of the same work: a box is as wide as
// the larger of its two values, and its colour says which one that is.
//
// # Files
//
//   - record.go: the kinds of profiles, and taking them
//   - flame.go: a tree of stacks, of one profile or of two
//   - group.go: the trees of a profile, by label
//   - top.go: tables, as go tool pprof makes them
//   - page.go: the page
package profiles
