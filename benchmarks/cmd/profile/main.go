// Profile runs a suite under a profiler and writes a report, one HTML page with flame graphs by
// lane, task, client and phase, beside the raw profiles. Of processor time it also prints where it
// went.
//
//	profile [-suite cold] [-kind cpu|heap|mutex|block] [-diff REV] [-report DIR] [-top 15]
//		[-all] [-edits N] [DIR...]
//
// The suite "cold" indexes part of the Go standard library from nothing, "edits" makes 200 edits
// after it. Every suite of cmd/compare is one, too: ours alone, without labels. With -diff the same
// work is done first by the engine of another revision, and the report shows what differs; the
// program that measures is this one both times, built against the other revision's engine.
//
// DIR are directories below the standard library's source, or paths of others; the default is a few
// small ones, -all is all of it. With -edits the index is not recorded but so many edits after it,
// as an editor makes them in the first DIR: each waits for the diagnostics of the file, a hover and
// the outline, and for all that follows from the edit.
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
	"strings"
	"time"

	"github.com/cytisus/cytisus/benchmarks/profiles"
	"github.com/cytisus/cytisus/benchmarks/suites"
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/runtime"
)

// few is what is indexed by default: some thirty packages, and the faces of what they import.
var few = []string{"encoding", "go", "text"}

// someEdits is how many edits the suite of that name makes.
const someEdits = 200

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
	var j job
	flags.StringVar(&j.suite, "suite", "cold", "what is run: cold (an index from nothing), edits, or a suite of cmd/compare")
	kind := flags.String("kind", "cpu", "what is profiled: cpu (and allocations), heap, mutex or block")
	flags.StringVar(&j.diff, "diff", "", "compare with the engine of this revision")
	flags.StringVar(&j.dir, "report", "", "where the report and the raw profiles go (default: no report)")
	flags.StringVar(&j.raw, "raw", "", "write raw profiles under this name into -report, and no report")
	top := flags.Int("top", 15, "lines in each part of the report")
	edits := flags.Int("edits", 0, "record so many edits after the index, instead of the index")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	dirs := flags.Args()
	if j.suite == "edits" && *edits == 0 {
		*edits = someEdits
	}
	var err error
	if j.kind, err = profiles.KindOf(*kind); err != nil {
		fmt.Fprintf(stderr, "profile: %v\n", err)
		return 2
	}
	if _, ok := suites.Find(j.suite); !ok && j.suite != "cold" && j.suite != "edits" {
		fmt.Fprintf(stderr, "profile: there is no suite %q\n", j.suite)
		return 2
	}
	switch {
	case *all && len(dirs) > 0:
		fmt.Fprintln(stderr, "profile: -all and directories exclude each other")
		return 2
	case *edits < 0:
		fmt.Fprintln(stderr, "profile: -edits must not be negative")
		return 2
	case j.dir == "" && (j.diff != "" || j.raw != ""):
		fmt.Fprintln(stderr, "profile: -diff and -raw need -report")
		return 2
	case *top < 1:
		fmt.Fprintln(stderr, "profile: -top must be at least 1")
		return 2
	case *all:
		dirs = []string{"."}
	case len(dirs) == 0:
		dirs = few
	}
	j.dirs, j.edits, j.top = dirs, *edits, *top
	if err := j.run(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "profile: %v\n", err)
		return 1
	}
	return 0
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
