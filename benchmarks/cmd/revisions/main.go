// Revisions compares the benchmarks of two revisions, by turns, and fails if any got worse beyond
// noise. See package revisions for how.
//
//	revisions -base REV [-head REV] [-bench REGEXP] [-count N] [PACKAGES]
//
// The default for -head is the work tree as it is, for packages all of the module. Exit codes: 0
// nothing got worse, 1 something did, 2 a command line that cannot be understood, 3 it could not
// be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/benchmarks/revisions"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type options struct {
	base, head, dir, bench, benchtime string
	count                             int
	all                               bool
	limits                            revisions.Limits
	packages                          []string
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("revisions", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.base, "base", "", "the revision to compare with")
	flags.StringVar(&o.head, "head", "", "the revision that is compared (default: the work tree as it is)")
	flags.StringVar(&o.dir, "dir", "..", "the module's directory")
	flags.StringVar(&o.bench, "bench", ".", "benchmarks whose names match")
	flags.StringVar(&o.benchtime, "benchtime", "100ms", "how long each runs in each turn, or how often, such as 1000x")
	flags.IntVar(&o.count, "count", 10, "turns")
	flags.BoolVar(&o.all, "all", false, "print all rows, not only those that differ")
	flags.Float64Var(&o.limits.Alpha, "alpha", 0.01, "the chance that any row of two equal revisions is said to differ")
	flags.Float64Var(&o.limits.Least, "least", 0.03, "smaller changes do not count; 0.03 is three percent")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	o.packages = flags.Args()
	if o.base == "" || o.count < 3 || o.limits.Alpha <= 0 || o.limits.Alpha >= 1 || o.limits.Least < 0 {
		fmt.Fprintln(stderr, "revisions: -base is needed, -count is 3 or more, -alpha between 0 and 1, -least not below 0")
		return 2
	}
	if len(o.packages) == 0 {
		o.packages = []string{"./..."}
	}
	verdicts, names, err := measure(ctx, o, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "revisions: %v\n", err)
		return 3
	}
	if err := revisions.Write(stdout, names[0], names[1], verdicts, o.all); err != nil {
		fmt.Fprintf(stderr, "revisions: %v\n", err)
		return 3
	}
	if slices.ContainsFunc(verdicts, revisions.Verdict.Worse) {
		return 1
	}
	return 0
}

func measure(ctx context.Context, o options, progress io.Writer) (_ []revisions.Verdict, names [2]string, err error) {
	repository, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, names, err
	}
	temp, err := os.MkdirTemp("", "cytisus-revisions-")
	if err != nil {
		return nil, names, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	var trees [2]*revisions.Tree
	samples := [2]revisions.Samples{{}, {}}
	for i, revision := range []string{o.base, o.head} {
		below := filepath.Join(temp, fmt.Sprint(i))
		if trees[i], err = revisions.Checkout(ctx, repository, revision, below); err != nil {
			return nil, names, err
		}
		names[i] = trees[i].Name
		defer func() { err = errors.Join(err, trees[i].Remove(context.WithoutCancel(ctx), repository)) }()
	}
	var lists [2][]string
	for i, t := range trees {
		if lists[i], err = t.Packages(ctx, o.packages); err != nil {
			return nil, names, err
		}
	}
	var both []string
	for _, pkg := range lists[0] {
		if slices.Contains(lists[1], pkg) {
			both = append(both, pkg)
		}
	}
	if len(both) == 0 {
		return nil, names, errors.New("no package of both revisions has benchmarks")
	}
	for i, pkg := range both {
		fmt.Fprintf(progress, "build %d of %d: %s\n", i+1, len(both), pkg)
		for _, t := range trees {
			if err := t.Build(ctx, pkg); err != nil {
				return nil, names, err
			}
		}
	}
	for turn := range o.count {
		fmt.Fprintf(progress, "turn %d of %d\n", turn+1, o.count)
		for _, pkg := range both {
			for k := range trees {
				i := (turn + k) % len(trees)
				if err := trees[i].Run(ctx, pkg, o.bench, o.benchtime, samples[i]); err != nil {
					return nil, names, err
				}
			}
		}
	}
	verdicts := revisions.Judge(samples[0], samples[1], o.limits)
	if need := revisions.Enough(max(len(verdicts), 1), o.limits.Alpha); need > o.count {
		fmt.Fprintf(progress, "note: with %d rows %d turns are needed for one row to be found different; there were %d\n", len(verdicts), need, o.count)
	}
	return verdicts, names, nil
}
