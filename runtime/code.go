package runtime

import (
	"embed"

	"github.com/cytisus/cytisus/runtime/internal/code"
)

// Code returns a version for the queries of the package that calls it which need not be raised by
// hand: it is another in a program that was built from other code of the package, or of what it
// imports, directly or not. sources are the package's own:
//
//	//go:embed *.go
//	var sources embed.FS
//
//	var outline = runtime.NewQuery("outline", runtime.Code(sources), outlineOf)
//
// Of packages of the main module a binary knows no more than they embed, so each of those that the
// package imports has to call Code, too, if only for that: var _ = runtime.Code(sources). All other
// modules count with their sums, each for the whole program, as do the toolchain and the settings
// of the build, but for those of version control. Tests do not count.
//
// Where that is not to be had, the version is that of the whole binary, which changes with each
// change: for a package whose imports in the main module do not all give their sources, or that has
// parts in C, embeds files that are not among sources, or links to code by go:linkname; and with a
// module that a directory replaces. In a program of the engine's own module that is always so, as
// the engine's packages give none.
//
// A version says nothing of what a program loads while it runs.
func Code(sources embed.FS) int { return int(code.Version(code.Caller(1), sources)) }
