package golang

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// unit is what is worked out as a whole.
const unit = "packages"

// windowOfChecks is how many packages are submitted at a time: enough to keep every worker busy,
// few enough that a cancelled index leaves little behind.
const windowOfChecks = 256

// damagedMax bounds how often an index begins again because the text of a file turned out to be
// damaged in the store.
const damagedMax = 64

// Index implements lsp.Workspace. What is damaged in the store is given up; the next look at the
// disk brings it in again.
func (w *workspace) Index(ctx context.Context, progress func(lsp.Progress)) (lsp.Summary, error) {
	ctx, end := w.while(ctx)
	defer end()
	first, err := w.beginFirst()
	if err != nil {
		return lsp.Summary{}, err
	}
	defer first.end()
	for again := 0; ; again++ {
		sum, err := w.indexOnce(ctx, progress)
		if again == damagedMax || !errors.Is(err, runtime.ErrDamaged) {
			return sum, err
		}
		if err := w.giveUpLost(ctx, err); err != nil {
			return sum, err
		}
	}
}

func (w *workspace) indexOnce(ctx context.Context, progress func(lsp.Progress)) (lsp.Summary, error) {
	begin := time.Now()
	var sum lsp.Summary
	report := serialise(progress)
	if err := w.takeTurn(ctx); err != nil {
		return sum, err
	}
	ranBefore, reusedBefore := w.counts()
	prepared, err := w.prepareAll(ctx, report)
	w.giveTurn()
	if err != nil {
		return sum, err
	}
	var all []*metadata.Build
	for i := range prepared {
		p := &prepared[i]
		read, err := w.lookBehind(ctx, p.behind, func(done, total int) {
			report(lsp.Progress{Phase: "read", FilesDone: done, FilesTotal: total})
		})
		if err != nil {
			return sum, err
		}
		sum.FilesRead += p.read + read
		all = append(all, p.meta)
	}
	if sum.Missing, err = w.missing(prepared); err != nil {
		return sum, err
	}
	uris, _ := workspaceFiles(false, all...)
	_, err = runtime.Evaluate(ctx, w.eng, laneOfIndex, func(t *runtime.Task) (bool, error) {
		return w.lookAtEmbeds(t, uris, nil, true)
	}, runtime.Named("golang embeds"), runtime.Client(w.o.Client))
	if err != nil {
		return sum, fmt.Errorf("golang: what %s embeds: %w", w.root, err)
	}
	roots := make([]string, len(prepared))
	for i := range prepared {
		roots[i] = prepared[i].root
	}
	// It has the workers before the checks of the index have them (P4).
	open, err := w.eng.Go(ctx, laneOfOpen, func(t *runtime.Task) error { return w.publishOpen(t, roots, w.openFiles()) },
		runtime.Named("golang open files"), runtime.Client(w.o.Client))
	if err != nil {
		return sum, err
	}
	w.letFirst(ctx)
	snap := w.eng.Snapshot()
	defer snap.Release()
	err = w.checkAll(ctx, snap, prepared, report, &sum)
	if failed := open.Wait(context.WithoutCancel(ctx)); err == nil {
		err = failed
	}
	if err != nil {
		return sum, err
	}
	sum.Files = len(uris)
	report(lsp.Progress{
		Phase: "publish", FilesDone: sum.Files, FilesTotal: sum.Files, UnitsDone: sum.Units, UnitsTotal: sum.Units, Unit: unit,
	})
	sum.Diagnostics, err = runtime.Evaluate(ctx, w.eng, laneOfIndex, func(t *runtime.Task) (int, error) {
		if _, err := symbolLists.All(t, uris); err != nil {
			return 0, err
		}
		return w.publishAll(t, roots)
	}, runtime.Named("golang publish"), runtime.Client(w.o.Client), runtime.At(snap))
	if err != nil {
		return sum, fmt.Errorf("golang: publishing diagnostics of %s: %w", w.root, err)
	}
	w.mu.Lock()
	pending := w.undefined || len(w.touched) > 0 || slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.ready == 0 || b.stale })
	w.mu.Unlock()
	if pending {
		w.refresh(nil) // a file was opened, or a file that decides a build changed, in the meantime
	}
	ran, reused := w.counts()
	sum.Ran, sum.Reused = ran-ranBefore, reused-reusedBefore
	sum.Wall = time.Since(begin)
	return sum, nil
}

