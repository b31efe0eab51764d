package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
	"github.com/cytisus/cytisus/runtime/lane"
)

// Bounds of one commit of file contents.
const (
	batchFiles = 256
	batchBytes = 8 << 20
)

// prepareOnce brings the inputs of builds in unless that has been done; of all that there are if
// none is named.
func (w *workspace) prepareOnce(ctx context.Context, builds ...*buildUnit) error {
	ctx, end := w.while(ctx)
	defer end()
	if err := w.takeTurn(ctx); err != nil {
		return err
	}
	defer w.giveTurn()
	if len(builds) == 0 {
		w.redefine()
		builds = w.currentBuilds()
	}
	for _, b := range builds {
		if b, pending := w.pending(b.Root); pending {
			if _, err := w.prepare(ctx, b, false, func(lsp.Progress) {}); err != nil {
				return err
			}
		}
	}
	return nil
}

// pending returns the build of a root as it is now, and whether its inputs have to be brought in.
func (w *workspace) pending(root string) (b *buildUnit, pending bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.builds {
		if b.Root == root {
			return b, b.ready == 0 || b.stale
		}
	}
	return nil, false
}

// takeTurn waits until nobody else brings inputs in.
func (w *workspace) takeTurn(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.background.Done():
		return lsp.ErrClosed
	}
	if w.isClosed() {
		w.giveTurn()
		return lsp.ErrClosed
	}
	return nil
}

func (w *workspace) giveTurn() { <-w.turn }

// A preparation is what prepare did.
type preparation struct {
	root    string
	meta    *metadata.Build
	scanned int // files of the root
	read    int // files whose content was read

	behind []string // files that are to be looked at behind
}

// prepare compares the disk with the inputs of a build and commits what differs: first the build's
// own files and the environment, then, when these have told which packages there are, the files of
// all others, but for those of others that are settled if it is trusting. The caller has the turn.
func (w *workspace) prepare(
	ctx context.Context, b *buildUnit, trusting bool, progress func(lsp.Progress),
) (preparation, error) {
	p := preparation{root: b.Root}
	progress(lsp.Progress{Phase: "scan"})
	w.mu.Lock()
	b.stale = false // what changes from now on has it looked at again
	w.mu.Unlock()
	fail := func(err error) (preparation, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		b.stale = true
		return p, err
	}
	env, found, err := w.survey(ctx, b)
	if err != nil {
		return fail(err)
	}
	p.scanned = len(found.Files)
	w.mu.Lock()
	b.nested, b.problems = found.Nested, make(map[string]bool, len(found.Problems))
	for _, p := range found.Problems {
		b.problems[p.Path] = p.Hide
	}
	w.mu.Unlock()
	own, err := w.compare(b, found.Files, &env)
	if err != nil {
		return fail(err)
	}
	reading := func(done, total int) { progress(lsp.Progress{Phase: "read", FilesDone: done, FilesTotal: total}) }
	if p.read, err = w.bring(ctx, own, reading); err != nil {
		return fail(err)
	}
	if env.Attempt, err = w.attempt(b); err != nil {
		return fail(err)
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
		return errors.Join(environments.Put(c, b.Root, env), scanProblems.Put(c, b.Root, found.Problems), failures.Delete(c, b.Root))
	})
	if err != nil {
		return fail(fmt.Errorf("golang: %s: %w", b.Root, err))
	}
	progress(lsp.Progress{Phase: "metadata", FilesTotal: p.scanned})
	var read int
	p.meta, read, err = w.listPackages(ctx, b)
	p.read += read
	if err != nil {
		return fail(err)
	}
	if p.meta.Failed != "" {
		err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return failures.Put(c, b.Root, p.meta.Failed) })
		if err != nil {
			return fail(fmt.Errorf("golang: %s: %w", b.Root, err))
		}
	}
	read, p.behind, err = w.bringOthers(ctx, b, p.meta, trusting, reading)
	p.read += read
	if err != nil {
		return fail(err)
	}
	if err := w.publishWatches(ctx); err != nil {
		return fail(err)
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	w.mu.Lock()
	defer w.mu.Unlock()
	b.ready = max(snap.Generation(), 1)
	b.prepared = p.meta
	if p.meta.Failed != "" {
		w.askAgain(b.Root, p.meta.Failed)
	}
	return p, nil
}

