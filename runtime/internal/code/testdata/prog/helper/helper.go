// Package helper is changed by a test.
package helper

import (
	"embed"

	"github.com/cytisus/cytisus/runtime/internal/code"
)

//go:embed *.go
var sources embed.FS

var _ = code.Version(code.Caller(0), sources)

// Number is what others count on.
func Number() int { return 21 }
