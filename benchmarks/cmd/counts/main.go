// Counts counts allocations, bytes and, where the machine counts them, instructions of a fixed set
// of benchmarks, and fails if one takes more than was accepted. See package counts for how.
//
//	counts [-update] [-repeat N] [-only REGEXP]
//
// Exit codes: 0 nothing takes more, 1 something does, or repeats differ by more than may be, 2 a
// command line that cannot be understood, 3 it could not be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/cytisus/cytisus/benchmarks/counts"
	"github.com/cytisus/cytisus/benchmarks/revisions"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], counts.Set, os.Stdout, os.Stderr))
}

func command(ctx context.Context, args []string, set []counts.Benchmark, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("counts", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "..", "the module's directory")
	file := flags.String("accepted", filepath.Join("counts", "testdata", "accepted.txt"), "what was accepted")
	update := flags.Bool("update", false, "accept what is counted")
	repeat := flags.Int("repeat", 1, "count so often, and fail if the counts differ")
	only := flags.String("only", "", "benchmarks whose package and name, with a space between, match")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	chosen, err := regexp.Compile(*only)
	if err != nil || *repeat < 1 || flags.NArg() > 0 || *update && *only != "" {
		fmt.Fprintln(stderr, "counts: -only is a regular expression, -repeat 1 or more, -update takes all of the set")
		return 2
	}
	set = slices.DeleteFunc(slices.Clone(set), func(b counts.Benchmark) bool { return !chosen.MatchString(b.Key()) })
	accepted, err := counts.Read(*file)
	if err != nil && !(*update && errors.Is(err, fs.ErrNotExist)) {
		fmt.Fprintln(stderr, err)
		return 3
	}
	is, apart, err := measure(ctx, *dir, set, *repeat, stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	if err := counts.Report(stdout, set, accepted, is); err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	if *update {
		if err := counts.Write(*file, set, accepted, is); err != nil {
			fmt.Fprintln(stderr, err)
			return 3
		}
		accepted = is
	}
	grown := counts.Grown(set, accepted, is)
	for _, line := range slices.Concat(apart, grown) {
		fmt.Fprintln(stdout, line)
	}
	if len(grown) > 0 {
		fmt.Fprintf(stdout, "If that is meant, run make bench-counts UPDATE=1, commit benchmarks/%s, and say in the message what it buys.\n", filepath.ToSlash(*file))
	}
	if len(apart)+len(grown) > 0 {
		return 1
	}
	fmt.Fprintf(stdout, "%d benchmarks: none takes more than was accepted\n", len(set))
	return 0
}

// measure counts each benchmark of a set some times, and says which counts differ by more than they
// may from what was accepted.
func measure(ctx context.Context, dir string, set []counts.Benchmark, repeat int, progress io.Writer) (_ counts.Table, apart []string, err error) {
	repository, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	temp, err := os.MkdirTemp("", "cytisus-counts-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	tree, err := revisions.Checkout(ctx, repository, "", temp)
	if err != nil {
		return nil, nil, err
	}
	is, told := counts.Table{}, false
	for _, b := range set {
		if tree.Program(b.Package) == "" {
			fmt.Fprintf(progress, "build %s\n", b.Package)
			if err := tree.Build(ctx, b.Package); err != nil {
				return nil, nil, err
			}
		}
		for i := range repeat {
			c, err := counts.Measure(ctx, tree, b)
			if err != nil {
				return nil, nil, err
			}
			if c[2] == counts.Unknown && !told {
				told = true
				fmt.Fprintln(progress, "instructions are left out: this machine does not count them, or lets no process see it (perf_event_open)")
			}
			if i > 0 {
				was := is[b.Key()]
				most, by := c.Join(was)
				for u := range by {
					if by[u] > counts.Growth[u]/2 {
						apart = append(apart, fmt.Sprintf("%s: %d and %d %s", b.Key(), was[u], c[u], counts.Units[u]))
					}
				}
				c = most
			}
			is[b.Key()] = c
		}
	}
	return is, apart, nil
}