// attempt is the number of the attempt at asking the go command: another one than the last if that
// failed for a reason that may pass.
func (w *workspace) attempt(b *buildUnit) (uint64, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	last, err := environments.Get(snap, b.Root)
	if errors.Is(err, runtime.ErrNotFound) || errors.Is(err, runtime.ErrDamaged) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("golang: %s: %w", b.Root, err)
	}
	failed, err := failures.Has(snap, b.Root)
	if err != nil {
		return 0, fmt.Errorf("golang: %s: %w", b.Root, err)
	}
	if failed {
		last.Attempt++
	}
	return last.Attempt, nil
}

// survey asks the go command for its environment while the build's own directories are scanned.
func (w *workspace) survey(ctx context.Context, b *buildUnit) (env disk.Environment, found disk.Found, err error) {
	var (
		envErr error
		wait   sync.WaitGroup
	)
	wait.Go(func() { env, envErr = disk.ReadEnvironment(ctx, &b.Definition, w.o.Tests, w.o.BuildTags, w.o.Env) })
	for _, own := range b.Own {
		some, scanErr := disk.Scan(ctx, own, b.Levels, w.o.Tests)
		if errors.Is(scanErr, fs.ErrNotExist) && own != w.root {
			continue // it went a moment ago: the next event tells
		}
		if scanErr != nil {
			err = scanErr
			break
		}
		found.Files = append(found.Files, some.Files...)
		found.Problems = append(found.Problems, some.Problems...)
		for _, dir := range some.Nested {
			if !slices.Contains(b.Own, dir) {
				found.Nested = append(found.Nested, dir)
			}
		}
	}
	wait.Wait()
	if b.Plain && b.Root == w.root && b.Levels != disk.AllLevels {
		found.Problems = append(found.Problems, w.limits.UnreadLevels(&b.Definition))
	}
	slices.Sort(found.Nested)
	env.Nested = found.Nested
	return env, found, errors.Join(err, envErr)
}

// listTries bounds how often the packages are listed because what the go command read was not what
// the inputs had.
const listTries = 4

// listPackages asks for the metadata. Which directories are nearby, and which files an event has
// not told of yet, is known with its help only, so it may have to be asked for again.
func (w *workspace) listPackages(ctx context.Context, b *buildUnit) (m *metadata.Build, read int, err error) {
	for range listTries {
		w.letFirst(ctx)
		if m, err = metadatas.Ask(ctx, w.eng, b.Root, runtime.Client(w.o.Client)); err != nil {
			return nil, read, fmt.Errorf("golang: listing the packages of %s: %w", b.Root, err)
		}
		changed, n, err := w.catchUp(ctx, b, m)
		if read += n; err != nil || !changed {
			return m, read, err
		}
	}
	return m, read, nil
}

// catchUp brings in what the go command has read and the inputs lack: files nearby, and files that
// changed unseen.
func (w *workspace) catchUp(ctx context.Context, b *buildUnit, m *metadata.Build) (changed bool, read int, err error) {
	w.mu.Lock()
	b.near, b.replaced = m.Nearby, m.Replaced // from now on they are looked at
	w.mu.Unlock()
	list, err := w.nearbyErrands(b, m)
	if err != nil {
		return false, 0, err
	}
	if len(m.Unseen) > 0 {
		w.disk.Lock()
		defer w.disk.Unlock()
		changes, err := w.look(ctx, m.Unseen)
		if err != nil {
			return false, 0, err
		}
		problems, hide, err := w.oddAmong(b, m.Unseen)
		if err != nil {
			return false, 0, err
		}
		if changed = hide || len(changes) > 0; !changed {
			return false, 0, nil
		}
		err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
			return errors.Join(changes.write(c), scanProblems.Put(c, b.Root, problems))
		})
		if err != nil {
			return false, 0, fmt.Errorf("golang: %s: %w", b.Root, err)
		}
		return true, len(changes), nil
	}
	before := w.generation()
	read, err = w.bring(ctx, list, func(int, int) {})
	return w.generation() != before, read, err
}

