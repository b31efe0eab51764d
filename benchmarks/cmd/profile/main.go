// Profile indexes part of the Go standard library from nothing under the CPU profiler, and says
// where the time went: by lane, by task, by what the engine does, by function.
//
//	profile [-all] [-edits N] [-o FILE] [-top 15] [DIR...]
//
// DIR are directories below the standard library's source, or paths of others; the default is a few
// small ones, -all is all of it. With -edits the index is not recorded but so many edits after it,
// as an editor makes them in the first DIR: each waits for the diagnostics of the file, a hover and
// the outline, and for all that follows from the edit. With -o the profile is written too, for go
// tool pprof.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/profile"
)

// few is what is indexed by default: some thirty packages, and the faces of what they import.
var few = []string{"encoding", "go", "text"}

// stallAfter is when work that does not move is worth a line on standard error.
const stallAfter = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("profile", flag.ContinueOnError)
	flags.SetOutput(stderr)
	all := flags.Bool("all", false, "index all of the standard library")
	out := flags.String("o", "", "write the profile to this file, such as results/index.pb.gz")
	top := flags.Int("top", 15, "lines in each part of the report")
	edits := flags.Int("edits", 0, "record so many edits after the index, instead of the index")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	dirs := flags.Args()
	switch {
	case *all && len(dirs) > 0:
		fmt.Fprintln(stderr, "profile: -all and directories exclude each other")
		return 2
	case *edits < 0:
		fmt.Fprintln(stderr, "profile: -edits must not be negative")
		return 2
	case *top < 1:
		fmt.Fprintln(stderr, "profile: -top must be at least 1")
		return 2
	case *all:
		dirs = []string{"."}
	case len(dirs) == 0:
		dirs = few
	}
	if err := record(ctx, dirs, *edits, *out, *top, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "profile: %v\n", err)
		return 1
	}
	return 0
}

func record(ctx context.Context, dirs []string, edits int, out string, top int, stdout, stderr io.Writer) (err error) {
	for _, line := range compare.Machine() {
		fmt.Fprintln(stderr, "#", line)
	}
	src, err := source(ctx)
	if err != nil {
		return err
	}
	store, err := os.MkdirTemp("", "cytisus-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(store)) }()
	// As the command does: a worker for each CPU, and a thread more for everything else.
	workers := goruntime.NumCPU()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(max(goruntime.GOMAXPROCS(0), workers+1)))
	eng, err := runtime.Open(store, runtime.Options{Workers: workers, StallAfter: stallAfter, Holder: "cytisus profile"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close(context.WithoutCancel(ctx))) }()
	if e, ok := any(eng).(interface{ Profiling(on bool) }); ok {
		e.Profiling(true)
	} else {
		fmt.Fprintln(stderr, "# this engine sets no labels: everything will show as outside tasks")
	}
	for i, dir := range dirs {
		if !filepath.IsAbs(dir) {
			dirs[i] = filepath.Join(src, dir)
		}
	}
	work := func() error { return index(ctx, eng, dirs, stderr) }
	if edits > 0 {
		e, err := openEditor(ctx, eng, dirs[0], stderr)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.ws.Close()) }()
		work = func() error { return e.edit(ctx, edits) }
	}
	raw, recorded, err := profile.Record(work)
	if err != nil {
		return err
	}
	if out != "" {
		if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(out, raw, 0o666); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "# wrote %s; look at it with: go tool pprof -http=: %s\n", out, out)
	}
	report, err := profile.Read(recorded)
	if err != nil {
		return err
	}
	return report.Write(stdout, top)
}

// source is the directory of the local toolchain's standard library.
func source(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("asking the go command for its standard library: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src"), nil
}

// index reads the directories one after the other, as workspaces of one engine.
func index(ctx context.Context, eng *runtime.Engine, dirs []string, stderr io.Writer) error {
	for _, dir := range dirs {
		ws, err := openIndexed(ctx, eng, dir, lsp.WorkspaceOptions{}, stderr)
		if err != nil {
			return err
		}
		if err := ws.Close(); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// openIndexed opens a directory and reads it.
func openIndexed(ctx context.Context, eng *runtime.Engine, dir string, o lsp.WorkspaceOptions, stderr io.Writer) (lsp.Workspace, error) {
	ws, err := golang.Language{}.Open(ctx, eng, dir, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	sum, err := ws.Index(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, errors.Join(err, ws.Close()))
	}
	fmt.Fprintf(stderr, "# %s: %d files, %d packages, %d queries run, %d reused, %s\n",
		dir, sum.Files, sum.Units, sum.Ran, sum.Reused, sum.Wall.Round(time.Millisecond))
	return ws, nil
}
