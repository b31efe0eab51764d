// Package near rests on helper.
package near

import (
	"embed"

	"github.com/cytisus/cytisus/runtime/internal/code"
	"github.com/cytisus/cytisus/runtime/internal/code/testdata/prog/helper"
)

//go:embed *.go
var sources embed.FS

// Version is that of the code here and of helper's.
var Version = code.Version(code.Caller(0), sources)

// Answer is what a query may give.
func Answer() int { return 2 * helper.Number() }
