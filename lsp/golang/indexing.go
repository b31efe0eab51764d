package golang

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// Index implements lsp.Workspace. What is damaged in the store is given up; the next look at the
// disk brings it in again.
func (w *workspace) Index(ctx context.Context, progress func(lsp.Progress)) (lsp.Summary, error) {
	ctx, end := w.while(ctx)
	defer end()
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
	var all []*metadata
	for _, p := range prepared {
		sum.FilesRead += p.read
		all = append(all, p.meta)
	}
	if sum.Missing, err = w.missing(prepared); err != nil {
		return sum, err
	}
	uris, _ := workspaceFiles(all...)
	_, err = runtime.Evaluate(ctx, w.eng, laneOfIndex, func(t *runtime.Task) (bool, error) {
		return w.lookAtEmbeds(t, uris, nil, true)
	}, runtime.Named("golang embeds"), runtime.Client(w.o.Client))
	if err != nil {
		return sum, fmt.Errorf("golang: what %s embeds: %w", w.root, err)
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	if err := w.checkAll(ctx, snap, prepared, report, &sum); err != nil {
		return sum, err
	}
	sum.Files = len(uris)
	report(lsp.Progress{
		Phase: "publish", FilesDone: sum.Files, FilesTotal: sum.Files, PackagesDone: sum.Packages, PackagesTotal: sum.Packages,
	})
	sum.Diagnostics, err = runtime.Evaluate(ctx, w.eng, laneOfIndex, func(t *runtime.Task) (int, error) {
		if _, err := symbolLists.All(t, uris); err != nil {
			return 0, err
		}
		roots := make([]string, len(prepared))
		for i := range prepared {
			roots[i] = prepared[i].root
		}
		return w.publishAll(t, roots)
	}, runtime.Named("golang publish"), runtime.Client(w.o.Client), runtime.At(snap))
	if err != nil {
		return sum, fmt.Errorf("golang: publishing diagnostics of %s: %w", w.root, err)
	}
	w.mu.Lock()
	pending := w.undefined || slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.ready == 0 || b.stale })
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
		p, err := w.prepare(ctx, b, progress)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, w.forget(ctx)
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
		*pkgMeta
	}
	var (
		todo []job
		all  []*metadata
	)
	for _, p := range prepared {
		all = append(all, p.meta)
		for i := range p.meta.Packages {
			if p.meta.Packages[i].Workspace {
				todo = append(todo, job{p.root, &p.meta.Packages[i]})
			}
		}
	}
	uris, _ := workspaceFiles(all...)
	sum.Packages = len(todo)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex // guards sum and files
		files = map[string]bool{}
	)
	progress := lsp.Progress{Phase: "check", PackagesTotal: len(todo), FilesTotal: len(uris)}
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
			progress.PackagesDone++
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

