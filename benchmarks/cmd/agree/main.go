// Agree holds cytisus against gopls.
//
//	agree markers [-kind REGEXP] [-file REGEXP] [-v] [-json] [-parallel 2] [-peer] [-dir DIR]
//	agree places [-n 200] [-seed 1] [-ground REGEXP] [-kind REGEXP] [-v] [-all] [-doc FILE]
//
// Markers judges the expectations that gopls states about itself; see package markers. Places asks
// both servers about real code; see package agree. The table goes to standard output, and with -v
// what failed or differs before it. It exits with 1 if something could not be asked, and with 2 if
// it is called wrongly; checks that fail, and differences, are figures of the table.
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
	"syscall"

	"github.com/cytisus/cytisus/benchmarks/agree"
	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
	"github.com/cytisus/cytisus/benchmarks/markers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errUsage is in the error of a command that is called wrongly.
var errUsage = errors.New("usage")

// run is main with everything that it touches as an argument. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := fmt.Errorf("%w: agree markers|places [flags]", errUsage)
	switch {
	case len(args) > 0 && args[0] == "markers":
		err = judge(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "places":
		err = ask(ctx, args[1:], stdout, stderr)
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
// The directory is removed with env.Dir.
func workplace(ctx context.Context, below string, stderr io.Writer) (env *compare.Env, command string, err error) {
	env = &compare.Env{Logf: func(format string, args ...any) {
		fmt.Fprintf(stderr, "# "+format+"\n", args...)
	}}
	if env.Dir, err = os.MkdirTemp(below, "cytisus-agree-"); err != nil {
		return nil, "", err
	}
	if command, err = ground.Command(ctx, env); err != nil {
		err = errors.Join(err, os.RemoveAll(env.Dir))
	}
	return env, command, err
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
	env, command, err := workplace(ctx, *below, stderr)
	if err != nil {
		return err
	}
	defer os.RemoveAll(env.Dir)
	report, err := markers.Run(ctx, markers.Options{
		Kind: *kind, File: file, Workers: *workers, Peer: *peer, Command: command, Dir: env.Dir,
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

func ask(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("agree places", flag.ContinueOnError)
	set.SetOutput(stderr)
	on := pattern(set, "ground", "only grounds whose whole name matches this `regexp`")
	kind := pattern(set, "kind", "only kinds whose whole name matches this `regexp`")
	places := set.Int("n", 200, "places in each ground")
	seed := set.Uint64("seed", 1, "seed of places")
	verbose := set.Bool("v", false, "show the differences that have no explanation")
	all := set.Bool("all", false, "show the differences that have one, too")
	document := set.String("doc", "", "write a document with the table to this `file`")
	below := set.String("dir", "", "where to make files (default: the system's temporary directory)")
	if err := set.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if set.NArg() > 0 || *places < 1 {
		return fmt.Errorf("%w: unexpected argument %q, or no places", errUsage, set.Args())
	}
	env, command, err := workplace(ctx, *below, stderr)
	if err != nil {
		return err
	}
	defer os.RemoveAll(env.Dir)
	env.Seed = *seed
	env.Logf("seed        %d", *seed)
	report, err := agree.Run(ctx, agree.Options{
		Ground: *on, Kind: *kind, Places: *places, Seed: *seed, Command: command, Env: env,
	})
	if report == nil {
		return err
	}
	if *verbose || *all {
		report.WriteDifferences(stdout, *all)
	}
	if *document != "" {
		f, ferr := os.Create(*document)
		if ferr != nil {
			return errors.Join(err, ferr)
		}
		err = errors.Join(err, report.WriteDocument(f), f.Close())
	}
	return errors.Join(err, report.WriteTable(stdout))
}
