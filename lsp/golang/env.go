package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
)

// An environment is everything outside the files that changes what a build means. It is an input
// record: the same files under another environment are another workspace.
type environment struct {
	GoVersion  string // such as "go1.26.8"
	GoRoot     string
	GoRootAs   string // what the go command calls GoRoot, if the workspace is the Go tree and was opened by another path
	GoOS       string
	GoArch     string
	GoFlags    string
	CgoEnabled string
	Experiment string
	GoModCache string
	GoMod      string // the go.mod file in force; "" or the null device: none
	GoWork     string // the go.work file in force; "" none
	Module111  string // GO111MODULE
	Toolchain  string
	Tags       []string // in addition to GoFlags
	Extra      []string // KEY=VALUE settings of the workspace
	Tests      bool
	Attempt    uint64   // counts up when the go command is to be asked again although nothing else has changed
	Dir        string   // where the go command runs
	Plain      bool     // outside of modules
	Levels     int      // how many levels of directories below each of Own are the build's; allLevels but outside of modules
	Own        []string // directories whose packages are the build's own; sorted
	Uses       []string // directories that the go.work file names, whether they are modules or not; sorted
	Nested     []string // directories of modules below these which are not part of the build; sorted
	Problem    string   // why the go command could not be asked; "" if it answered
}

// readEnvironment asks the go command. A go command that is missing or refuses is no error: the
// environment is then that of this program, with a Problem.
func readEnvironment(ctx context.Context, d *buildDef, tests bool, tags, extra []string) (environment, error) {
	root := d.dir
	if d.off {
		extra = append(slices.Clip(extra), "GOWORK=off")
	}
	env := environment{Tags: tags, Extra: extra, Tests: tests, Dir: d.dir, Plain: d.plain, Levels: d.levels, Own: d.own, Uses: d.uses}
	keys := map[string]*string{
		"GOVERSION": &env.GoVersion, "GOROOT": &env.GoRoot, "GOOS": &env.GoOS, "GOARCH": &env.GoArch, "GOFLAGS": &env.GoFlags,
		"CGO_ENABLED": &env.CgoEnabled, "GOEXPERIMENT": &env.Experiment, "GOMODCACHE": &env.GoModCache, "GOMOD": &env.GoMod,
		"GOWORK": &env.GoWork, "GO111MODULE": &env.Module111, "GOTOOLCHAIN": &env.Toolchain,
	}
	out, err := runGo(ctx, root, extra, "env", "-json")
	var answer map[string]string
	if err == nil && (json.Unmarshal(out, &answer) != nil || answer["GOVERSION"] == "") {
		err = noAnswer("go env", out)
	}
	failure, ok := errors.AsType[*commandError](err)
	if err != nil && !ok {
		return env, err
	}
	if err != nil {
		env.Problem = failure.text
		env.GoVersion, env.GoOS, env.GoArch = goruntime.Version(), goruntime.GOOS, goruntime.GOARCH
		env.GoRoot = build.Default.GOROOT
		env.CgoEnabled = "0"
		return env, nil
	}
	for key, at := range keys {
		*at = answer[key]
	}
	if src := filepath.Join(env.GoRoot, "src"); src != root && sameDir(src, root) {
		env.GoRootAs, env.GoRoot = env.GoRoot, filepath.Dir(root)
	}
	env.Problem = env.unsupported()
	if env.GoMod == os.DevNull {
		env.GoMod = ""
	}
	if env.GoWork == "off" {
		env.GoWork = ""
	}
	return env, nil
}

// unsupported says why there can be no build for the system and processor that are set, "" if there
// can. The go command itself finds out late and lists packages without their files before that.
func (e *environment) unsupported() string {
	if e.GoOS == goruntime.GOOS && e.GoArch == goruntime.GOARCH || e.GoRoot == "" {
		return ""
	}
	table, err := readInput(filepath.Join(e.GoRoot, "src", "internal", "platform", "zosarch.go"))
	if err != nil || !bytes.Contains(table, []byte("OSArch{")) || bytes.Contains(table, fmt.Appendf(nil, "{%q, %q}", e.GoOS, e.GoArch)) {
		return "" // or a Go tree of another shape, which may know it
	}
	return fmt.Sprintf("go: unsupported GOOS/GOARCH pair %s/%s", e.GoOS, e.GoArch)
}

// languageVersion is the go1.N form of the toolchain's version, "" if it has another form.
func (e *environment) languageVersion() string {
	v, ok := strings.CutPrefix(e.GoVersion, "go1.")
	if !ok {
		return ""
	}
	n := 0
	for n < len(v) && '0' <= v[n] && v[n] <= '9' {
		n++
	}
	if n == 0 {
		return ""
	}
	return "go1." + v[:n]
}

// buildContext decides by name and content whether a file is part of a build; open gives the
// content.
func (e *environment) buildContext() build.Context {
	ctx := build.Default
	ctx.GOROOT, ctx.GOOS, ctx.GOARCH = e.GoRoot, e.GoOS, e.GoArch
	ctx.CgoEnabled = e.CgoEnabled == "1"
	ctx.BuildTags = e.Tags
	ctx.Compiler = "gc"
	return ctx
}

// moduleFiles are the files, apart from those that a scan finds, that decide what imports mean.
// They need not exist.
func (e *environment) moduleFiles() []string {
	var files []string
	for _, own := range e.Own {
		files = append(files, filepath.Join(own, "go.mod"))
		if !e.Plain {
			files = append(files, filepath.Join(own, "go.sum"), filepath.Join(own, "vendor", "modules.txt"))
		}
	}
	for _, use := range e.Uses {
		files = append(files, filepath.Join(use, "go.mod"))
	}
	if e.GoWork != "" {
		files = append(files, e.GoWork, e.GoWork+".sum", filepath.Join(filepath.Dir(e.GoWork), "vendor", "modules.txt"))
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// owned reports whether a file lies in one of the build's own directories, no deeper than the build
// goes, and in no module below them.
func (e *environment) owned(path string) bool {
	own := files.Innermost(e.Own, path)
	if own == "" || !reaches(own, e.Levels, filepath.Dir(path)) || len(files.Innermost(e.Nested, path)) > len(own) {
		return false
	}
	rel, err := filepath.Rel(own, filepath.Dir(path))
	return err == nil && (rel == "." || !slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), skipDir))
}

func sameDir(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// dir is a directory that the go command named, by the path that the workspace knows it by.
func (e *environment) dir(path string) string {
	if e.GoRootAs != "" && path != "" && files.Inside(e.GoRootAs, path) {
		if rel, err := filepath.Rel(e.GoRootAs, path); err == nil {
			return filepath.Join(e.GoRoot, rel)
		}
	}
	return path
}
