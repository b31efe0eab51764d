package syntax

import "strings"

// IsGoFile reports whether a path or URI is that of a Go file, by its name.
func IsGoFile(name string) bool { return strings.HasSuffix(name, ".go") }

// IsTestFile reports whether a Go file holds tests, by its name.
func IsTestFile(name string) bool { return strings.HasSuffix(name, "_test.go") }
