package golang

import (
	"go/build"
	"go/build/constraint"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A strayBuild is what decides which files are built.
type strayBuild struct {
	os, arch string
	cgo      bool
	tags     []string // in addition to those of the environment; sorted
}

func (b *strayBuild) context(env *environment) build.Context {
	ctx := env.buildContext()
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = b.os, b.arch, b.cgo
	ctx.BuildTags = append(slices.Clone(ctx.BuildTags), b.tags...)
	return ctx
}

// ownBuild is the build of the workspace.
func ownBuild(env *environment) strayBuild {
	return strayBuild{os: env.GoOS, arch: env.GoArch, cgo: env.CgoEnabled == "1"}
}

func (b *strayBuild) equal(c *strayBuild) bool {
	return b.os == c.os && b.arch == c.arch && b.cgo == c.cgo && slices.Equal(b.tags, c.tags)
}

// The platforms that a file may be for, the usual ones first.
var (
	strayOSes = []string{
		"linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "js", "wasip1", "android", "ios", "solaris", "illumos",
		"dragonfly", "aix", "plan9",
	}
	strayArches = []string{"amd64", "arm64", "386", "arm", "wasm", "riscv64", "ppc64le", "ppc64", "s390x", "loong64", "mips64le", "mips64", "mipsle", "mips"}
)

// nearestBuild is the first build, beginning with the workspace's own, that a file takes part in;
// ok is false if there is none, or none that anybody would build its neighbours with.
func nearestBuild(env *environment, path string, h *syntax.Header) (b strayBuild, ok bool) {
	own := ownBuild(env)
	tags := constraintTags(h)
	if slices.Contains(tags, "ignore") {
		return own, false
	}
	takes := func(os, arch string, cgo bool, tags []string) bool {
		b = strayBuild{os: os, arch: arch, cgo: cgo, tags: tags}
		return matches(b.context(env), path, h)
	}
	oses := append([]string{own.os}, strayOSes...)
	arches := append([]string{own.arch}, strayArches...)
	for _, with := range [][]string{nil, tags} {
		for _, cgo := range []bool{own.cgo, !own.cgo} {
			for _, arch := range arches {
				for _, os := range oses {
					if takes(os, arch, cgo, with) {
						return b, true
					}
				}
			}
		}
	}
	// Tags that exclude each other: one at a time.
	for _, tag := range tags {
		if takes(own.os, own.arch, own.cgo, []string{tag}) {
			return b, true
		}
	}
	return own, false
}

// constraintTags are the tags that the constraints of a file name, apart from platforms and
// versions.
func constraintTags(h *syntax.Header) []string {
	var tags []string
	var walk func(constraint.Expr)
	walk = func(x constraint.Expr) {
		switch x := x.(type) {
		case *constraint.TagExpr:
			platform := slices.Contains(strayOSes, x.Tag) || slices.Contains(strayArches, x.Tag)
			if !platform && x.Tag != "cgo" && x.Tag != "gc" && x.Tag != "unix" && !strings.HasPrefix(x.Tag, "go1.") {
				tags = append(tags, x.Tag)
			}
		case *constraint.NotExpr:
			walk(x.X)
		case *constraint.AndExpr:
			walk(x.X)
			walk(x.Y)
		case *constraint.OrExpr:
			walk(x.X)
			walk(x.Y)
		}
	}
	for _, line := range h.Constraints {
		if x, err := constraint.Parse(line); err == nil {
			walk(x)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
