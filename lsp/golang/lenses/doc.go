// Package lenses finds what can be run of a Go file or of a go.mod file: tests, generators, and
// what keeps a module in order. It knows one text and runs nothing.
package lenses
