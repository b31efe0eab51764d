// Grid runs the grid of package grid and prints one line for each cell, tab-separated.
//
//	grid [-n 100000000] [-chunks 1,2,128,2048,10000] [-asks 2000] [-distinct 1048576]
//	     [-bulk 100000] [-dir DIR] [-baseline=true] [-face [-limit MiB]]
//
// Each cell runs in a process of its own, so that memory is its own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/grid"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "grid:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("grid", flag.ContinueOnError)
	flags.SetOutput(stderr)
	records := flags.Int("n", 100_000_000, "records")
	chunks := flags.String("chunks", "1,2,128,2048,10000", "numbers of chunks")
	asks := flags.Int("asks", 2000, "how often a question is asked")
	distinct := flags.Int("distinct", 1<<20, "different records, at most")
	bulk := flags.Int("bulk", 100_000, "commit chunks of so many records and more as bulks")
	dir := flags.String("dir", "", "where to make stores (default: the system's temporary directory)")
	face := flags.Bool("face", false, "go through the engine's face instead, with a limit on memory")
	limit := flags.Int64("limit", 0, "of -face, in MiB; 0: none")
	baseline := flags.Bool("baseline", true, "measure the baseline, too")
	cell := flags.String("cell", "", "measure one cell in this process and print it as JSON: ours, face or baseline")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c := grid.Config{Records: *records, Distinct: max(1, min(*distinct, *records)), Asks: *asks, BulkFrom: *bulk, MemoryLimit: *limit << 20}
	if *cell != "" {
		var err error
		if c.Chunks, err = strconv.Atoi(*chunks); err != nil {
			return err
		}
		return one(ctx, *cell, c, *dir, stdout)
	}
	for _, line := range compare.Machine() {
		fmt.Fprintln(stderr, "#", line)
	}
	questions := []string{"first get", "get", "prefix", "range"}
	if *face {
		questions = []string{"first get", "second get", "third get"}
	}
	fmt.Fprint(stdout, "records\tchunks\twho\tload s")
	for _, q := range questions {
		fmt.Fprintf(stdout, "\t%s p50 ns\tp99", q)
	}
	fmt.Fprintln(stdout, "\theap MiB\tpeak heap\tpeak RSS\tdisk\treopen ms")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for n := range strings.SplitSeq(*chunks, ",") {
		cells := []string{"ours"}
		switch {
		case *face:
			cells = []string{"face"}
		case *baseline:
			cells = append(cells, "baseline")
		}
		for _, who := range cells {
			cmd := exec.CommandContext(ctx, self, "-cell", who, "-chunks", n, "-n", strconv.Itoa(c.Records), "-asks", strconv.Itoa(c.Asks),
				"-distinct", strconv.Itoa(c.Distinct), "-bulk", strconv.Itoa(c.BulkFrom), "-dir", *dir, "-limit", strconv.FormatInt(*limit, 10))
			cmd.Stderr = stderr
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%s with %s chunks: %w", who, n, err)
			}
			var list []grid.Result
			if err := json.Unmarshal(out, &list); err != nil {
				return err
			}
			for _, r := range list {
				fmt.Fprintf(stdout, "%d\t%d\t%s\t%.1f", r.Records, r.Chunks, r.Who, r.Load)
				for _, t := range r.Times {
					fmt.Fprintf(stdout, "\t%.0f\t%.0f", t.P50, t.P99)
				}
				fmt.Fprintf(stdout, "\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\n", r.HeapMiB, r.PeakMiB, r.RSSMiB, r.DiskMiB, r.ReopenMS)
			}
		}
	}
	fmt.Fprintln(stderr, "#", compare.Load())
	return nil
}

func one(ctx context.Context, who string, c grid.Config, dir string, stdout io.Writer) (err error) {
	var list []grid.Result
	switch who {
	case "ours", "face":
		if c.Dir, err = os.MkdirTemp(dir, "cytisus-grid-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
		var r grid.Result
		if who == "face" {
			r, err = grid.Face(ctx, c)
		} else {
			r, err = grid.Ours(ctx, c)
		}
		list = append(list, r)
	case "baseline":
		list, err = grid.Baseline(c)
	default:
		return fmt.Errorf("no cell %q", who)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(list)
}
