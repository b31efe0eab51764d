package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// freshNS is how young a file's last change must be for its stat to be distrusted: clocks of file
// systems tick in milliseconds or even seconds, so a file that was written twice in a moment may
// look the same as after the first time.
const freshNS = int64(2 * time.Second)

// A diskChange is what has become of one file on disk.
type diskChange struct {
	uri     string
	fate    fate
	text    []byte    // if read
	stat    disk.Stat // if read or refused
	failed  error     // why it could not be read; nil if it was, or need not be
	members []memberChange
}

// A fate is what has become of a file's content.
type fate int8

const (
	fateSame    fate = iota // what is known of it holds
	fateGone                // there is no such file
	fateRead                // it has new content
	fateRefused             // it cannot be read; the stat says why
)

// A memberChange says that a file joins or leaves a build.
type memberChange struct {
	root  string
	near  bool // of the files nearby, not the build's own
	joins bool
}

// diskChanges is what has become of several files.
type diskChanges []diskChange

func (c diskChanges) uris() []string {
	out := make([]string, len(c))
	for i := range c {
		out[i] = c[i].uri
	}
	return out
}

// write puts the changes into a commit.
func (c diskChanges) write(w *runtime.Writer) error {
	for i := range c {
		if err := c[i].write(w); err != nil {
			return err
		}
	}
	return nil
}

func (d *diskChange) write(w *runtime.Writer) error {
	var errs []error
	switch d.fate {
	case fateGone:
		errs = append(errs, savedTexts.Delete(w, d.uri), stats.Delete(w, d.uri))
	case fateRead:
		errs = append(errs, savedTexts.Put(w, d.uri, d.text), stats.Put(w, d.uri, d.stat))
	case fateRefused:
		errs = append(errs, savedTexts.Delete(w, d.uri), stats.Put(w, d.uri, d.stat))
	}
	for _, m := range d.members {
		list := members
		if m.near {
			list = nearby
		}
		if key := (memberKey{m.root, d.uri}); m.joins {
			errs = append(errs, list.Put(w, key, ""))
		} else {
			errs = append(errs, list.Delete(w, key))
		}
	}
	return errors.Join(errs...)
}

// lookAt compares a file with what is known of it; known is nil if nothing is. It reads the file
// only if its stat differs.
func lookAt(path, uri string, known *disk.Stat) diskChange {
	st, err := disk.StatFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || isNoFile(err) || errors.Is(err, fs.ErrInvalid) {
			return goneFrom(uri, known)
		}
		return diskChange{uri: uri, stat: disk.Stat{Refuse: disk.ErrorText(err)}, fate: fateRefused, failed: err}
	}
	return readChanged(path, uri, st, known)
}

// isNoFile reports whether an error says that what has a name is nothing that a workspace reads.
func isNoFile(err error) bool {
	return errors.Is(err, disk.ErrDirectory) || errors.Is(err, files.ErrNotRegular) || errors.Is(err, files.ErrKernel)
}

// goneFrom is the change of a file that is not there.
func goneFrom(uri string, known *disk.Stat) diskChange {
	if known == nil {
		return diskChange{uri: uri}
	}
	return diskChange{uri: uri, fate: fateGone}
}

// readChanged is lookAt for a file whose stat is at hand.
func readChanged(path, uri string, st disk.Stat, known *disk.Stat) diskChange {
	if known != nil && *known == st {
		return diskChange{uri: uri}
	}
	d := diskChange{uri: uri, stat: st, fate: fateRefused}
	if st.Refuse == "" {
		text, err := disk.ReadInput(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), isNoFile(err):
			return goneFrom(uri, known)
		case err != nil:
			d.stat.Refuse, d.failed = disk.ErrorText(err), err
		default:
			d.text, d.fate = text, fateRead
		}
	}
	if d.failed != nil || time.Now().UnixNano()-max(st.ModNS, st.ChgNS) < freshNS {
		d.stat.ModNS = 0 // never equal to a real one: looked at again next time
	}
	return d
}

// statOf returns what is known of a file, nil if nothing is. What was lost to damage counts as
// known, and as another than it is.
func statOf(r runtime.Reader, uri string) (*disk.Stat, error) {
	st, err := stats.Get(r, uri)
	if errors.Is(err, runtime.ErrNotFound) {
		return nil, nil
	}
	intact := err == nil
	if intact {
		intact, err = savedTexts.Intact(r, uri)
	}
	if err != nil && !errors.Is(err, runtime.ErrDamaged) {
		return nil, err
	}
	if !intact || err != nil {
		return &disk.Stat{}, nil // equal to none: the file is read again, or forgotten if it is gone
	}
	return &st, nil
}

// A viewed build is a build as a look at the disk finds it.
type viewedBuild struct {
	*buildUnit
	asked    bool            // see buildOf
	near     []string        // see metadata.Nearby
	replaced []string        // see metadata.Replaced
	meta     *metadata.Build // whose files were brought in last; nil if none have been
}

func (w *workspace) viewedBuilds() []viewedBuild {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]viewedBuild, len(w.builds))
	for i, b := range w.builds {
		out[i] = viewedBuild{b, b.asked, b.near, b.replaced, b.prepared}
	}
	return out
}

// isNear reports whether a file is one of those nearby: in a directory that a package comes from,
// or in a module from which one may come.
func (v *viewedBuild) isNear(path string) bool {
	dir, name := filepath.Dir(path), filepath.Base(path)
	within := files.Innermost(v.replaced, path) != ""
	if name == "go.mod" {
		return within || slices.ContainsFunc(v.near, func(near string) bool { return files.Inside(dir, near) })
	}
	return syntax.IsGoFile(name) && disk.IsInput(name) && (within || slices.Contains(v.near, dir))
}

