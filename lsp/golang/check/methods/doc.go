// Package methods says which types implement which interfaces, from bytes: the methods of all types
// of a package are a table ([Of]), which is made where the package is checked anyway and searched
// without types, next to those of other packages.
//
// # What is compared
//
// A method is its ID and its signature, a term: the types that it mentions, with defined types by
// path and name. Two terms without type parameters are of identical types when their bytes are
// equal. Where a type parameter of a receiver or an interface occurs, terms are unified:
// [Set.Implements] says that some instance of one type may implement some instance of the other.
// All methods of the pair share what a type parameter stands for. Constraints are not looked at.
//
//   - M1: equal declarations give equal bytes, whichever package they were checked for.
//   - M2: damaged bytes give an error or a wrong answer, never a panic.
//
// # How it is searched
//
// Each set begins with a mask of 64 bits, one for the ID of each method. A set whose mask lacks a
// bit of an interface's does not implement it, so most are passed over without a look at their
// strings, which come last in a table.
package methods
