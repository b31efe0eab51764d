package golang

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// Bounds of one commit of file contents.
const (
	batchFiles = 256
	batchBytes = 8 << 20
)

// prepareOnce brings the inputs in unless that has been done.
func (w *workspace) prepareOnce(ctx context.Context) error {
	ctx, end := w.while(ctx)
	defer end()
	if err := w.takeTurn(ctx); err != nil {
		return err
	}
	defer w.giveTurn()
	w.mu.Lock()
	done := w.ready != 0
	w.mu.Unlock()
	if done {
		return nil
	}
	_, err := w.prepare(ctx, func(lsp.Progress) {})
	return err
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
	meta    *metadata
	scanned int // files of the root
	read    int // files whose content was read
}

// prepare compares the disk with the inputs and commits what differs: first the root's own files and the environment, then,
// when these have told which packages there are, the files of all others. The caller has the turn.
func (w *workspace) prepare(ctx context.Context, progress func(lsp.Progress)) (preparation, error) {
	var p preparation
	progress(lsp.Progress{Phase: "scan"})
	env, found, problems, err := w.survey(ctx)
	if err != nil {
		return p, err
	}
	p.scanned = len(found)
	own, err := w.compare(found, &env)
	if err != nil {
		return p, err
	}
	if p.read, err = w.bring(ctx, own, func(done, total int) {
		progress(lsp.Progress{Phase: "read", FilesDone: done, FilesTotal: total})
	}); err != nil {
		return p, err
	}
	if env.Attempt, err = w.attempt(); err != nil {
		return p, err
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
		return errors.Join(environments.Put(c, w.root, env), scanProblems.Put(c, w.root, problems), failures.Delete(c, w.root))
	})
	if err != nil {
		return p, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	progress(lsp.Progress{Phase: "metadata", FilesTotal: p.scanned})
	if p.meta, err = w.listPackages(ctx, &env); err != nil {
		return p, err
	}
	if p.meta.Failed != "" {
		err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return failures.Put(c, w.root, p.meta.Failed) })
		if err != nil {
			return p, fmt.Errorf("golang: %s: %w", w.root, err)
		}
	}
	if err := w.forget(ctx, p.meta, &env); err != nil {
		return p, err
	}
	read, err := w.bringOthers(ctx, p.meta, func(done, total int) {
		progress(lsp.Progress{Phase: "read", FilesDone: done, FilesTotal: total})
	})
	p.read += read
	if err != nil {
		return p, err
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = max(snap.Generation(), 1)
	w.prepared = p.meta
	return p, nil
}

// attempt is the number of the attempt at asking the go command: another one than the last if that failed for a reason that may pass.
func (w *workspace) attempt() (uint64, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	last, err := environments.Get(snap, w.root)
	if errors.Is(err, runtime.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	failed, err := failures.Has(snap, w.root)
	if err != nil {
		return 0, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	if failed {
		last.Attempt++
	}
	return last.Attempt, nil
}

// survey asks the go command for its environment while the root is scanned.
func (w *workspace) survey(ctx context.Context) (env environment, found []scanned, problems []scanProblem, err error) {
	var (
		envErr error
		wait   sync.WaitGroup
	)
	wait.Go(func() { env, envErr = readEnvironment(ctx, w.root, w.o.Tests, w.o.BuildTags, w.o.Env) })
	found, problems, err = scan(ctx, w.root, w.o.Tests)
	wait.Wait()
	return env, found, problems, errors.Join(err, envErr)
}

// listPackages asks for the metadata. Directories outside the root that changed since it was made are found only with its help, so it may have
// to be asked for twice.
func (w *workspace) listPackages(ctx context.Context, env *environment) (*metadata, error) {
	for again := false; ; again = true {
		m, err := metadatas.Ask(ctx, w.eng, w.root, runtime.Client(w.o.Client))
		if err != nil {
			return nil, fmt.Errorf("golang: listing the packages of %s: %w", w.root, err)
		}
		digest := outsideDigest(outsideDirs(w.root, env, m))
		snap := w.eng.Snapshot()
		known, err := outside.Get(snap, w.root)
		snap.Release()
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, fmt.Errorf("golang: %s: %w", w.root, err)
		}
		if known == digest || again {
			return m, nil
		}
		err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return outside.Put(c, w.root, digest) })
		if err != nil {
			return nil, fmt.Errorf("golang: %s: %w", w.root, err)
		}
	}
}

// An errand is a file that may have to be read.
type errand struct {
	path, uri string
	stat      *fileStat // what a scan saw; nil: not looked at yet
	known     *fileStat
	member    memberChange
}

