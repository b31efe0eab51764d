// Compare runs one suite and prints a table of ours beside each peer; see package compare for what
// it means.
//
//	compare -suite ring [-rounds 7] [-n SIZE] [-quick] [-case REGEXP] [-peer REGEXP] [-seed 1] [-dir DIR]
//
// The table goes to standard output, everything else to standard error. It exits with 1 if an
// entrant fails or gives a wrong answer, and with 2 if it is called wrongly.
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
	"runtime/pprof"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/suites"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with everything that it touches as an argument. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("suite", "", "the suite to run")
	rounds := flags.Int("rounds", 0, "rounds per case (default 7, with -quick 1)")
	size := flags.Int("n", 0, "size: items, records or keys (default: the suite's, small enough for about a minute)")
	quick := flags.Bool("quick", false, "run for seconds, to see that everything works")
	cases := flags.String("case", "", "only cases that match this regular expression")
	peers := flags.String("peer", "", "only peers that match this regular expression")
	seed := flags.Uint64("seed", 1, "seed of keys, values and orders")
	dir := flags.String("dir", "", "where to make files (default: the system's temporary directory)")
	limit := flags.Duration("limit", 0, "longest time for the start or one round of one entrant (default: the suite's, mostly 2m)")
	profile := flags.String("cpuprofile", "", "write a CPU profile of the whole run to this file; with -peer '^$' it is of ours alone")
	format := flags.String("format", "table", "what is printed: table (medians), or bench (each round, as benchstat reads it)")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: compare -suite NAME [flags]")
		flags.PrintDefaults()
		list(stderr)
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "compare: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	suite, ok := suites.Find(*name)
	if !ok {
		fmt.Fprintf(stderr, "compare: no suite %q\n", *name)
		list(stderr)
		return 2
	}
	if *format != "table" && *format != "bench" {
		fmt.Fprintf(stderr, "compare: no format %q\n", *format)
		return 2
	}
	if *rounds < 0 || *size < 0 {
		fmt.Fprintln(stderr, "compare: -rounds and -n must not be negative")
		return 2
	}
	if *rounds == 0 {
		*rounds = 7
		if *quick {
			*rounds = 1
		}
	}
	plan := compare.Plan{Rounds: *rounds, RoundMax: *limit, Stuck: stuck(stderr)}
	for _, re := range []struct {
		flag, text string
		to         **regexp.Regexp
	}{{"-case", *cases, &plan.Case}, {"-peer", *peers, &plan.Peer}} {
		if re.text == "" {
			continue
		}
		compiled, err := regexp.Compile(re.text)
		if err != nil {
			fmt.Fprintf(stderr, "compare: %s: %v\n", re.flag, err)
			return 2
		}
		*re.to = compiled
	}
	scratch, err := os.MkdirTemp(*dir, "cytisus-compare-")
	if err != nil {
		fmt.Fprintf(stderr, "compare: %v\n", err)
		return 1
	}
	defer os.RemoveAll(scratch)
	env := &compare.Env{
		N: *size, Quick: *quick, Seed: *seed, Dir: scratch,
		Logf: func(format string, args ...any) { fmt.Fprintf(stderr, "# "+format+"\n", args...) },
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintf(stderr, "compare: %v\n", err)
			return 1
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintf(stderr, "compare: %v\n", err)
			return 1
		}
		defer pprof.StopCPUProfile()
	}
	if err := measure(ctx, suite, env, plan, *format, stdout); err != nil {
		fmt.Fprintf(stderr, "compare: %v\n", err)
		return 1
	}
	return 0
}

func measure(ctx context.Context, suite compare.Suite, env *compare.Env, plan compare.Plan, format string, stdout io.Writer) error {
	for _, line := range compare.Machine() {
		env.Logf("%s", line)
	}
	env.Logf("rounds      %d, alternating; figures are medians, with (least-most) here", plan.Rounds)
	began := time.Now()
	emit := func(rows []compare.Row) error { return compare.WriteRows(stdout, rows) }
	begin := func() error { _, err := fmt.Fprintln(stdout, compare.Header); return err }
	if format == "bench" {
		begin = func() error { return compare.WriteBenchHeader(stdout, suite.Name) }
		emit = func([]compare.Row) error { return nil }
		plan.Each = func(s compare.Samples) error { return compare.WriteBench(stdout, s) }
	}
	if err := begin(); err != nil {
		return err
	}
	err := compare.Run(ctx, suite, env, plan, emit)
	env.Logf("done        %.0f s", time.Since(began).Seconds())
	env.Logf("%s", compare.Load())
	return err
}

func list(w io.Writer) {
	fmt.Fprintln(w, "suites:")
	for _, make := range suites.All {
		s := make()
		fmt.Fprintf(w, "  %-8s %s\n", s.Name, s.Doc)
	}
}

// stuck ends the process: a goroutine that never comes back cannot be stopped in any other way.
func stuck(w io.Writer) func(string) {
	return func(what string) {
		fmt.Fprintf(w, "compare: %s does not end (-limit); goroutines:\n", what)
		_ = pprof.Lookup("goroutine").WriteTo(w, 1)
		os.Exit(1)
	}
}
