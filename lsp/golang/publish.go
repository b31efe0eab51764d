package golang

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A saying is the state that all published diagnostics follow from. Immutable. What has become
// wrong since, or is no longer, is what differs from it.
type saying struct {
	generation uint64
	builds     []*buildUnit // that there were; with others, other files may be shown
	of         map[string]said
}

// A said is what a saying says of one build.
type said struct {
	wrong    []gathered // see filesWithProblems
	problems []check.FileDiagnostic
}

// A publication finds out what is to be published in the generation of its task.
type publication struct {
	w      *workspace
	t      *runtime.Task
	builds []viewedBuild
	units  []*buildUnit // all of the workspace
}

// newPublication is about the builds of some roots.
func (w *workspace) newPublication(t *runtime.Task, roots []string) *publication {
	p := &publication{w: w, t: t}
	for _, b := range w.viewedBuilds() {
		if b.asked {
			continue
		}
		p.units = append(p.units, b.buildUnit)
		if slices.Contains(roots, b.Root) {
			p.builds = append(p.builds, b)
		}
	}
	return p
}

// A finding is what is to be published of a file.
type finding struct {
	list []lsp.Diagnostic
	text *lsp.Digest // of the unsaved text that it is about; nil: the file is not open
}

// judge finds out what is to be published of files.
func (p *publication) judge(uris []string) (map[string]finding, error) {
	found := make(map[string]finding, len(uris))
	for _, uri := range uris {
		list, known, err := p.file(uri)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		if found[uri], err = p.finding(uri, list); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// finding is what is to be published of a file, with the text that it is about.
func (p *publication) finding(uri string, list []lsp.Diagnostic) (finding, error) {
	f := finding{list: list}
	open, err := overlays.Has(p.t, uri)
	if err != nil || !open || !p.w.isOpen(uri) {
		return f, err
	}
	text, err := digests.Get(p.t, uri)
	f.text = &text
	return f, err
}

// file is what is to be published of a file. It is not known where that takes a build that the
// publication is not about, and where another workspace tells.
func (p *publication) file(uri string) (list []lsp.Diagnostic, known bool, err error) {
	path, ok := files.Path(uri)
	if !ok {
		return nil, false, nil
	}
	if !p.w.shows(uri) {
		mine, err := published.Has(p.t, memberKey{p.w.root, uri})
		return nil, mine, err
	}
	if p.w.isOpen(uri) {
		b := p.w.buildOf(path)
		if !slices.ContainsFunc(p.builds, func(o viewedBuild) bool { return o.Root == b.Root }) {
			return nil, false, nil
		}
		if list, err = reports.Get(p.t, fileKey{b.Root, uri}); err != nil {
			return nil, false, err
		}
		found, err := p.w.lintedNow(p.t, b.Root, uri)
		if err != nil {
			return nil, false, err
		}
		if len(p.builds) == 1 && len(found) == 0 {
			return list, true, nil
		}
		list = append(slices.Clone(list), found...)
		if len(p.builds) == 1 {
			return mergeDiagnostics(list), true, nil
		}
	}
	for _, b := range p.builds {
		more, err := builtDiagnostics(p.t, b.Root, uri)
		if err != nil {
			return nil, false, err
		}
		list = append(list, more...)
	}
	return mergeDiagnostics(list), true, nil
}

// now is what can be said of the builds.
func (p *publication) now() (*saying, error) {
	s := &saying{generation: p.t.Generation(), builds: p.units, of: map[string]said{}}
	for _, b := range p.builds {
		wrong, err := filesWithProblems.all(p.t, b.Root)
		if err != nil {
			return nil, err
		}
		problems, err := buildProblems.Get(p.t, b.Root)
		if err != nil {
			return nil, err
		}
		s.of[b.Root] = said{wrong, problems}
	}
	return s, nil
}

// differences are the files of which one saying says something else than another.
func (p *publication) differences(was, now *saying) (map[string]bool, error) {
	files := map[string]bool{}
	for _, b := range p.builds {
		old, fresh := was.of[b.Root], now.of[b.Root]
		if !slices.Equal(old.wrong, fresh.wrong) {
			a, err := wrongFiles(p.t, old.wrong, fresh.wrong)
			if err != nil {
				return nil, err
			}
			b, err := wrongFiles(p.t, fresh.wrong, old.wrong)
			if err != nil {
				return nil, err
			}
			for uri, digest := range a {
				files[uri] = files[uri] || b[uri] != digest
			}
			for uri, digest := range b {
				files[uri] = files[uri] || a[uri] != digest
			}
		}
		same := func(a, b check.FileDiagnostic) bool { return a.URI == b.URI && sameDiagnostic(a.Diag, b.Diag) }
		if !slices.EqualFunc(old.problems, fresh.problems, same) {
			for _, d := range slices.Concat(old.problems, fresh.problems) {
				files[d.URI] = true
			}
		}
	}
	maps.DeleteFunc(files, func(_ string, differs bool) bool { return !differs })
	return files, nil
}

// publishAll brings the published diagnostics of every file of the builds of roots up to date and
// returns how many there are.
func (w *workspace) publishAll(t *runtime.Task, roots []string) (int, error) {
	p := w.newPublication(t, roots)
	now, err := p.now()
	if err != nil {
		return 0, err
	}
	files, err := p.differences(&saying{}, now)
	if err != nil {
		return 0, err
	}
	// What was published before and is no longer true is cleared.
	before, err := filesOf(t, published, w.root)
	if err != nil {
		return 0, err
	}
	for _, uri := range before {
		files[uri] = true
	}
	for _, uri := range w.openFiles() { // what is no part of a build, or of another folder, among them
		files[uri] = true
	}
	found, err := p.judge(slices.Sorted(maps.Keys(files)))
	if err != nil {
		return 0, err
	}
	count := 0
	for _, f := range found {
		count += len(f.list)
	}
	_, err = w.publish(t, found, nil, now)
	return count, err
}

// publishDifferences is publishAll for a workspace that has published all before: it looks at what
// differs, and at some files that do not show there.
func (w *workspace) publishDifferences(t *runtime.Task, roots, touched []string) error {
	for {
		was := w.said()
		p := w.newPublication(t, roots)
		if was == nil || !slices.Equal(was.builds, p.units) || len(p.builds) != len(p.units) {
			_, err := w.publishAll(t, roots)
			return err
		}
		now, err := p.now()
		if err != nil {
			return err
		}
		files, err := p.differences(was, now)
		if err != nil {
			return err
		}
		// A wave of this refresh, or of one that it took over from, may have published these.
		for _, uri := range touched {
			files[uri] = true
		}
		for _, uri := range w.openFiles() {
			if !p.gathers(uri) {
				files[uri] = true
			}
		}
		found, err := p.judge(slices.Sorted(maps.Keys(files)))
		if err != nil {
			return err
		}
		if done, err := w.publish(t, found, was, now); done || err != nil {
			return err
		}
	}
}

// gathers reports whether what is wrong with a file is known from a package of one of the builds.
func (p *publication) gathers(uri string) bool {
	return slices.ContainsFunc(p.builds, func(b viewedBuild) bool {
		if b.meta == nil {
			return false
		}
		owners := b.meta.Owners(uri)
		return len(owners) > 0 && owners[0].Workspace
	})
}

// shows reports whether the workspace publishes diagnostics of a file: one of the folder, one of a
// module that a go.work file in the folder uses, or one that is open.
func (w *workspace) shows(uri string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	path, ok := files.Path(uri)
	if !ok || files.Inside(w.root, path) {
		return ok
	}
	if _, opened := w.opened[uri]; opened {
		return true
	}
	return slices.ContainsFunc(w.builds, func(b *buildUnit) bool {
		return b.Work != "" && files.Inside(w.root, b.Work) && files.Innermost(b.Own, path) != ""
	})
}

// said is the state that all published diagnostics follow from; nil if that is not known.
func (w *workspace) said() *saying {
	w.publishing.Lock()
	defer w.publishing.Unlock()
	return w.saying
}

// sayAgain has all diagnostics compared with those that are published.
func (w *workspace) sayAgain() {
	w.publishing.Lock()
	defer w.publishing.Unlock()
	w.saying = nil
}

// publish replaces the published diagnostics of files where they differ, unless those of a newer
// state have been published. If now is not nil, all that is published follows from it afterwards;
// that takes, if was is not nil, that it followed from that before, and publish reports false if it
// did not.
func (w *workspace) publish(t *runtime.Task, found map[string]finding, was, now *saying) (done bool, err error) {
	w.publishing.Lock()
	defer w.publishing.Unlock()
	if w.saying != nil && t.Generation() < w.saying.generation {
		return true, nil
	}
	if was != nil && was != w.saying {
		return false, nil
	}
	var differ []string
	judgements := map[string]partition.Judgement{}
	newest := w.eng.Snapshot()
	defer newest.Release()
	for uri, f := range found {
		if f.text != nil {
			if edited, err := isEdited(t, newest, uri); err != nil {
				return false, err
			} else if edited {
				continue // a refresh follows (P5)
			}
		}
		old, err := partition.FileDiagnostics(newest, uri)
		lost := errors.Is(err, runtime.ErrDamaged)
		if err != nil && !lost {
			return false, err
		}
		if lost || !sameDiagnostics(old, f.list) {
			differ = append(differ, uri)
		}
		if f.text == nil {
			continue
		}
		j := partition.Judgement{Text: *f.text, Said: partition.DigestOf(f.list)}
		was, err := partition.Judgements.Get(newest, uri)
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return false, err
		}
		if was != j {
			judgements[uri] = j
		}
	}
	if len(differ) > 0 || len(judgements) > 0 {
		slices.Sort(differ)
		err = t.Commit(func(c *runtime.Writer) error {
			var errs []error
			for _, uri := range differ {
				errs = append(errs, partition.ReplaceDiagnostics(c, uri, found[uri].list))
				if key := (memberKey{w.root, uri}); len(found[uri].list) > 0 {
					errs = append(errs, published.Put(c, key, ""))
				} else {
					errs = append(errs, published.Delete(c, key))
				}
			}
			for uri, j := range judgements {
				errs = append(errs, partition.Judgements.Put(c, uri, j))
			}
			return errors.Join(errs...)
		})
	}
	if err == nil && now != nil {
		w.saying = now
		w.mu.Lock()
		w.whole = true
		w.mu.Unlock()
	}
	return err == nil, err
}

// isEdited reports whether the unsaved text of a file is another one than a task sees.
func isEdited(t *runtime.Task, newest *runtime.Snapshot, uri string) (bool, error) {
	seen, err := overlays.Blob(t, uri)
	if err != nil {
		return false, err
	}
	now, err := overlays.Blob(newest, uri)
	if errors.Is(err, runtime.ErrNotFound) {
		return true, nil // it is closed
	}
	return now != seen, err
}

func sameDiagnostics(old, list []lsp.Diagnostic) bool {
	return slices.EqualFunc(mergeDiagnostics(slices.Clone(old)), list, sameDiagnostic)
}

func sameDiagnostic(a, b lsp.Diagnostic) bool {
	return lsp.CompareDiagnostics(a, b) == 0 && a.Unnecessary == b.Unnecessary && a.Deprecated == b.Deprecated && a.Href == b.Href && slices.Equal(a.Related, b.Related)
}

// refresh makes published diagnostics follow a change of inputs, in waves: those of the files that
// changed, those of files that are open, then everything that the change has an effect on. A newer
// change takes over from a refresh that is still going.
//
// Before anything has been read, it concerns open files: the first Index publishes everything.
func (w *workspace) refresh(uris []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.ready != 0 }) {
		w.whole = true
	}
	if w.whole || len(w.opened) > 0 {
		w.refreshLocked(uris)
	}
}

