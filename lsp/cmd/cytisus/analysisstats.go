package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// An analysisReport is what analysis-stats prints. Times of the index are those of processes of
// its own, from start to end.
type analysisReport struct {
	Root      string          `json:"root"`
	Cold      indexRun        `json:"cold"` // from nothing
	Warm      indexRun        `json:"warm"` // again, with nothing changed
	Seed      uint64          `json:"seed"`
	Questions []questionTimes `json:"questions"`
}

// An indexRun is one process that has indexed.
type indexRun struct {
	WallSeconds float64 `json:"wallSeconds"`
	CPUSeconds  float64 `json:"cpuSeconds"`
	PeakBytes   int64   `json:"peakBytes,omitempty"` // in memory; 0 where the system does not say
	indexReport
}

// questionTimes are how long questions of one kind took, in a process that has just opened the
// store, the first of them included.
type questionTimes struct {
	Kind        string  `json:"kind"`
	Count       int     `json:"count"`
	HalfSeconds float64 `json:"halfSeconds"` // half of them took no longer
	MostSeconds float64 `json:"mostSeconds"` // 99 of 100 took no longer
	MaxSeconds  float64 `json:"maxSeconds"`
	Unanswered  int     `json:"unanswered,omitempty"` // such as implementations of what has none
}

func (a *app) analysisStatsCommand() *cobra.Command {
	var (
		questions int
		seed      uint64
	)
	cmd := &cobra.Command{
		Use:   "analysis-stats [DIR]",
		Short: "Measure an index of a module from nothing and again, and questions about it",
		Long: `analysis-stats indexes the module around DIR (default: the current directory) from nothing, into a store of its own that it removes, and once
more with nothing changed; each in a process of its own. Then it asks about random declarations, and prints what all that took. It measures this
machine as it is: what else runs shows.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if questions < 1 {
				return &usageError{errors.New("--questions must be at least 1")}
			}
			if a.flags.memory || a.flags.store != "" {
				return &usageError{errors.New("analysis-stats has a store of its own")}
			}
			if seed == 0 {
				seed = rand.Uint64()
			}
			r, err := a.analysisStats(cmd.Context(), dirArg(args), questions, seed)
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.printJSON(r)
			}
			r.print(a)
			return nil
		},
	}
	cmd.Flags().IntVar(&questions, "questions", 200, "questions of each kind")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "which declarations to ask about (default: others each time)")
	return cmd
}

func (a *app) analysisStats(ctx context.Context, from string, questions int, seed uint64) (r *analysisReport, err error) {
	root, _, err := a.storeOf(from)
	if err != nil {
		return nil, err
	}
	store, err := os.MkdirTemp("", "cytisus-analysis-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(store)) }()
	r = &analysisReport{Root: root, Seed: seed}
	for _, run := range []*indexRun{&r.Cold, &r.Warm} {
		if err := a.indexApart(ctx, root, store, run); err != nil {
			return nil, err
		}
	}
	l, err := a.openEngine(root, store, "analysis-stats")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.openWorkspace(ctx, a); err != nil {
		return nil, err
	}
	if err := l.refresh(ctx); err != nil {
		return nil, err
	}
	r.Questions, err = askAtRandom(ctx, l, questions, rand.New(rand.NewPCG(seed, 1)))
	return r, err
}

// indexApart indexes in a process of its own.
func (a *app) indexApart(ctx context.Context, root, store string, run *indexRun) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{
		"index", "--json", "--progress", "none", "--root", root, "--store", store, "--tests=" + strconv.FormatBool(a.flags.tests),
		"--memory-limit", strconv.FormatInt(int64(a.flags.memMax.byteSize), 10),
	}
	if len(a.flags.tags) > 0 {
		args = append(args, "--tags", strings.Join(a.flags.tags, ","))
	}
	cmd := exec.CommandContext(ctx, self, append(args, root)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err = cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Bad news, such as a directory that cannot be read, is no reason not to measure.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != exitBadNews) {
		return fmt.Errorf("indexing %s: %w: %s", root, err, strings.TrimSpace(errs.String()))
	}
	run.WallSeconds = time.Since(began).Seconds()
	run.CPUSeconds = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	run.PeakBytes = peakOf(cmd.ProcessState)
	wall := run.WallSeconds
	if err := json.Unmarshal(out.Bytes(), &run.indexReport); err != nil {
		return fmt.Errorf("reading what index says of %s: %w", root, err)
	}
	run.indexReport.WallSeconds = wall
	return nil
}

// askAtRandom asks about declarations whose names hold two random letters.
func askAtRandom(ctx context.Context, l *local, questions int, rng *rand.Rand) ([]questionTimes, error) {
	kinds := []string{"symbols", "outline", "hover", "definition", "references", "implementation"}
	took := map[string][]time.Duration{}
	unanswered := map[string]int{}
	timed := func(kind string, ask func() error) error {
		began := time.Now()
		err := ask()
		took[kind] = append(took[kind], time.Since(began))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			unanswered[kind]++
		}
		return nil
	}
	for fruitless := 0; len(took["hover"]) < questions; {
		letters := string([]byte{byte('a' + rng.IntN(26)), byte('a' + rng.IntN(26))})
		var list []foundSymbol
		err := timed("symbols", func() (err error) { list, err = l.symbols(ctx, letters, 50); return err })
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			if fruitless++; fruitless > 1000 {
				break // there are hardly any declarations
			}
			continue
		}
		s := list[rng.IntN(len(list))].Place
		at := place{file: s.File, line: s.Line, column: s.Column}
		err = errors.Join(
			timed("outline", func() error { _, err := l.outline(ctx, at.file); return err }),
			timed("hover", func() error { _, err := l.hover(ctx, at); return err }),
			timed("definition", func() error { _, err := l.definition(ctx, at); return err }),
			timed("references", func() error { _, err := l.references(ctx, at, false); return err }),
			timed("implementation", func() error { _, err := l.implementation(ctx, at); return err }),
		)
		if err != nil {
			return nil, err
		}
	}
	var all []questionTimes
	for _, kind := range kinds {
		times := slices.Sorted(slices.Values(took[kind]))
		if len(times) == 0 {
			continue
		}
		at := func(q float64) float64 { return times[min(int(q*float64(len(times))), len(times)-1)].Seconds() }
		all = append(all, questionTimes{kind, len(times), at(0.5), at(0.99), times[len(times)-1].Seconds(), unanswered[kind]})
	}
	return all, nil
}

func (r *analysisReport) print(a *app) {
	seconds := func(s float64) string { // with three digits or four
		d, unit := time.Duration(s*float64(time.Second)), time.Microsecond
		for _, larger := range []time.Duration{time.Millisecond, time.Second} {
			if d >= larger {
				unit = larger
			}
		}
		return d.Round(unit / 100).String()
	}
	row := func(name, format string, values ...any) {
		fmt.Fprintf(a.out, "  %-14s %s\n", name, fmt.Sprintf(format, values...))
	}
	fmt.Fprintln(a.out, r.Root)
	row("files", "%s in %s packages", grouped(int64(r.Cold.Files)), grouped(int64(r.Cold.Packages)))
	row("symbols", "%s, %s references, %s diagnostics", grouped(int64(r.Cold.Symbols)), grouped(int64(r.Cold.References)), grouped(int64(r.Cold.Diagnostics)))
	row("store", "%s in %s records", bytesText(r.Cold.StoredBytes), grouped(r.Cold.Records))
	for _, run := range []struct {
		name string
		*indexRun
	}{{"index, cold", &r.Cold}, {"index, warm", &r.Warm}} {
		memory := ""
		if run.PeakBytes > 0 {
			memory = fmt.Sprintf(", %s in memory at most", bytesText(run.PeakBytes))
		}
		row(run.name, "%s, %s of processors%s", seconds(run.WallSeconds), seconds(run.CPUSeconds), memory)
	}
	fmt.Fprintf(a.out, "\n  %-14s %8s %10s %10s %10s   seed %d\n", "questions", "number", "half in", "99 % in", "longest", r.Seed)
	for _, q := range r.Questions {
		note := ""
		if q.Unanswered > 0 {
			note = fmt.Sprintf("   %d have none", q.Unanswered)
		}
		fmt.Fprintf(a.out, "  %-14s %8d %10s %10s %10s%s\n", q.Kind, q.Count, seconds(q.HalfSeconds), seconds(q.MostSeconds), seconds(q.MaxSeconds), note)
	}
}