// decides reports whether a file, by its place, decides what the build is.
func (v *viewedBuild) decides(path string) bool {
	if !disk.DecidesBuild(filepath.Base(path)) {
		return false
	}
	dir := strings.TrimSuffix(filepath.Dir(path), string(filepath.Separator)+"vendor")
	return slices.Contains(v.Own, dir) || slices.Contains(v.Uses, dir) || v.Work != "" && filepath.Dir(v.Work) == dir
}

// look compares files, or everything below directories, with what is known of them. The caller
// holds the lock of the disk.
func (w *workspace) look(ctx context.Context, uris []string) (diskChanges, error) {
	var out diskChanges
	builds := w.viewedBuilds()
	snap := w.eng.Snapshot()
	defer snap.Release()
	seen := map[string]bool{}
	one := func(path, uri string) error {
		if seen[uri] {
			return nil
		}
		seen[uri] = true
		d, err := lookFor(snap, builds, path, uri)
		if err != nil {
			return fmt.Errorf("golang: %s: %w", uri, err)
		}
		if d.fate != fateSame || len(d.members) > 0 {
			out = append(out, d)
		}
		return nil
	}
	for _, uri := range uris {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		path, ok := files.Path(uri)
		if !ok {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			found, err := filesBelow(ctx, builds, path, w.o.Tests)
			if err != nil {
				return nil, err
			}
			for _, path := range found {
				if err := one(path, files.URI(path)); err != nil {
					return nil, err
				}
			}
		}
		// A file, which may be a directory by this time, and everything that was known below a
		// directory that is gone or has lost files.
		below, err := stats.Keys(snap, runtime.Prefix(strings.TrimSuffix(uri, "/")+"/"))
		if err != nil {
			return nil, fmt.Errorf("golang: %s: %w", uri, err)
		}
		for _, u := range below {
			if p, ok := files.Path(u); ok {
				if err := one(p, u); err != nil {
					return nil, err
				}
			}
		}
		if err := one(path, uri); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// filesBelow lists the files that builds read below a directory.
func filesBelow(ctx context.Context, builds []viewedBuild, dir string, tests bool) ([]string, error) {
	var list []string
	type levelsOf struct {
		dir    string
		levels int
	}
	scanned := map[levelsOf]bool{}
	for i := range builds {
		b := &builds[i]
		for _, own := range b.Own {
			from, levels := own, b.Levels
			switch depth, within := disk.DepthBelow(own, dir); {
			case within:
				if from = dir; !disk.ScanFinds(own, levels, filepath.Join(dir, "x.go")) {
					continue
				}
				if levels != disk.AllLevels {
					levels -= depth
				}
			case !files.Inside(dir, own):
				continue
			}
			at := levelsOf{from, levels}
			if scanned[at] {
				continue
			}
			scanned[at] = true
			found, err := disk.Scan(ctx, from, levels, tests)
			if err != nil {
				return nil, err
			}
			for _, f := range found.Files {
				list = append(list, f.Path)
			}
		}
		for _, near := range b.near {
			if files.Inside(dir, near) {
				list = append(list, goFilesOnDisk(near)...)
			}
		}
	}
	return list, nil
}

// goFilesOnDisk lists the Go files of a directory.
func goFilesOnDisk(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // then it has none
	}
	var list []string
	for _, e := range entries {
		if syntax.IsGoFile(e.Name()) && disk.IsInput(e.Name()) && utf8.ValidString(e.Name()) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list
}

// lookFor looks at one file on behalf of builds. One that none of them has asked for is left alone.
func lookFor(snap *runtime.Snapshot, builds []viewedBuild, path, uri string) (diskChange, error) {
	known, err := statOf(snap, uri)
	if err != nil {
		return diskChange{}, err
	}
	wanted := known != nil
	var is []memberChange // joins tells whether it is one now
	for i := range builds {
		b := &builds[i]
		for _, m := range []memberChange{
			{root: b.Root, joins: b.Owner(path) != ""},
			{root: b.Root, near: true, joins: b.isNear(path)},
		} {
			list := members
			if m.near {
				list = nearby
			}
			was, err := list.Has(snap, memberKey{m.root, uri})
			if err != nil {
				return diskChange{}, err
			}
			if wanted = wanted || was || m.joins; was || m.joins {
				is = append(is, memberChange{m.root, m.near, was})
			}
		}
		wanted = wanted || b.decides(path)
	}
	if !wanted {
		return diskChange{uri: uri}, nil
	}
	d := lookAt(path, uri, known)
	if files.Exhausted(d.failed) {
		return diskChange{}, d.failed
	}
	there := d.fate != fateGone && (d.fate != fateSame || known != nil)
	for _, m := range is {
		b := builds[slices.IndexFunc(builds, func(b viewedBuild) bool { return b.Root == m.root })]
		mine := b.Owner(path) != ""
		if m.near {
			mine = b.isNear(path)
		}
		if joins := mine && there; joins != m.joins {
			d.members = append(d.members, memberChange{m.root, m.near, joins})
		}
	}
	return d, nil
}

// knows reports whether a build reads one of some files.
func (w *workspace) knows(uris []string) bool {
	for _, b := range w.viewedBuilds() {
		if b.meta != nil && slices.ContainsFunc(uris, func(uri string) bool { return len(b.meta.Owners(uri)) > 0 }) {
			return true
		}
	}
	return false
}
