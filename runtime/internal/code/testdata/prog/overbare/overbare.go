// Package overbare rests on a package that does not give its sources.
package overbare

import (
	"embed"

	"github.com/cytisus/cytisus/runtime/internal/code"
	"github.com/cytisus/cytisus/runtime/internal/code/testdata/prog/bare"
)

//go:embed *.go
var sources embed.FS

// Version is that of the whole binary.
var Version = code.Version(code.Caller(0), sources)

// Answer is what a query may give.
func Answer() int { return bare.Number() }
