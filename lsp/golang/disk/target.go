package disk

import (
	"go/build"
	"go/build/constraint"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Target is what decides which files are built.
type Target struct {
	OS, Arch string
	Cgo      bool
	Tags     []string // in addition to those of the environment; sorted
}

// Context decides which files of an environment are built for the target.
func (b *Target) Context(env *Environment) build.Context {
	ctx := env.buildContext()
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = b.OS, b.Arch, b.Cgo
	ctx.BuildTags = append(slices.Clone(ctx.BuildTags), b.Tags...)
	return ctx
}

// OwnTarget is the build of the workspace.
func OwnTarget(env *Environment) Target {
	return Target{OS: env.GoOS, Arch: env.GoArch, Cgo: env.CgoEnabled == "1"}
}

// Equal reports whether two targets build the same files.
func (b *Target) Equal(c *Target) bool {
	return b.OS == c.OS && b.Arch == c.Arch && b.Cgo == c.Cgo && slices.Equal(b.Tags, c.Tags)
}

// The platforms that a file may be for, the usual ones first.
var (
	strayOSes = []string{
		"linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "js", "wasip1", "android", "ios", "solaris", "illumos",
		"dragonfly", "aix", "plan9",
	}
	strayArches = []string{"amd64", "arm64", "386", "arm", "wasm", "riscv64", "ppc64le", "ppc64", "s390x", "loong64", "mips64le", "mips64", "mipsle", "mips"}
)

// NearestTarget is the first build, beginning with the workspace's own, that a file takes part in;
// ok is false if there is none, or none that anybody would build its neighbours with.
func NearestTarget(env *Environment, path string, h *syntax.Header) (b Target, ok bool) {
	own := OwnTarget(env)
	tags := constraintTags(h)
	if slices.Contains(tags, "ignore") {
		return own, false
	}
	takes := func(os, arch string, cgo bool, tags []string) bool {
		b = Target{OS: os, Arch: arch, Cgo: cgo, Tags: tags}
		return Matches(b.Context(env), path, h)
	}
	oses := append([]string{own.OS}, strayOSes...)
	arches := append([]string{own.Arch}, strayArches...)
	for _, with := range [][]string{nil, tags} {
		for _, cgo := range []bool{own.Cgo, !own.Cgo} {
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
		if takes(own.OS, own.Arch, own.Cgo, []string{tag}) {
			return b, true
		}
	}
	return own, false
}

// HasOnlyTag reports whether the constraint of a file is a tag and nothing else.
func HasOnlyTag(h *syntax.Header, tag string) bool {
	return len(h.Constraints) > 0 && !slices.ContainsFunc(h.Constraints, func(line string) bool {
		x, err := constraint.Parse(line)
		only, ok := x.(*constraint.TagExpr)
		return err != nil || !ok || only.Tag != tag
	})
}

// IsForPlatform reports whether a file is built on some platforms only.
func IsForPlatform(path string, h *syntax.Header) bool {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".go"), "_test")
	parts := strings.Split(name, "_")
	if last := parts[len(parts)-1]; len(parts) > 1 && (slices.Contains(strayOSes, last) || slices.Contains(strayArches, last)) {
		return true
	}
	return slices.ContainsFunc(h.Constraints, func(line string) bool {
		x, err := constraint.Parse(line)
		if err != nil {
			return true
		}
		found := false
		x.Eval(func(tag string) bool {
			found = found || !strings.HasPrefix(tag, "go1.") && tag != "gc" && tag != "gccgo"
			return true
		})
		return found
	})
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
