// Package index is the answer to "what is this name" in bytes: which places of a package name what,
// and which symbols a file has. The bytes are read in place, from mapped memory too, and nothing is
// decoded that is not asked for. It knows bytes alone: no text, no types, no engine.
//
// # What it gives
//
//   - [Write] makes the index of a package and [Open] reads it. An [Index] has declarations, by
//     number, and occurrences, by file and place. Things declared in the package are known by their
//     number, things of other packages by package path and object path ([External]). A definition
//     is two look-ups; references are a binary search for the external, and a scan of those indexes
//     that have it, one for all [Targets] together.
//   - [AppendSymbols] makes the symbol list of a file and [EachSymbol] reads it. A [Matcher] rates
//     names, a [Search] those of packages as settings ask for it, a [Sieve] passes over those that
//     a search is not about, and [Best] keeps those that rate best.
//
// # Size
//
// Of 28 MB for the standard library 9 were where things start, and compress badly. So strings and
// declarations are found by blocks of 16, and declarations say how far they are from the one
// before. What is named is mostly what was named a moment ago: an occurrence says how long ago,
// which is one byte, and small. A declaration's own occurrence is not written down at all. Together
// that is 19 MB, and 9 instead of 16 compressed. Going through all 2.3 million occurrences takes
// two to three times as long for it, 67 and 37 ms in one run, finding declarations half as long
// again.
//
// # Invariants
//
//   - X1: equal contents give equal bytes, whatever order they come in. So an edit that changes no
//     name is no change of the index, and nothing above it is asked again.
//
//   - X2: damaged bytes give an error or a wrong answer, never a panic and never a read outside of
//     them; the hashes of the store keep them away.
//
//   - X3: writer and reader of the occurrences of a file keep the same list of what was named last,
//     by the same steps; a reader starts at the file's beginning.
//
// # Files
//
// Each rests on those before it:
//
//	index.go strings.go
//	declarations.go
//	occurrences.go
//	targets.go
//	indexwriter.go
//
// Package check writes; the answers of package golang read.
package index
