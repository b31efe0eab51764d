// Package far rests on nothing else of the program.
package far

import (
	"embed"

	"github.com/cytisus/cytisus/runtime/internal/code"
)

//go:embed *.go
var sources embed.FS

// Version is that of the code here.
var Version = code.Version(code.Caller(0), sources)
