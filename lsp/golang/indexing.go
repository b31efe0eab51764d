package golang

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// windowOfChecks is how many packages are submitted at a time: enough to keep every worker busy, few enough that a cancelled index
// leaves little behind.
const windowOfChecks = 256

// damagedMax bounds how often an index begins again because the text of a file turned out to be damaged in the store.
const damagedMax = 64

// Index implements lsp.Workspace. A damaged text is dropped by the store when it is read; the next look at the disk brings it in again.
func (w *workspace) Index(ctx context.Context, progress func(lsp.Progress)) (lsp.Summary, error) {
	ctx, end := w.while(ctx)
	defer end()
	for again := 0; ; again++ {
		sum, err := w.indexOnce(ctx, progress)
		if again == damagedMax || !errors.Is(err, runtime.ErrDamaged) {
			return sum, err
		}
		w.log.Warn("golang: reading again what is damaged in the store", "root", w.root, "err", err)
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
	p, err := w.prepare(ctx, report)
	w.giveTurn()
	if err != nil {
		return sum, err
	}
	sum.FilesRead = p.read
	snap := w.eng.Snapshot()
	defer snap.Release()
	if err := w.checkAll(ctx, snap, p.meta, report, &sum); err != nil {
		return sum, err
	}
	uris, _ := workspaceFiles(p.meta)
	sum.Files = len(uris)
	report(lsp.Progress{
		Phase: "publish", FilesDone: sum.Files, FilesTotal: sum.Files, PackagesDone: sum.Packages, PackagesTotal: sum.Packages,
	})
	err = w.eng.Submit(ctx, laneOfIndex, func(t *runtime.Task) error {
		if _, err := symbolLists.All(t, uris); err != nil {
			return err
		}
		sum.Diagnostics, err = w.publishAll(t)
		return err
	}, runtime.Named("golang publish"), runtime.Client(w.o.Client), runtime.At(snap))
	if err != nil {
		return sum, fmt.Errorf("golang: publishing diagnostics of %s: %w", w.root, err)
	}
	ran, reused := w.counts()
	sum.Ran, sum.Reused = ran-ranBefore, reused-reusedBefore
	sum.Wall = time.Since(begin)
	return sum, nil
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
func (w *workspace) checkAll(ctx context.Context, snap *runtime.Snapshot, m *metadata, report func(lsp.Progress), sum *lsp.Summary) error {
	uris, _ := workspaceFiles(m)
	var todo []*pkgMeta
	for i := range m.Packages {
		if m.Packages[i].Workspace {
			todo = append(todo, &m.Packages[i])
		}
	}
	sum.Packages = len(todo)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex // guards sum and files
		files = map[string]bool{}
	)
	progress := lsp.Progress{Phase: "check", PackagesTotal: len(todo), FilesTotal: len(uris)}
	report(progress)
	one := func(p *pkgMeta) func(*runtime.Task) error {
		return func(t *runtime.Task) error {
			c, err := checks.Get(t, pkgKey{w.root, p.ID})
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
			progress.PackagesDone++
			progress.FilesDone = len(files)
			progress.Current = p.ID
			report(progress)
			return nil
		}
	}
	for window := range slices.Chunk(todo, windowOfChecks) {
		var handles []*runtime.Handle
		var failed error
		for _, p := range window {
			h, err := w.eng.Go(ctx, laneOfIndex, one(p), runtime.At(snap), runtime.Named("golang check"), runtime.Client(w.o.Client))
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

// publishAll brings the published diagnostics of every file of the workspace up to date and returns how many there are.
func (w *workspace) publishAll(t *runtime.Task) (int, error) {
	m, err := metadatas.Get(t, w.root)
	if err != nil {
		return 0, err
	}
	all, err := workspaceProblems(t, w.root, m)
	if err != nil {
		return 0, err
	}
	var keys []pkgKey
	for i := range m.Packages {
		if m.Packages[i].Workspace {
			keys = append(keys, pkgKey{w.root, m.Packages[i].ID})
		}
	}
	if _, err := checks.All(t, keys); err != nil {
		return 0, err
	}
	for i := range m.Packages {
		if !m.Packages[i].Workspace {
			continue
		}
		ds, err := packageDiagnostics(t, w.root, &m.Packages[i])
		if err != nil {
			return 0, err
		}
		all = append(all, ds...)
	}
	byFile := map[string][]lsp.Diagnostic{}
	for _, d := range all {
		byFile[d.URI] = append(byFile[d.URI], d.Diag)
	}
	unsaved, err := overlays.Keys(t, runtime.Prefix(dirPrefix(w.root)))
	if err != nil {
		return 0, err
	}
	for _, uri := range unsaved {
		if _, ok := byFile[uri]; !ok && len(m.owners(uri)) == 0 {
			if byFile[uri], err = fileDiagnostics(t, w.root, uri); err != nil {
				return 0, err
			}
		}
	}
	// What was published before and is no longer true is cleared.
	before, err := w.publishedFiles(t)
	if err != nil {
		return 0, err
	}
	for _, uri := range before {
		if _, ok := byFile[uri]; !ok {
			byFile[uri] = nil
		}
	}
	count := 0
	for uri, list := range byFile {
		byFile[uri] = mergeDiagnostics(list)
		count += len(byFile[uri])
	}
	return count, w.publish(t, byFile)
}

// publishedFiles lists the files that the workspace has published diagnostics of.
func (w *workspace) publishedFiles(t *runtime.Task) ([]string, error) {
	keys, err := published.Keys(t, runtime.Prefix(memberKey(w.root, "")))
	for i := range keys {
		keys[i] = keys[i][len(memberKey(w.root, "")):]
	}
	return keys, err
}

// publish replaces the published diagnostics of files where they differ.
func (w *workspace) publish(t *runtime.Task, byFile map[string][]lsp.Diagnostic) error {
	var differ []string
	for uri, list := range byFile {
		old, err := partition.FileDiagnostics(t, uri)
		if err != nil {
			return err
		}
		if !sameDiagnostics(old, list) {
			differ = append(differ, uri)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return t.Commit(func(c *runtime.Writer) error {
		var errs []error
		for _, uri := range differ {
			errs = append(errs, partition.ReplaceDiagnostics(c, uri, byFile[uri]))
			if key := memberKey(w.root, uri); len(byFile[uri]) > 0 {
				errs = append(errs, published.Put(c, key, ""))
			} else {
				errs = append(errs, published.Delete(c, key))
			}
		}
		return errors.Join(errs...)
	})
}

func sameDiagnostics(old, list []lsp.Diagnostic) bool {
	list = slices.Clone(list)
	old = mergeDiagnostics(slices.Clone(old))
	return slices.EqualFunc(old, list, func(a, b lsp.Diagnostic) bool {
		return compareDiagnostics(a, b) == 0 && slices.Equal(a.Related, b.Related)
	})
}

// refresh makes published diagnostics follow a change of inputs: those of the files that changed first, then everything that they have an
// effect on. A newer change takes over from a refresh that is still going.
func (w *workspace) refresh(uris []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.ready == 0 {
		return // the first Index publishes everything
	}
	if w.touched == nil {
		w.touched = map[string]bool{}
	}
	for _, uri := range uris {
		w.touched[uri] = true
	}
	w.refreshes.begin()
	w.tasks.Go(func() {
		defer w.refreshes.end()
		h, err := w.eng.Go(w.background, lane.Transition(0), w.refreshTask, runtime.Named("golang refresh"),
			runtime.Client(w.o.Client), runtime.Supersede("golang refresh "+w.root))
		if err == nil {
			err = h.Wait(context.Background())
		}
		if err != nil && w.background.Err() == nil {
			w.log.Debug("golang: refresh ended early", "root", w.root, "err", err)
		}
	})
}

// Settle implements lsp.Workspace.
func (w *workspace) Settle(ctx context.Context) error {
	if w.isClosed() {
		return lsp.ErrClosed
	}
	return w.refreshes.wait(ctx)
}

func (w *workspace) refreshTask(t *runtime.Task) error {
	m, err := metadatas.Get(t, w.root)
	if err != nil {
		return err
	}
	w.mu.Lock()
	touched := make([]string, 0, len(w.touched))
	for uri := range w.touched {
		touched = append(touched, uri)
	}
	prepared := w.prepared
	w.mu.Unlock()
	if m != prepared {
		// Packages have come or gone: their files have to be here before anything is said about imports.
		var read int
		err := t.Blocking(func() error {
			if err := w.takeTurn(t.Context()); err != nil {
				return err
			}
			defer w.giveTurn()
			read, err = w.bringOthers(t.Context(), m, func(int, int) {})
			return err
		})
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.prepared = m
		w.mu.Unlock()
		if read > 0 {
			w.refresh(nil)
			return nil
		}
	}
	slices.Sort(touched)
	near := map[string][]lsp.Diagnostic{}
	for _, uri := range touched {
		list, err := fileDiagnostics(t, w.root, uri)
		if err != nil {
			return err
		}
		near[uri] = list
	}
	if err := w.publish(t, near); err != nil {
		return err
	}
	h, err := t.Spawn(lane.Transition(1), func(t *runtime.Task) error {
		_, err := w.publishAll(t)
		return err
	}, runtime.Named("golang refresh all"))
	if err != nil {
		return err
	}
	if err := t.Join(h); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uri := range touched {
		delete(w.touched, uri)
	}
	return nil
}
