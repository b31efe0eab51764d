// Package hints says beside Go code what it leaves out: names of parameters and fields, types of
// variables and literals, values of constants, arguments of types that are inferred, and errors
// that nobody looks at.
package hints
