package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// An environment is everything outside the files that changes what a build means. It is an input record: the same files under
// another environment are another workspace.
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
	Problem    string // why the go command could not be asked; "" if it answered
}

// goCommand prepares a go command in a directory. Its environment is the process' with the extra settings on top.
func goCommand(ctx context.Context, dir string, extra []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir)
	cmd.Env = append(cmd.Env, extra...)
	return cmd
}

// readEnvironment asks the go command. A go command that is missing or refuses is no error: the environment is then that of
// this program, with a Problem.
func readEnvironment(ctx context.Context, root string, tests bool, tags, extra []string) (environment, error) {
	env := environment{Tags: tags, Extra: extra, Tests: tests}
	keys := map[string]*string{
		"GOVERSION": &env.GoVersion, "GOROOT": &env.GoRoot, "GOOS": &env.GoOS, "GOARCH": &env.GoArch, "GOFLAGS": &env.GoFlags,
		"CGO_ENABLED": &env.CgoEnabled, "GOEXPERIMENT": &env.Experiment, "GOMODCACHE": &env.GoModCache, "GOMOD": &env.GoMod,
		"GOWORK": &env.GoWork, "GO111MODULE": &env.Module111, "GOTOOLCHAIN": &env.Toolchain,
	}
	var stdout, stderr bytes.Buffer
	cmd := goCommand(ctx, root, extra, "env", "-json")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return env, fmt.Errorf("go env in %s: %w", root, ctx.Err())
	}
	var answer map[string]string
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &answer)
	}
	if err != nil {
		env.Problem = commandText("go env", err, stderr.Bytes())
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
	if env.GoMod == os.DevNull {
		env.GoMod = ""
	}
	if env.GoWork == "off" {
		env.GoWork = ""
	}
	return env, nil
}

// commandText says what a failed command said, in one line where possible.
func commandText(what string, err error, stderr []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(stderr), "?"))
	if text == "" {
		text = err.Error()
	}
	const limit = 2000
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return what + ": " + text
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

// buildContext decides by name and content whether a file is part of a build; open gives the content.
func (e *environment) buildContext() build.Context {
	ctx := build.Default
	ctx.GOROOT, ctx.GOOS, ctx.GOARCH = e.GoRoot, e.GoOS, e.GoArch
	ctx.CgoEnabled = e.CgoEnabled == "1"
	ctx.BuildTags = e.Tags
	ctx.Compiler = "gc"
	return ctx
}

// moduleFiles are the files outside the root's own tree, or which a scan leaves out, that decide what imports mean.
func (e *environment) moduleFiles(root string) []string {
	var files []string
	for _, f := range []string{e.GoMod, e.GoWork} {
		if f == "" {
			continue
		}
		dir := filepath.Dir(f)
		sum := strings.TrimSuffix(f, filepath.Ext(f)) + ".sum"
		if f == e.GoWork {
			sum = f + ".sum"
		}
		files = append(files, f, sum, filepath.Join(dir, "vendor", "modules.txt"))
	}
	if e.GoMod == "" {
		files = append(files, filepath.Join(root, "go.mod"))
	}
	return files
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
	if e.GoRootAs != "" && path != "" && inside(e.GoRootAs, path) {
		if rel, err := filepath.Rel(e.GoRootAs, path); err == nil {
			return filepath.Join(e.GoRoot, rel)
		}
	}
	return path
}
