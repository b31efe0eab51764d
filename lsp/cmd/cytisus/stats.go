package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/latency"
)

func (a *app) statsCommand() *cobra.Command {
	var memory bool
	cmd := &cobra.Command{
		Use:   "stats [DIR]",
		Short: "Print where the store is and what is in it",
		Long: `stats prints where the store around DIR (default: the current directory) is, and counters of the process that has it open; without one, of
what opening it took. With --memory it prints who holds the memory of that process, and how much of it is nobody's.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			root, _, err := a.storeOf(dirArg(args))
			if err != nil {
				return err
			}
			in, store, err := a.openInspector(cmd.Context(), dirArg(args), "stats")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, in.close()) }()
			if memory {
				m, err := in.memory(cmd.Context())
				if err != nil {
					return err
				}
				return a.printMemory(root, m)
			}
			st, err := in.stats(cmd.Context())
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.printJSON(struct {
					Root  string        `json:"root"`
					Store string        `json:"store"`
					Stats runtime.Stats `json:"stats"`
				}{root, store, st})
			}
			row := func(name, value string) { fmt.Fprintf(a.out, "  %-12s %s\n", name, value) }
			fmt.Fprintln(a.out, root)
			row("store", store)
			row("generation", grouped(st.Generation))
			row("records", grouped(int64(st.Store.Records)))
			row("live", bytesText(st.Store.LiveBytes))
			row("on disk", bytesText(st.Store.StoredBytes))
			if st.LostCommits > 0 {
				row("lost", grouped(st.LostCommits)+" commits: the log was damaged; cytisus index reads again what they held")
			}
			for _, name := range slices.Sorted(maps.Keys(st.Queries)) {
				q := st.Queries[name]
				row(name, fmt.Sprintf("ran %d, validated %d by %d reads, reused %d, audited %d%s", q.Ran, q.Validated, q.Looked, q.Reused, q.Audited, costText(q)))
			}
			for _, l := range st.Latencies {
				row(l.Lane.String(), latencyText(l))
			}
			a.printImpure(st.Impure)
			return nil
		},
	}
	// The flag of this name that all commands have says that there is no store to ask about.
	cmd.Flags().BoolVar(&memory, "memory", false, "print who holds the memory of the process that has the store open")
	return cmd
}

// latencyText says how long the work of a lane took.
func latencyText(l latency.OfLane) string {
	var parts []string
	for _, phase := range []struct {
		name string
		of   latency.Spread
	}{{"queued", l.Queued}, {"ran", l.Ran}, {"waited", l.Waited}, {"commit", l.Committed}} {
		if phase.of.Count > 0 {
			parts = append(parts, fmt.Sprintf("%s < %v, 99 %% < %v", phase.name, phase.of.Half, phase.of.Most))
		}
	}
	return strings.Join(parts, "; ")
}

// costText says what is measured of a query, and what follows from it.
func costText(q runtime.QueryStats) (text string) {
	if q.RunTime > 0 {
		text += fmt.Sprintf(", a run takes %v", q.RunTime+q.BelowTime)
	}
	if q.LoadTime > 0 {
		text += fmt.Sprintf(", loading %v", q.LoadTime)
	}
	if q.Unstored > 0 {
		text += fmt.Sprintf(", %d results not stored", q.Unstored)
		if q.Cheap {
			text += " (computing is quicker)"
		}
	}
	return text
}

// printImpure prints what audits have found.
func (a *app) printImpure(found []runtime.Impurity) {
	for _, f := range found {
		fmt.Fprintf(a.out, "  not pure: %s(%s): computed again, it gave another result; %s\n", f.Query, f.Key, f.Cause)
		if f.Read != "" {
			fmt.Fprintf(a.out, "    reads %s\n", f.Read)
		}
		fmt.Fprintf(a.out, "    kept  %s\n    now   %s\n", f.Kept, f.Now)
	}
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Read the whole store back and check every hash; exit 1 on damage, or if answers were found wrong",
		Long: `verify reads every record of the store around DIR (default: the current directory) and checks that its content has the hash it is
known by, and that the index names exactly the records that are there. Damage costs recomputation, never a wrong answer: run index
to mend it. While another process holds the store, verify also says which answers that process has computed again and found to differ:
those of a query that depends on something it does not read.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			_, dir, err := a.storeOf(dirArg(args))
			if err != nil {
				return err
			}
			if dir == "" {
				return &usageError{errors.New("verify needs a store: --memory keeps none")}
			}
			st, r, err := a.openRecords(cmd.Context(), dir, "verify", mmapcas.Options{ReadOnly: true})
			if err != nil {
				return err
			}
			var (
				rep    mmapcas.VerifyReport
				impure []runtime.Impurity
			)
			if r != nil {
				defer func() { err = errors.Join(err, r.close()) }()
				err = r.callPlain(cmd.Context(), server.MethodVerify, nil, &rep)
				if err == nil {
					var st runtime.Stats
					st, err = r.stats(cmd.Context())
					impure = st.Impure
				}
			} else {
				defer func() { err = errors.Join(err, st.Close()) }()
				rep, err = st.Verify(cmd.Context(), nil)
			}
			if err != nil {
				return err
			}
			if a.flags.json {
				err := a.printJSON(struct {
					mmapcas.VerifyReport
					Impure []runtime.Impurity `json:"impure,omitempty"`
				}{rep, impure})
				if err != nil {
					return err
				}
			} else {
				fmt.Fprintf(a.out, "%s\n  %s records, %s read back and checked\n", dir, grouped(int64(rep.Records)), bytesText(rep.Bytes))
				for _, d := range rep.Damaged {
					fmt.Fprintf(a.out, "  damage: %v\n", d)
				}
				if more := rep.DamagedAll - int64(len(rep.Damaged)); more > 0 {
					fmt.Fprintf(a.out, "  and %d more damaged places\n", more)
				}
				if rep.Dangling > 0 {
					fmt.Fprintf(a.out, "  damage: %d entries of the index lead to no record\n", rep.Dangling)
				}
			}
			if !a.flags.json {
				a.printImpure(impure)
			}
			if rep.DamagedAll > 0 || rep.Dangling > 0 || len(impure) > 0 {
				return errBadNews
			}
			if !a.flags.json {
				fmt.Fprintln(a.out, "  every hash is right")
			}
			return nil
		},
	}
}
