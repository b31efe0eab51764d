package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

func (a *app) indexCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "index [DIR]",
		Short: "Read a module and keep what was learned",
		Long: `index brings the store up to date with the module around DIR (default: the current directory): it looks at every file,
reads those that changed, and computes again what they affect. Interrupted, it resumes where it was. What kept the index from being whole
(no go command, a directory that may not be read) is named, and the exit code is then 1.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			q, err := a.openAsker(cmd.Context(), dirArg(args), "index")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, q.close()) }()
			r, err := a.index(cmd.Context(), q)
			if err != nil {
				return err
			}
			if a.flags.json {
				err = a.printJSON(r)
			} else {
				r.print(a)
				if r.Packages == 0 && len(r.Missing) == 0 {
					fmt.Fprintf(a.err, "There is no Go package in %s or below it.\n", r.Root)
				}
			}
			return errors.Join(err, a.missing(r.Missing))
		},
	}
}

func dirArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// missing names what kept an index from being whole; that there is something is bad news.
func (a *app) missing(list []string) error {
	if len(list) == 0 {
		return nil
	}
	for _, m := range list {
		fmt.Fprintf(a.err, "not in the index: %s\n", m)
	}
	return errBadNews
}

// An indexReport is what index prints.
type indexReport struct {
	Root        string `json:"root"`
	Store       string `json:"store,omitempty"`
	Files       int    `json:"files"`
	FilesRead   int    `json:"filesRead"`
	Packages    int    `json:"packages"`
	Symbols     int    `json:"symbols"`
	References  int    `json:"references"`
	Diagnostics int    `json:"diagnostics"`

	Missing     []string `json:"missing,omitempty"` // what kept the index from being whole
	Records     int64    `json:"records"`
	StoredBytes int64    `json:"storedBytes"`
	Computed    uint64   `json:"computed"`
	Reused      uint64   `json:"reused"`
	ReusedShare float64  `json:"reusedShare"`
	WallSeconds float64  `json:"wallSeconds"`
	wall        time.Duration
}

// index runs one whole index with progress.
func (a *app) index(ctx context.Context, q asker) (*indexReport, error) {
	m, err := a.newMeter()
	if err != nil {
		return nil, err
	}
	defer m.done()
	return q.index(ctx, m)
}

func (l *local) index(ctx context.Context, m meter) (*indexReport, error) {
	started := time.Now()
	sum, err := l.ws.Index(ctx, m.update)
	if err != nil {
		return nil, fmt.Errorf("indexing %s: %w", l.ws.Root(), err)
	}
	if err := l.eng.Checkpoint(ctx); err != nil {
		return nil, fmt.Errorf("writing the index of %s: %w", l.ws.Root(), err)
	}
	if err := l.eng.Tidy(ctx); err != nil {
		return nil, fmt.Errorf("collecting what earlier runs left of the index of %s: %w", l.ws.Root(), err)
	}
	return newIndexReport(l.ws.Root(), l.store, sum, l.eng.Stats(), time.Since(started)), nil
}

func (r *remote) index(ctx context.Context, m meter) (*indexReport, error) {
	started := time.Now()
	var results []server.ReindexResult
	params := server.ReindexParams{Tidy: true, WorkDoneToken: server.ProgressToken}
	if err := r.callPlain(ctx, server.MethodReindex, params, &results); err != nil {
		return nil, fmt.Errorf("indexing %s: %w", r.dir, err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("indexing %s: the process that holds the store does not open it", r.dir)
	}
	st, err := r.stats(ctx)
	if err != nil {
		return nil, err
	}
	return newIndexReport(results[0].Root, r.store, results[0].Summary, st, time.Since(started)), nil
}

func newIndexReport(root, store string, sum lsp.Summary, st runtime.Stats, wall time.Duration) *indexReport {
	r := &indexReport{
		Root: root, Store: store, Files: sum.Files, FilesRead: sum.FilesRead, Packages: sum.Units, Symbols: sum.Symbols,
		References: sum.References, Diagnostics: sum.Diagnostics, Missing: sum.Missing, Records: int64(st.Store.Records), StoredBytes: st.Store.StoredBytes,
		Computed: sum.Ran, WallSeconds: wall.Seconds(), wall: wall,
	}
	// Of the answers that were needed, each counted once: one that many asked for is one.
	if needed := uint64(st.MemoEntries); needed > r.Computed {
		r.Reused = needed - r.Computed
	}
	if all := r.Computed + r.Reused; all > 0 {
		r.ReusedShare = float64(r.Reused) / float64(all)
	}
	return r
}

func (r *indexReport) print(a *app) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(a.out, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(a.out, "%s\n", r.Root)
	row("files", "%s in packages; %s looked into, all others as they were", grouped(r.Files), grouped(r.FilesRead))
	row("packages", "%s", grouped(r.Packages))
	row("symbols", "%s", grouped(r.Symbols))
	row("references", "%s", grouped(r.References))
	row("diagnostics", "%s", grouped(r.Diagnostics))
	row("records", "%s in %s", grouped(r.Records), bytesText(r.StoredBytes))
	row("reused", "%.1f %% of %s answers, %s computed", 100*r.ReusedShare, grouped(r.Computed+r.Reused), grouped(r.Computed))
	row("time", "%s", r.wall.Round(time.Millisecond))
	if r.Store != "" {
		row("store", "%s", r.Store)
	}
}
