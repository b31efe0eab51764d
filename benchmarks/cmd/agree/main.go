// Agree holds cytisus against gopls.
//
//	agree markers [-kind REGEXP] [-file REGEXP] [-v] [-json] [-parallel 2] [-peer] [-dir DIR]
//
// Markers judges the expectations that gopls states about itself; see package markers. The table
// goes to standard output, and with -v what failed before it. It exits with 1 if archives could not
// be judged, and with 2 if it is called wrongly; checks that fail are figures of the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
	"github.com/cytisus/cytisus/benchmarks/markers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errUsage is in the error of a command that is called wrongly.
var errUsage = errors.New("usage")

// run is main with everything that it touches as an argument. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := fmt.Errorf("%w: agree markers [flags]", errUsage)
	if len(args) > 0 && args[0] == "markers" {
		err = judge(ctx, args[1:], stdout, stderr)
	}
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "agree: %v\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "agree: %v\n", err)
	return 1
}

// pattern is a flag that is a regular expression.
func pattern(set *flag.FlagSet, name, usage string) **regexp.Regexp {
	p := new(*regexp.Regexp)
	set.Func(name, usage, func(text string) (err error) {
		*p, err = regexp.Compile("^(?:" + text + ")$")
		return err
	})
	return p
}

// workplace makes a directory for a run, and builds the command in it.
func workplace(ctx context.Context, below string, stderr io.Writer) (dir, command string, err error) {
	if dir, err = os.MkdirTemp(below, "cytisus-agree-"); err != nil {
		return "", "", err
	}
	env := &compare.Env{Dir: dir, Logf: func(format string, args ...any) {
		fmt.Fprintf(stderr, "# "+format+"\n", args...)
	}}
	command, err = ground.Command(ctx, env)
	return dir, command, err
}

func judge(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("agree markers", flag.ContinueOnError)
	set.SetOutput(stderr)
	kind := pattern(set, "kind", "only checks whose whole kind matches this `regexp`")
	var file *regexp.Regexp
	set.Func("file", "only archives whose name has a match of this `regexp`", func(text string) (err error) {
		file, err = regexp.Compile(text)
		return err
	})
	verbose := set.Bool("v", false, "show what failed, and why")
	asJSON := set.Bool("json", false, "write every verdict as JSON instead of the table")
	workers := set.Int("parallel", 2, "archives at a time")
	peer := set.Bool("peer", false, "judge gopls itself, to see where the judges are wrong")
	below := set.String("dir", "", "where to make files (default: the system's temporary directory)")
	if err := set.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if set.NArg() > 0 || *workers < 1 {
		return fmt.Errorf("%w: unexpected argument %q, or no workers", errUsage, set.Args())
	}
	dir, command, err := workplace(ctx, *below, stderr)
	defer os.RemoveAll(dir)
	if err != nil {
		return err
	}
	report, err := markers.Run(ctx, markers.Options{
		Kind: *kind, File: file, Workers: *workers, Peer: *peer, Command: command, Dir: dir,
	})
	if err != nil {
		return err
	}
	if *asJSON {
		err = report.WriteJSON(stdout)
	} else {
		if *verbose {
			report.WriteFailures(stdout)
		}
		err = report.WriteTable(stdout)
	}
	if err == nil && len(report.Failed) > 0 {
		err = fmt.Errorf("%d archives could not be judged", len(report.Failed))
	}
	return err
}