// oddAmong returns the problems of a build with those of files that the go command must not see, as
// a scan would have it, and whether there are any that the last scan has not told.
func (w *workspace) oddAmong(b *buildUnit, uris []string) (problems []disk.Problem, more bool, err error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	problems, err = scanProblems.Get(snap, b.Root)
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		return nil, false, fmt.Errorf("golang: %s: %w", b.Root, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	told := maps.Clone(b.problems)
	for _, uri := range uris {
		path, ok := files.Path(uri)
		if _, known := told[path]; known || !ok {
			continue
		}
		if p, bad := disk.ProblemAt(path); bad && p.Hide {
			if told == nil {
				told = map[string]bool{}
			}
			told[path], more = p.Hide, true
			problems = append(slices.Clip(problems), p)
		}
	}
	b.problems = told
	return problems, more, nil
}

func (w *workspace) generation() uint64 {
	snap := w.eng.Snapshot()
	defer snap.Release()
	return snap.Generation()
}

// An errand is a file that may have to be read.
type errand struct {
	path, uri string
	stat      *disk.Stat // what a scan saw; nil: not looked at yet
	known     *disk.Stat
	in        *runtime.Snapshot // which has what is known; nil: known has it
	members   []memberChange
}

// compare lists what has to be looked at after a scan: files that differ from what is known, files
// that are gone, and module files that a scan does not see.
func (w *workspace) compare(b *buildUnit, found []disk.File, env *disk.Environment) ([]errand, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	member, err := memberSet(snap, members, b.Root)
	if err != nil {
		return nil, err
	}
	var out []errand
	add := func(e errand) error {
		known, err := statOf(snap, e.uri)
		if err != nil {
			return fmt.Errorf("golang: %s: %w", e.uri, err)
		}
		if e.known = known; e.stat == nil || known == nil || *known != *e.stat || len(e.members) > 0 {
			out = append(out, e)
		}
		return nil
	}
	scanned := map[string]bool{}
	for i := range found {
		f := &found[i]
		e := errand{path: f.Path, uri: files.URI(f.Path), stat: &f.Stat}
		if scanned[f.Path] = true; !member[e.uri] {
			e.members = []memberChange{{root: b.Root, joins: true}}
		}
		delete(member, e.uri)
		if err := add(e); err != nil {
			return nil, err
		}
	}
	for uri := range member {
		path, ok := files.Path(uri)
		if !ok {
			continue
		}
		e := errand{path: path, uri: uri}
		if !disk.IsRegular(path) || b.Owner(path) == "" { // else it came after the scan
			e.members = []memberChange{{root: b.Root}}
		}
		if err := add(e); err != nil {
			return nil, err
		}
	}
	for _, path := range env.ModuleFiles() {
		if !scanned[path] {
			if err := add(errand{path: path, uri: files.URI(path)}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// memberSet is the set of the files that a build has in a list.
func memberSet(r runtime.Reader, list *keyed.Partition[memberKey, string], root string) (map[string]bool, error) {
	uris, err := filesOf(r, list, root)
	set := make(map[string]bool, len(uris))
	for _, uri := range uris {
		set[uri] = true
	}
	return set, err
}

// nearbyErrands compares the files in the directories nearby with those that are known to be there.
func (w *workspace) nearbyErrands(b *buildUnit, m *metadata.Build) ([]errand, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	was, err := memberSet(snap, nearby, b.Root)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, dir := range m.Nearby {
		paths = append(paths, goFilesOnDisk(dir)...)
		if mod := disk.UpTo(dir, "go.mod"); mod != "" {
			paths = append(paths, filepath.Join(mod, "go.mod"))
		}
	}
	for _, dir := range m.Replaced {
		if path := filepath.Join(dir, "go.mod"); disk.IsRegular(path) {
			paths = append(paths, path)
		}
	}
	for uri := range was { // what an event told of stays, although no package comes from there yet
		if path, ok := files.Path(uri); ok && files.Innermost(m.Replaced, path) != "" && disk.IsRegular(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	var out []errand
	for _, path := range slices.Compact(paths) {
		e := errand{path: path, uri: files.URI(path)}
		if !was[e.uri] {
			e.members = []memberChange{{root: b.Root, near: true, joins: true}}
		}
		delete(was, e.uri)
		if e.known, err = statOf(snap, e.uri); err != nil {
			return nil, fmt.Errorf("golang: %s: %w", e.uri, err)
		}
		out = append(out, e)
	}
	for uri := range was {
		if path, ok := files.Path(uri); ok {
			e := errand{path: path, uri: uri, members: []memberChange{{root: b.Root, near: true}}}
			if e.known, err = statOf(snap, uri); err != nil {
				return nil, fmt.Errorf("golang: %s: %w", uri, err)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// bringOthers brings in the files of packages that are not the build's own. Those that are settled
// it returns, to be looked at behind, if that is to be.
func (w *workspace) bringOthers(
	ctx context.Context, b *buildUnit, m *metadata.Build, trusting bool, progress func(done, total int),
) (read int, behind []string, err error) {
	snap := w.eng.Snapshot()
	uris, err := othersOf(snap, b, m)
	var env disk.Environment
	if err == nil {
		env, err = environments.Get(snap, b.Root)
	}
	foreign, others := foreignIn(&env, uris)
	var known bool
	if err == nil && trusting {
		known, err = isSettled(snap, b.Root, foreign)
	}
	snap.Release()
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("golang: %s: %w", b.Root, err)
	case known:
		read, err = w.bringURIs(ctx, others, progress)
		return read, foreign.uris, err
	}
	if read, err = w.bringURIs(ctx, uris, progress); err != nil {
		return read, nil, err
	}
	return read, nil, w.settle(ctx, b.Root, foreign)
}

// othersOf lists the files of a build's packages that are not its own.
func othersOf(snap *runtime.Snapshot, b *buildUnit, m *metadata.Build) (uris []string, err error) {
	done, err := memberSet(snap, members, b.Root) // looked at already
	if err != nil {
		return nil, err
	}
	for i := range m.Packages {
		for _, uri := range m.Packages[i].Files {
			if !done[uri] {
				done[uri] = true
				uris = append(uris, uri)
			}
		}
	}
	return uris, nil
}

// bringURIs looks at files.
func (w *workspace) bringURIs(ctx context.Context, uris []string, progress func(done, total int)) (int, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	out := make([]errand, 0, len(uris))
	for _, uri := range uris {
		if path, ok := files.Path(uri); ok {
			out = append(out, errand{path: path, uri: uri, in: snap})
		}
	}
	return w.bring(ctx, out, progress)
}

// forget drops what is known of files that no package is made of any more, such as those of a
// module's version that was replaced by a newer one. Where several workspaces share an engine
// nothing is dropped: the others may need it.
func (w *workspace) forget(ctx context.Context) error {
	if len(sessions.others(w)) > 0 {
		return nil
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	keep := map[string]bool{}
	for _, b := range w.viewedBuilds() {
		if b.meta == nil {
			return nil // what it needs is not known
		}
		for i := range b.meta.Packages {
			for _, uri := range b.meta.Packages[i].Files {
				keep[uri] = true
			}
		}
		env, err := environments.Get(snap, b.Root)
		if err != nil {
			return fmt.Errorf("golang: %s: %w", b.Root, err)
		}
		for _, path := range env.ModuleFiles() {
			keep[files.URI(path)] = true
		}
		for _, list := range []*keyed.Partition[memberKey, string]{members, nearby} {
			set, err := memberSet(snap, list, b.Root)
			if err != nil {
				return err
			}
			maps.Copy(keep, set)
		}
	}
	known, err := stats.Keys(snap, runtime.All())
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	drop := slices.DeleteFunc(known, func(uri string) bool { return keep[uri] })
	if len(drop) == 0 {
		return nil
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
		var errs []error
		for _, uri := range drop {
			errs = append(errs, savedTexts.Delete(c, uri), stats.Delete(c, uri))
		}
		// Another workspace may have named them. This one's are named again when they are next
		// looked at.
		errs = append(errs, settled.ClearPrefix(c, ""))
		return errors.Join(errs...)
	})
	if err != nil {
		return fmt.Errorf("golang: %s: forgetting %d files: %w", w.root, len(drop), err)
	}
	return nil
}

// bring looks at files, several at a time, and commits what changed in batches.
func (w *workspace) bring(ctx context.Context, errands []errand, progress func(done, total int)) (read int, err error) {
	for start := 0; start < len(errands); {
		end, size := start, int64(0)
		for end < len(errands) && end-start < batchFiles && size < batchBytes {
			if st := errands[end].stat; st != nil && st.Refuse == "" {
				size += st.Size
			}
			end++
		}
		if ctx.Err() != nil {
			return read, context.Cause(ctx)
		}
		w.letFirst(ctx)
		n, err := w.bringBatch(ctx, errands[start:end])
		read += n
		if err != nil {
			return read, err
		}
		start = end
		progress(start, len(errands))
	}
	return read, nil
}

// bringBatch is bring for one commit. Between looking and committing nobody else may: the older
// look could be committed last.
func (w *workspace) bringBatch(ctx context.Context, errands []errand) (read int, err error) {
	w.disk.Lock()
	defer w.disk.Unlock()
	changes, err := lookAtAll(errands)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	if err := w.noteUnread(changes); err != nil {
		return 0, err
	}
	for i := range changes {
		if changes[i].fate == fateRead {
			read++
		}
	}
	if err := w.eng.Commit(ctx, changes.write); err != nil {
		return read, fmt.Errorf("golang: reading the files of %s: %w", w.root, err)
	}
	return read, nil
}

// noteUnread takes down which files could not be read. It fails if the reason is none of theirs.
func (w *workspace) noteUnread(changes diskChanges) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range changes {
		d := &changes[i]
		if files.Exhausted(d.failed) {
			return fmt.Errorf("golang: reading the files of %s: %w", w.root, d.failed)
		}
		if path, ok := files.Path(d.uri); ok && d.failed != nil {
			w.unread[path] = d.stat.Refuse
		}
	}
	return nil
}

// missing says what kept the inputs from being whole.
func (w *workspace) missing(prepared []preparation) ([]string, error) {
	var out []string
	snap := w.eng.Snapshot()
	defer snap.Release()
	for i := range prepared {
		p := &prepared[i]
		env, err := environments.Get(snap, p.root)
		if err != nil {
			return nil, fmt.Errorf("golang: %s: %w", p.root, err)
		}
		for _, why := range []string{env.Problem, p.meta.Failed} {
			if why != "" {
				out = append(out, why)
			}
		}
		problems, err := scanProblems.Get(snap, p.root)
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, fmt.Errorf("golang: %s: %w", p.root, err)
		}
		for _, s := range problems {
			if s.Unread {
				out = append(out, s.Path+": "+s.Message)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for path, why := range w.unread {
		out = append(out, path+": "+why)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// lookAtAll runs errands, as many at a time as there are CPUs, and returns those that found a
// change.
func lookAtAll(errands []errand) (out diskChanges, err error) {
	results := make([]*diskChange, len(errands))
	errs := make([]error, len(errands))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(goruntime.GOMAXPROCS(0), 8, len(errands)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(errands)); i = next.Add(1) - 1 {
				results[i], errs[i] = errands[i].run()
			}
		})
	}
	wait.Wait()
	for _, d := range results {
		if d != nil {
			out = append(out, *d)
		}
	}
	return out, errors.Join(errs...)
}

// run returns nil if there is no change.
func (e *errand) run() (*diskChange, error) {
	if e.in != nil {
		var err error
		if e.known, err = statOf(e.in, e.uri); err != nil {
			return nil, fmt.Errorf("golang: %s: %w", e.uri, err)
		}
	}
	var d diskChange
	if e.stat != nil {
		d = readChanged(e.path, e.uri, *e.stat, e.known)
	} else {
		d = lookAt(e.path, e.uri, e.known)
	}
	d.members = e.members
	if d.fate == fateGone || d.fate == fateSame && e.known == nil { // it went after the scan
		d.members = slices.DeleteFunc(slices.Clone(e.members), func(m memberChange) bool { return m.joins })
	}
	if d.fate == fateSame && len(d.members) == 0 {
		return nil, nil
	}
	return &d, nil
}

// laneOfIndex is where indexing goes: below every question.
const laneOfIndex = lane.Default
