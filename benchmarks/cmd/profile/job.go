package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/profiles"
	"github.com/cytisus/cytisus/benchmarks/revisions"
	"github.com/cytisus/cytisus/benchmarks/suites"
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/profile"
)

// A job is one call of the command.
type job struct {
	suite string
	kind  profiles.Kind
	diff  string // the other revision
	dir   string // of the report
	raw   string // the name of the run, where another process writes the report

	dirs  []string
	edits int
	top   int
}

// Names of the two runs in files.
const (
	headRun = "head"
	baseRun = "base"
)

// rounds of a suite of cmd/compare.
const rounds = 3

// noPeer matches no name of a peer: with it cmd/compare runs our entrant alone.
var noPeer = regexp.MustCompile("^$")

func (j *job) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	for _, line := range compare.Machine() {
		fmt.Fprintln(stderr, "#", line)
	}
	dir, name := j.dir, headRun
	if j.raw != "" {
		name = j.raw
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "cytisus-profiles-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if j.diff != "" {
		if err := j.base(ctx, stderr); err != nil {
			return err
		}
	}
	if err := j.record(ctx, dir, name, stderr); err != nil || j.raw != "" {
		return err
	}
	if err := j.print(dir, stdout); err != nil || j.dir == "" {
		return err
	}
	return j.report(stderr)
}

// record does the work under the profiler.
func (j *job) record(ctx context.Context, dir, name string, stderr io.Writer) (err error) {
	temp, err := os.MkdirTemp("", "cytisus-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if suite, ok := suites.Find(j.suite); ok {
		env := &compare.Env{Seed: 1, Dir: temp, Logf: func(format string, args ...any) { fmt.Fprintf(stderr, "# "+format+"\n", args...) }}
		return j.kind.Record(dir, name, func() error {
			return compare.Run(ctx, suite, env, compare.Plan{Rounds: rounds, Peer: noPeer}, func([]compare.Row) error { return nil })
		})
	}
	src, err := source(ctx)
	if err != nil {
		return err
	}
	// As the command does: a worker for each CPU, and a thread more for everything else.
	workers := goruntime.NumCPU()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(max(goruntime.GOMAXPROCS(0), workers+1)))
	eng, err := runtime.Open(temp, runtime.Options{Workers: workers, StallAfter: stallAfter, Holder: "cytisus profile"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close(context.WithoutCancel(ctx))) }()
	eng.Profiling(true)
	dirs := make([]string, len(j.dirs))
	for i, dir := range j.dirs {
		if dirs[i] = dir; !filepath.IsAbs(dir) {
			dirs[i] = filepath.Join(src, dir)
		}
	}
	work := func() error { return index(ctx, eng, dirs, stderr) }
	if j.edits > 0 {
		var e *editor
		if e, err = openEditor(ctx, eng, dirs[0], stderr); err != nil {
			return err
		}
		defer func(ws lsp.Workspace) { err = errors.Join(err, ws.Close()) }(e.ws)
		work = func() error { return e.edit(ctx, j.edits) }
	}
	return j.kind.Record(dir, name, work)
}

// base has the engine of the other revision do the same work, in a process of its own.
func (j *job) base(ctx context.Context, stderr io.Writer) (err error) {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	modfile, err := output(ctx, here, "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	module := filepath.Dir(modfile)
	temp, err := os.MkdirTemp("", "cytisus-profile-base-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	repository := filepath.Dir(module)
	tree, err := revisions.Checkout(ctx, repository, j.diff, temp)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Remove(context.WithoutCancel(ctx), repository)) }()
	for from, to := range map[string]string{"go.mod": "base.mod", "go.sum": "base.sum"} {
		text, err := os.ReadFile(filepath.Join(module, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(temp, to), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	other := filepath.Join(temp, "base.mod")
	program := filepath.Join(temp, "profile")
	for _, args := range [][]string{
		{"mod", "edit", "-replace=github.com/cytisus/cytisus=" + tree.Dir, other},
		{"build", "-mod=mod", "-modfile=" + other, "-o", program, "./cmd/profile"},
	} {
		if _, err := output(ctx, module, "go", args...); err != nil {
			return fmt.Errorf("building for %s, whose engine may have another face: %w", j.diff, err)
		}
	}
	fmt.Fprintf(stderr, "# %s:\n", j.diff)
	cmd := exec.CommandContext(ctx, program, j.baseArgs()...)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the run of %s: %w", j.diff, err)
	}
	fmt.Fprintln(stderr, "# work tree:")
	return nil
}

// baseArgs is the command line of the other revision's run.
func (j *job) baseArgs() []string {
	args := []string{"-suite", j.suite, "-kind", j.kind.Name, "-report", j.dir, "-raw", baseRun, "-edits", fmt.Sprint(j.edits)}
	return append(append(args, "--"), j.dirs...)
}

// output is what a program prints; an error has it, too.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, errs.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// print says where processor time went, if that was recorded.
func (j *job) print(dir string, stdout io.Writer) error {
	for _, part := range j.kind.Parts(dir, headRun, "") {
		if part.Kind != "cpu" {
			continue
		}
		f, err := os.Open(part.File)
		if err != nil {
			return err
		}
		defer f.Close()
		p, err := pprof.Parse(f)
		if err != nil {
			return err
		}
		report, err := profile.Read(p)
		if err != nil {
			return err
		}
		return report.Write(stdout, j.top)
	}
	return nil
}

// report writes the page.
func (j *job) report(stderr io.Writer) (err error) {
	r := profiles.Report{Suite: j.suite, Kind: j.kind.Name, Head: "the work tree", Base: j.diff, Lines: compare.Machine()}
	base := ""
	if j.diff != "" {
		base = baseRun
	}
	r.Parts = j.kind.Parts(j.dir, headRun, base)
	page := filepath.Join(j.dir, "report.html")
	f, err := os.Create(page)
	if err != nil {
		return err
	}
	if err := errors.Join(r.Write(f), f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "# wrote %s\n", page)
	return nil
}