// prepareAll prepares every build. The caller has the turn.
func (w *workspace) prepareAll(ctx context.Context, progress func(lsp.Progress)) ([]preparation, error) {
	w.redefine()
	w.mu.Lock()
	w.unread = map[string]string{}
	w.mu.Unlock()
	var all []preparation
	for _, b := range w.currentBuilds() {
		p, err := w.prepare(ctx, b, true, progress)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, w.forget(ctx)
}

// lookBehind looks at the files that an index has not looked at before questions were answered. It
// returns how many it read.
func (w *workspace) lookBehind(ctx context.Context, uris []string, progress func(done, total int)) (read int, err error) {
	if len(uris) == 0 {
		return 0, nil
	}
	return runtime.Evaluate(ctx, w.eng, laneOfIndex, func(t *runtime.Task) (read int, err error) {
		for done := 0; done < len(uris); {
			some := uris[done:min(done+batchFiles, len(uris))]
			err = t.Blocking(func() error { // the lane has its say before each
				n, err := w.bringURIs(t.Context(), some, func(int, int) {})
				read += n
				return err
			})
			if err != nil {
				return read, err
			}
			done += len(some)
			progress(done, len(uris))
		}
		return read, nil
	}, runtime.Named("golang files of others"), runtime.Client(w.o.Client))
}

// serialise makes a progress function that may be nil one that any goroutine may call.
func serialise(progress func(lsp.Progress)) func(lsp.Progress) {
	var mu sync.Mutex
	return func(p lsp.Progress) {
		if progress == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		progress(p)
	}
}

// counts are the engine's totals of queries run and reused.
func (w *workspace) counts() (ran, reused uint64) {
	for _, q := range w.eng.Stats().Queries {
		ran += q.Ran + q.Failed
		reused += q.Reused + q.Validated
	}
	return ran, reused
}

// checkAll checks every package of the workspace and adds up what there is.
func (w *workspace) checkAll(ctx context.Context, snap *runtime.Snapshot, prepared []preparation, report func(lsp.Progress), sum *lsp.Summary) error {
	type job struct {
		root string
		*metadata.Package
	}
	var (
		todo []job
		all  []*metadata.Build
	)
	for _, p := range prepared {
		all = append(all, p.meta)
		for i := range p.meta.Packages {
			if p.meta.Packages[i].Workspace {
				todo = append(todo, job{p.root, &p.meta.Packages[i]})
			}
		}
	}
	// What is open is asked about first.
	opened := w.openFiles()
	unasked := func(j job) int {
		if slices.ContainsFunc(j.Files, func(uri string) bool { _, open := slices.BinarySearch(opened, uri); return open }) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(todo, func(a, b job) int { return unasked(a) - unasked(b) })
	uris, _ := workspaceFiles(false, all...)
	sum.Units, sum.Unit = len(todo), unit
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex // guards sum and files
		files = map[string]bool{}
	)
	progress := lsp.Progress{Phase: "check", UnitsTotal: len(todo), Unit: unit, FilesTotal: len(uris)}
	report(progress)
	one := func(p job) func(*runtime.Task) error {
		return func(t *runtime.Task) error {
			c, err := checks.Get(t, pkgKey{p.root, p.ID})
			if err != nil {
				return fmt.Errorf("golang: checking %s: %w", p.ID, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Symbols += c.Symbols
			sum.References += c.References
			for _, uri := range p.Files {
				files[uri] = true
			}
			progress.UnitsDone++
			progress.FilesDone = len(files)
			progress.Current = p.ID
			report(progress)
			return nil
		}
	}
	// What the store knows comes first: it takes a hundredth of a check, and then a question about
	// it waits for none.
	for window := range slices.Chunk(todo, windowOfChecks) {
		var handles []*runtime.Handle
		var failed error
		for _, p := range window {
			h, err := w.eng.Go(ctx, laneOfIndex, one(p), runtime.At(snap), runtime.HydrateFirst(), runtime.Named("golang check"), runtime.Client(w.o.Client))
			if err != nil {
				failed = err
				break
			}
			handles = append(handles, h)
		}
		for _, h := range handles {
			if failed != nil {
				cancel(failed)
			}
			if err := h.Wait(context.WithoutCancel(ctx)); err != nil && failed == nil {
				failed = err
			}
		}
		if failed != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return failed
		}
	}
	return nil
}
