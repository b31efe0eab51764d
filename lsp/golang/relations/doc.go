// Package relations says how the types and functions of one package go together, from a view of it:
// which methods what stands at a place has, which functions a call through a function value may
// mean. What other packages have to do with that, package golang finds in their tables of methods
// (package methods) and indexes.
//
// Everything here reads a [check.View] of its caller and keeps nothing of it.
package relations