// publishAll brings the published diagnostics of every file of the builds of roots up to date and
// returns how many there are.
func (w *workspace) publishAll(t *runtime.Task, roots []string) (int, error) {
	byFile := map[string][]lsp.Diagnostic{}
	for _, root := range roots {
		all, err := buildDiagnostics(t, root)
		if err != nil {
			return 0, err
		}
		for _, d := range all {
			if w.shows(d.URI) {
				byFile[d.URI] = append(byFile[d.URI], d.Diag)
			}
		}
	}
	w.mu.Lock()
	opened := slices.Sorted(maps.Keys(w.opened))
	w.mu.Unlock()
	for _, uri := range opened {
		path, ok := filePath(uri)
		if _, done := byFile[uri]; done || !ok {
			continue
		}
		// Not part of the build, or of another folder.
		if b := w.buildOf(path); slices.Contains(roots, b.root) {
			list, err := fileDiagnostics(t, b.root, uri)
			if err != nil {
				return 0, err
			}
			byFile[uri] = list
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
	return count, w.publish(t, byFile, true)
}

// shows reports whether the workspace publishes diagnostics of a file: one of the folder, one of a
// module that a go.work file in the folder uses, or one that is open.
func (w *workspace) shows(uri string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	path, ok := filePath(uri)
	if !ok || inside(w.root, path) {
		return ok
	}
	if _, opened := w.opened[uri]; opened {
		return true
	}
	return slices.ContainsFunc(w.builds, func(b *buildUnit) bool {
		return b.work != "" && inside(w.root, b.work) && longestAbove(b.own, path) != ""
	})
}

// buildDiagnostics is everything wrong with a build.
func buildDiagnostics(t *runtime.Task, root string) ([]fileDiagnostic, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	all, err := workspaceProblems(t, root, m)
	if err != nil {
		return nil, err
	}
	var keys []pkgKey
	for i := range m.Packages {
		if m.Packages[i].Workspace {
			keys = append(keys, pkgKey{root, m.Packages[i].ID})
		}
	}
	if _, err := checks.All(t, keys); err != nil {
		return nil, err
	}
	for i := range m.Packages {
		if !m.Packages[i].Workspace {
			continue
		}
		ds, err := packageDiagnostics(t, root, &m.Packages[i])
		if err != nil {
			return nil, err
		}
		all = append(all, ds...)
	}
	return all, nil
}

// publishedFiles lists the files that the workspace has published diagnostics of.
func (w *workspace) publishedFiles(t *runtime.Task) ([]string, error) {
	return filesOf(t, published, w.root)
}

// publish replaces the published diagnostics of files where they differ, unless those of a newer
// state have been published. All says that these are all that there are.
func (w *workspace) publish(t *runtime.Task, byFile map[string][]lsp.Diagnostic, all bool) error {
	w.publishing.Lock()
	defer w.publishing.Unlock()
	if t.Generation() < w.publishedAt {
		return nil
	}
	var differ []string
	now := w.eng.Snapshot()
	defer now.Release()
	for uri, list := range byFile {
		old, err := partition.FileDiagnostics(now, uri)
		lost := errors.Is(err, runtime.ErrDamaged)
		if err != nil && !lost {
			return err
		}
		if lost || !sameDiagnostics(old, list) {
			differ = append(differ, uri)
		}
	}
	if all {
		w.publishedAt = t.Generation()
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return t.Commit(func(c *runtime.Writer) error {
		var errs []error
		for _, uri := range differ {
			errs = append(errs, partition.ReplaceDiagnostics(c, uri, byFile[uri]))
			if key := (memberKey{w.root, uri}); len(byFile[uri]) > 0 {
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

// refresh makes published diagnostics follow a change of inputs, in waves: those of the files that
// changed, those of files that are open, then everything that the change has an effect on. A newer
// change takes over from a refresh that is still going.
func (w *workspace) refresh(uris []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || !slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.ready != 0 }) {
		return // the first Index publishes everything
	}
	w.refreshLocked(uris)
}

// refreshLocked is refresh for a caller that holds w.mu, of a workspace that has published.
func (w *workspace) refreshLocked(uris []string) {
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
		if errors.Is(err, runtime.ErrDamaged) && w.background.Err() == nil && w.mends.Add(1) <= mendMax {
			if err = w.giveUpLost(w.background, err); err == nil {
				w.mu.Lock()
				if !w.closed {
					w.refreshLocked(nil)
				}
				w.mu.Unlock()
			}
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

// splitGoFiles separates Go files from others.
func splitGoFiles(uris []string) (goFiles, others []string) {
	for _, uri := range uris {
		if isGoFile(uri) {
			goFiles = append(goFiles, uri)
		} else {
			others = append(others, uri)
		}
	}
	return goFiles, others
}

// waveMax is how many files have their diagnostics published before all others, of those that
// changed and of those that are open.
const waveMax = 256

// publishWave publishes the diagnostics of some files before those of all others.
func (w *workspace) publishWave(t *runtime.Task, roots, uris []string) error {
	wave := map[string][]lsp.Diagnostic{}
	for _, uri := range uris[:min(len(uris), waveMax)] {
		path, ok := filePath(uri)
		if !ok || !w.shows(uri) {
			continue
		}
		if b := w.buildOf(path); slices.Contains(roots, b.root) {
			list, err := fileDiagnostics(t, b.root, uri)
			if err != nil {
				return err
			}
			wave[uri] = list
		}
	}
	return w.publish(t, wave, false)
}

func (w *workspace) refreshTask(t *runtime.Task) error {
	roots, err := w.follow(t)
	if err != nil || roots == nil {
		return err
	}
	w.mu.Lock()
	touched := make([]string, 0, len(w.touched))
	for uri := range w.touched {
		touched = append(touched, uri)
	}
	w.mu.Unlock()
	slices.Sort(touched)
	goFiles, others := splitGoFiles(touched)
	if changed, err := w.lookAtEmbeds(t, goFiles, others, false); err != nil {
		return err
	} else if changed {
		w.refresh(nil) // which sees what was committed
		return nil
	}
	if err := w.publishWave(t, roots, touched); err != nil {
		return err
	}
	// What is open is looked at, so it comes before all else that the change may have an effect on.
	w.mu.Lock()
	opened := slices.Sorted(maps.Keys(w.opened))
	w.mu.Unlock()
	opened = slices.DeleteFunc(opened, func(uri string) bool { _, done := slices.BinarySearch(touched, uri); return done })
	h, err := t.Spawn(lane.Transition(1), func(t *runtime.Task) error {
		return w.publishWave(t, roots, opened)
	}, runtime.Named("golang refresh open files"))
	if err != nil {
		return err
	}
	if err := t.Join(h); err != nil {
		return err
	}
	h, err = t.Spawn(lane.Transition(lane.Transitions-1), func(t *runtime.Task) error {
		_, err := w.publishAll(t, roots)
		return err
	}, runtime.Named("golang refresh all"))
	if err != nil {
		return err
	}
	if err := t.Join(h); err != nil {
		return err
	}
	w.mends.Store(0)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, uri := range touched {
		delete(w.touched, uri)
	}
	return nil
}

// follow makes the builds follow the files: those that are new or stale are prepared, and the files
// of packages that have come are brought in before anything is said about imports. It returns the
// roots of all builds, or none if another refresh has to go on from what it did.
func (w *workspace) follow(t *runtime.Task) ([]string, error) {
	w.mu.Lock()
	opened := slices.Sorted(maps.Keys(w.opened))
	w.mu.Unlock()
	for _, uri := range opened {
		if path, ok := filePath(uri); ok {
			w.buildOf(path)
		}
	}
	w.mu.Lock()
	pending, newest := w.undefined, uint64(0)
	for _, b := range w.builds {
		pending = pending || b.stale || b.ready == 0
		newest = max(newest, b.ready)
	}
	w.mu.Unlock()
	if pending {
		// A newer refresh does not end it: with many changes in a row it would never be done.
		if err := t.Blocking(func() error { return w.prepareOnce(w.background) }); err != nil {
			return nil, err
		}
		w.refresh(nil)
		return nil, nil
	}
	if t.Generation() < newest {
		w.refresh(nil)
		return nil, nil
	}
	var roots []string
	for _, b := range w.viewedBuilds() {
		roots = append(roots, b.root)
		m, err := metadatas.Get(t, b.root)
		if err != nil {
			return nil, err
		}
		if m == b.meta {
			continue
		}
		var changed bool
		err = t.Blocking(func() error {
			if err := w.takeTurn(t.Context()); err != nil {
				return err
			}
			defer w.giveTurn()
			var read int
			if changed, _, err = w.catchUp(t.Context(), b.buildUnit, m); err == nil && !changed {
				read, err = w.bringOthers(t.Context(), b.buildUnit, m, func(int, int) {})
				changed = read > 0
			}
			return errors.Join(err, w.publishWatches(t.Context()))
		})
		if err != nil {
			return nil, err
		}
		if changed {
			w.refresh(nil)
			return nil, nil
		}
		w.mu.Lock()
		b.prepared = m
		w.mu.Unlock()
	}
	return roots, nil
}