// compare lists what has to be looked at after a scan: files that differ from what is known, files that are gone, and module files
// that a scan does not see.
func (w *workspace) compare(found []scanned, env *environment) ([]errand, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	known := map[string]fileStat{}
	err := stats.Scan(snap, runtime.Prefix(dirPrefix(w.root)), func(uri string, st fileStat) error {
		intact, err := files.Intact(snap, uri)
		if intact {
			known[uri] = st
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	member := map[string]bool{}
	keys, err := members.Keys(snap, runtime.Prefix(memberKey(w.root, "")))
	if err != nil {
		return nil, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	for _, key := range keys {
		member[key[len(memberKey(w.root, "")):]] = true
	}
	var out []errand
	for i := range found {
		f := &found[i]
		e := errand{path: f.path, uri: fileURI(f.path), stat: &f.stat}
		if st, ok := known[e.uri]; ok {
			e.known = &st
		}
		if !member[e.uri] {
			e.member = memberJoins
		}
		delete(member, e.uri)
		if e.known == nil || *e.known != f.stat || e.member != memberSame {
			out = append(out, e)
		}
	}
	for uri := range member {
		if path, ok := filePath(uri); ok {
			e := errand{path: path, uri: uri, member: memberLeaves}
			if st, ok := known[uri]; ok {
				e.known = &st
			}
			out = append(out, e)
		}
	}
	for _, path := range env.moduleFiles(w.root) {
		uri := fileURI(path)
		if slices.ContainsFunc(found, func(f scanned) bool { return f.path == path }) {
			continue
		}
		st, err := statOf(snap, uri)
		if err != nil {
			return nil, fmt.Errorf("golang: %s: %w", uri, err)
		}
		out = append(out, errand{path: path, uri: uri, known: st})
	}
	return out, nil
}

// bringOthers brings in the files of packages that are not in the root.
func (w *workspace) bringOthers(ctx context.Context, m *metadata, progress func(done, total int)) (int, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	seen := map[string]bool{}
	var out []errand
	for i := range m.Packages {
		for _, uri := range m.Packages[i].Files {
			path, ok := filePath(uri)
			if !ok || seen[uri] {
				continue
			}
			seen[uri] = true
			if mine, err := members.Has(snap, memberKey(w.root, uri)); err != nil {
				return 0, fmt.Errorf("golang: %s: %w", uri, err)
			} else if mine {
				continue // looked at already
			}
			st, err := statOf(snap, uri)
			if err != nil {
				return 0, fmt.Errorf("golang: %s: %w", uri, err)
			}
			out = append(out, errand{path: path, uri: uri, known: st})
		}
	}
	return w.bring(ctx, out, progress)
}

// forget drops what is known of files that no package is made of any more, such as those of a module's version that was replaced by a newer
// one. Where several workspaces share an engine nothing is dropped: the others may need it.
func (w *workspace) forget(ctx context.Context, m *metadata, env *environment) error {
	snap := w.eng.Snapshot()
	defer snap.Release()
	roots, err := environments.Keys(snap, runtime.All())
	if err != nil || len(roots) != 1 {
		return err
	}
	keep := map[string]bool{}
	for i := range m.Packages {
		for _, uri := range m.Packages[i].Files {
			keep[uri] = true
		}
	}
	for _, path := range env.moduleFiles(w.root) {
		keep[fileURI(path)] = true
	}
	known, err := stats.Keys(snap, runtime.All())
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	var drop []string
	for _, uri := range known {
		if keep[uri] {
			continue
		}
		member, err := members.Has(snap, memberKey(w.root, uri))
		if err != nil {
			return fmt.Errorf("golang: %s: %w", uri, err)
		}
		if !member {
			drop = append(drop, uri)
		}
	}
	if len(drop) == 0 {
		return nil
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
		var errs []error
		for _, uri := range drop {
			errs = append(errs, files.Delete(c, uri), stats.Delete(c, uri))
		}
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

// bringBatch is bring for one commit. Between looking and committing nobody else may: the older look could be committed last.
func (w *workspace) bringBatch(ctx context.Context, errands []errand) (read int, err error) {
	w.disk.Lock()
	defer w.disk.Unlock()
	changes := diskChanges{root: w.root, list: lookAtAll(errands)}
	for i := range changes.list {
		if changes.list[i].fate == fateRead {
			read++
		}
	}
	if err := w.eng.Commit(ctx, changes.write); err != nil {
		return read, fmt.Errorf("golang: reading the files of %s: %w", w.root, err)
	}
	return read, nil
}

// lookAtAll runs errands, as many at a time as there are CPUs, and returns those that found a change.
func lookAtAll(errands []errand) []diskChange {
	results := make([]*diskChange, len(errands))
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(goruntime.GOMAXPROCS(0), 8) {
		wait.Go(func() {
			for i := range next {
				results[i] = errands[i].run()
			}
		})
	}
	for i := range errands {
		next <- i
	}
	close(next)
	wait.Wait()
	var out []diskChange
	for _, d := range results {
		if d != nil {
			out = append(out, *d)
		}
	}
	return out
}

func (e *errand) run() *diskChange {
	var d diskChange
	if e.stat != nil {
		d = readChanged(e.path, e.uri, *e.stat, e.known)
	} else {
		d = lookAt(e.path, e.uri, e.known)
	}
	if d.member = e.member; d.fate == fateSame && d.member == memberSame {
		return nil
	}
	return &d
}

// laneOfIndex is where indexing goes: below every question.
const laneOfIndex = lane.Default
