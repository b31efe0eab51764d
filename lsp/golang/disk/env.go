package disk

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

// An Environment is everything outside the files that changes what a build means. It is an input
// record: the same files under another environment are another workspace.
type Environment struct {
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
	GoPrivate  string   // patterns of modules that no public service is told of
	Tags       []string // in addition to GoFlags
	Extra      []string // KEY=VALUE settings of the workspace
	Tests      bool
	Attempt    uint64   // counts up when the go command is to be asked again although nothing else has changed
	Dir        string   // where the go command runs
	Plain      bool     // outside of modules
	Levels     int      // how many levels of directories below each of Own are the build's; AllLevels but outside of modules
	Own        []string // directories whose packages are the build's own; sorted
	Uses       []string // directories that the go.work file names, whether they are modules or not; sorted
	Nested     []string // directories of modules below these which are not part of the build; sorted
	Problem    string   // why the go command could not be asked; "" if it answered
}

// ReadEnvironment asks the go command. A go command that is missing or refuses is no error: the
// environment is then that of this program, with a Problem.
func ReadEnvironment(ctx context.Context, d *Definition, tests bool, tags, extra []string) (Environment, error) {
	root := d.Dir
	if d.Off {
		extra = append(slices.Clip(extra), "GOWORK=off")
	}
	env := Environment{Tags: tags, Extra: extra, Tests: tests, Dir: d.Dir, Plain: d.Plain, Levels: d.Levels, Own: d.Own, Uses: d.Uses}
	keys := map[string]*string{
		"GOVERSION": &env.GoVersion, "GOROOT": &env.GoRoot, "GOOS": &env.GoOS, "GOARCH": &env.GoArch, "GOFLAGS": &env.GoFlags,
		"CGO_ENABLED": &env.CgoEnabled, "GOEXPERIMENT": &env.Experiment, "GOMODCACHE": &env.GoModCache, "GOMOD": &env.GoMod,
		"GOWORK": &env.GoWork, "GO111MODULE": &env.Module111, "GOTOOLCHAIN": &env.Toolchain, "GOPRIVATE": &env.GoPrivate,
	}
	out, err := runGo(ctx, root, extra, "env", "-json")
	var answer map[string]string
	if err == nil && (json.Unmarshal(out, &answer) != nil || answer["GOVERSION"] == "") {
		err = noAnswer("go env", out)
	}
	failure, ok := errors.AsType[*CommandError](err)
	if err != nil && !ok {
		return env, err
	}
	if err != nil {
		env.Problem = failure.Text
		env.GoVersion, env.GoOS, env.GoArch = goruntime.Version(), goruntime.GOOS, goruntime.GOARCH
		env.GoRoot = build.Default.GOROOT
		env.CgoEnabled = "0"
		return env, nil
	}
	for key, at := range keys {
		*at = answer[key]
	}
	if src := filepath.Join(env.GoRoot, "src"); src != root && SameDir(src, root) {
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
func (e *Environment) unsupported() string {
	if e.GoOS == goruntime.GOOS && e.GoArch == goruntime.GOARCH || e.GoRoot == "" {
		return ""
	}
	table, err := ReadInput(filepath.Join(e.GoRoot, "src", "internal", "platform", "zosarch.go"))
	if err != nil || !bytes.Contains(table, []byte("OSArch{")) || bytes.Contains(table, fmt.Appendf(nil, "{%q, %q}", e.GoOS, e.GoArch)) {
		return "" // or a Go tree of another shape, which may know it
	}
	return fmt.Sprintf("go: unsupported GOOS/GOARCH pair %s/%s", e.GoOS, e.GoArch)
}

// buildContext decides by name and content whether a file is part of a build; open gives the
// content.
func (e *Environment) buildContext() build.Context {
	ctx := build.Default
	ctx.GOROOT, ctx.GOOS, ctx.GOARCH = e.GoRoot, e.GoOS, e.GoArch
	ctx.CgoEnabled = e.CgoEnabled == "1"
	ctx.BuildTags = e.Tags
	ctx.Compiler = "gc"
	for name := range strings.SplitSeq(e.Experiment, ",") {
		if name != "" {
			ctx.ToolTags = append(slices.Clip(ctx.ToolTags), "goexperiment."+name)
		}
	}
	return ctx
}

// ModuleFiles are the files, apart from those that a scan finds, that decide what imports mean.
// They need not exist.
func (e *Environment) ModuleFiles() []string {
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

// Owns reports whether a file lies in one of the build's own directories, no deeper than the build
// goes, and in no module below them.
func (e *Environment) Owns(path string) bool {
	own := files.Innermost(e.Own, path)
	if own == "" || !Reaches(own, e.Levels, filepath.Dir(path)) || len(files.Innermost(e.Nested, path)) > len(own) {
		return false
	}
	rel, err := filepath.Rel(own, filepath.Dir(path))
	return err == nil && (rel == "." || !slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), skipDir))
}

// SameDir reports whether two paths lead to one directory.
func SameDir(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// dir is a directory that the go command named, by the path that the workspace knows it by.
func (e *Environment) dir(path string) string {
	if e.GoRootAs != "" && path != "" && files.Inside(e.GoRootAs, path) {
		if rel, err := filepath.Rel(e.GoRootAs, path); err == nil {
			return filepath.Join(e.GoRoot, rel)
		}
	}
	return path
}