// refreshAgain has another refresh go on from what one has done.
func (w *workspace) refreshAgain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refreshLocked(nil)
}

// refreshLocked is refresh for a caller that holds w.mu, of what refreshes are about.
func (w *workspace) refreshLocked(uris []string) {
	if w.closed {
		return
	}
	if w.touched == nil {
		w.touched = map[string]uint64{}
	}
	w.refreshed++
	for _, uri := range uris {
		w.touched[uri] = w.refreshed
	}
	w.refreshes.begin()
	w.tasks.Go(func() {
		defer w.refreshes.end()
		h, err := w.eng.Go(w.background, laneOfEdited, w.refreshTask, runtime.Named("golang refresh"),
			runtime.Client(w.o.Client), runtime.Supersede("golang refresh "+w.root))
		if err == nil {
			err = h.Wait(context.Background())
		}
		if errors.Is(err, runtime.ErrDamaged) && w.background.Err() == nil && w.mends.Add(1) <= mendMax {
			if err = w.giveUpLost(w.background, err); err == nil {
				w.refreshAgain()
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

// Lanes of what follows a change (P4). The first two are above indexing, the others below it.
const (
	laneOfEdited  = lane.Input        // files that are open and changed
	laneOfOpen    = lane.RPC3         // other open files
	laneOfTouched = lane.Transition0  // files that changed and are not open
	laneOfRest    = lane.Transition13 // everything else

	laneOfAhead = laneOfIndex // what the next edit will want
)

// waveMax is how many files have their diagnostics published before all others, of those that
// changed and of those that are open.
const waveMax = 256

// publishWave publishes the diagnostics of some files before those of all others.
func (w *workspace) publishWave(t *runtime.Task, roots, uris []string) error {
	found, err := w.newPublication(t, roots).judge(uris[:min(len(uris), waveMax)])
	if err == nil {
		_, err = w.publish(t, found, nil, nil)
	}
	return err
}

// publishEdited publishes the diagnostics of an open file that changed: what its own package finds,
// and then what the variants of that with tests find, too, of which each takes as long.
func (w *workspace) publishEdited(t *runtime.Task, roots []string, uri string) error {
	own, several, err := w.ownReport(t, roots, uri)
	if err != nil {
		return err
	}
	if !several {
		return w.publishWave(t, roots, []string{uri})
	}
	w.mu.Lock()
	beside := w.beside[uri]
	w.mu.Unlock()
	p := w.newPublication(t, roots)
	if !beside {
		f, err := p.finding(uri, own)
		if err == nil {
			_, err = w.publish(t, map[string]finding{uri: f}, nil, nil)
		}
		if err != nil {
			return err
		}
	}
	found, err := p.judge([]string{uri})
	if err != nil {
		return err
	}
	beside = !slices.EqualFunc(found[uri].list, own, sameDiagnostic)
	w.mu.Lock()
	if _, open := w.opened[uri]; open && beside {
		if w.beside == nil {
			w.beside = map[string]bool{}
		}
		w.beside[uri] = true
	} else {
		delete(w.beside, uri)
	}
	w.mu.Unlock()
	_, err = w.publish(t, found, nil, nil)
	return err
}

// ownReport is what the first of the packages that an open file is compiled in tells of it. It
// reports false if no other of them tells something, or if that has to be asked of several builds.
func (w *workspace) ownReport(t *runtime.Task, roots []string, uri string) (own []lsp.Diagnostic, several bool, err error) {
	path, ok := files.Path(uri)
	if !ok || !w.shows(uri) {
		return nil, false, nil
	}
	root := w.buildOf(path).Root
	if len(roots) != 1 || roots[0] != root {
		return nil, false, nil
	}
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, false, err
	}
	telling := m.Telling(uri)
	if len(telling) < 2 {
		return nil, false, nil
	}
	build, err := buildProblems.Get(t, root)
	if err != nil {
		return nil, false, err
	}
	found, err := problems.Get(t, pkgKey{root, telling[0].ID})
	if err != nil {
		return nil, false, err
	}
	list := appendOf(appendOf(nil, build, uri), found, uri)
	linted, err := w.lintedNow(t, root, uri)
	return mergeDiagnostics(append(list, linted...)), err == nil, err
}

// publishOpen publishes the diagnostics of open files, those of each as soon as they are known.
func (w *workspace) publishOpen(t *runtime.Task, roots, uris []string) error {
	var handles []*runtime.Handle
	var failed error
	for _, uri := range uris[:min(len(uris), waveMax)] {
		h, err := t.Spawn(laneOfOpen, func(t *runtime.Task) error {
			return w.publishWave(t, roots, []string{uri})
		}, runtime.Named("golang refresh open file"))
		if err != nil {
			failed = err
			break
		}
		handles = append(handles, h)
	}
	for _, h := range handles {
		failed = cmp.Or(failed, t.Join(h))
	}
	return failed
}

// lintOpen has analyzers look at the packages of open files, and what they say published.
func (w *workspace) lintOpen(t *runtime.Task, roots, opened []string) error {
	if !w.o.Lint {
		return nil
	}
	for _, uri := range opened {
		path, ok := files.Path(uri)
		if !ok {
			continue
		}
		root := w.buildOf(path).Root
		if !slices.Contains(roots, root) {
			continue
		}
		k, ok, err := w.lintKeyOf(t, root, uri)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, err := lints.Get(t, k); err != nil {
			return err
		}
		if err := w.publishWave(t, roots, []string{uri}); err != nil {
			return err
		}
	}
	return nil
}

func (w *workspace) refreshTask(t *runtime.Task) error {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	roots, err := w.follow(t, whole)
	if err != nil || roots == nil {
		return err
	}
	w.mu.Lock()
	when := maps.Clone(w.touched)
	w.mu.Unlock()
	// What was touched last is what is looked at.
	touched := slices.SortedFunc(maps.Keys(when), func(a, b string) int { return cmp.Or(cmp.Compare(when[b], when[a]), cmp.Compare(a, b)) })
	goFiles, noGo := splitGoFiles(touched)
	if changed, err := w.lookAtEmbeds(t, goFiles, noGo, false); err != nil {
		return err
	} else if changed {
		w.refreshAgain() // which sees what was committed
		return nil
	}
	opened := w.openFiles()
	isOpen := func(uri string) bool { _, open := slices.BinarySearch(opened, uri); return open }
	var others []string
	for _, uri := range touched[:min(len(touched), 2*waveMax)] {
		if !isOpen(uri) {
			others = append(others, uri)
		} else if err := w.publishEdited(t, roots, uri); err != nil {
			return err
		}
	}
	unchanged := slices.DeleteFunc(slices.Clone(opened), func(uri string) bool { return when[uri] != 0 })
	if err := w.publishOpen(t, roots, unchanged); err != nil {
		return err
	}
	ahead, err := t.Spawn(laneOfAhead, func(t *runtime.Task) error { return w.prepareEdits(t, roots, opened) },
		runtime.Named("golang prepare edits"))
	if err != nil {
		return err
	}
	if len(others) > 0 {
		h, err := t.Spawn(laneOfTouched, func(t *runtime.Task) error {
			return w.publishWave(t, roots, others)
		}, runtime.Named("golang refresh changed files"))
		if err == nil {
			err = t.Join(h)
		}
		if err != nil {
			return err
		}
	}
	h, err := t.Spawn(laneOfRest, func(t *runtime.Task) error {
		if !whole {
			return w.lintOpen(t, roots, opened)
		}
		if err := w.publishDifferences(t, roots, touched); err != nil {
			return err
		}
		return cmp.Or(w.indexOpen(t, roots, opened), w.lintOpen(t, roots, opened))
	}, runtime.Named("golang refresh all"))
	if err == nil {
		err = cmp.Or(t.Join(h), t.Join(ahead))
	}
	if err != nil || !whole {
		return err
	}
	w.mends.Store(0)
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.touched, func(uri string, at uint64) bool { return when[uri] == at })
	return nil
}
