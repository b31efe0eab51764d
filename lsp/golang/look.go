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

	diskfiles "github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// freshNS is how young a file's last change must be for its stat to be distrusted: clocks of file systems tick in milliseconds or even
// seconds, so a file that was written twice in a moment may look the same as after the first time.
const freshNS = int64(2 * time.Second)

// A diskChange is what has become of one file on disk.
type diskChange struct {
	uri    string
	fate   fate
	text   []byte   // if read
	stat   fileStat // if read or refused
	member memberChange
}

// A fate is what has become of a file's content.
type fate int8

const (
	fateSame    fate = iota // what is known of it holds
	fateGone                // there is no such file
	fateRead                // it has new content
	fateRefused             // it cannot be read; the stat says why
)

// A memberChange says whether a file joins or leaves the workspace's own files.
type memberChange int8

const (
	memberSame memberChange = iota
	memberJoins
	memberLeaves
)

// A diskChanges is a list of changes on behalf of a root.
type diskChanges struct {
	root string
	list []diskChange
}

func (c *diskChanges) uris() []string {
	out := make([]string, len(c.list))
	for i := range c.list {
		out[i] = c.list[i].uri
	}
	return out
}

// write puts the changes into a commit.
func (c *diskChanges) write(w *runtime.Writer) error {
	for i := range c.list {
		if err := c.list[i].write(w, c.root); err != nil {
			return err
		}
	}
	return nil
}

func (d *diskChange) write(w *runtime.Writer, root string) error {
	var errs []error
	switch d.fate {
	case fateGone:
		errs = append(errs, files.Delete(w, d.uri), stats.Delete(w, d.uri))
	case fateRead:
		errs = append(errs, files.Put(w, d.uri, d.text), stats.Put(w, d.uri, d.stat))
	case fateRefused:
		errs = append(errs, files.Delete(w, d.uri), stats.Put(w, d.uri, d.stat))
	}
	switch d.member {
	case memberJoins:
		errs = append(errs, members.Put(w, memberKey(root, d.uri), ""))
	case memberLeaves:
		errs = append(errs, members.Delete(w, memberKey(root, d.uri)))
	}
	return errors.Join(errs...)
}

// lookAt compares a file with what is known of it; known is nil if nothing is. It reads the file only if its stat differs.
func lookAt(path, uri string, known *fileStat) diskChange {
	st, err := statFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || isNoFile(err) || errors.Is(err, fs.ErrInvalid) {
			return goneFrom(uri, known)
		}
		st.Refuse = errorText(err)
	}
	return readChanged(path, uri, st, known)
}

// isNoFile reports whether an error says that what has a name is nothing that a workspace reads.
func isNoFile(err error) bool {
	return errors.Is(err, errDirectory) || errors.Is(err, diskfiles.ErrNotRegular) || errors.Is(err, diskfiles.ErrKernel)
}

// goneFrom is the change of a file that is not there.
func goneFrom(uri string, known *fileStat) diskChange {
	if known == nil {
		return diskChange{uri: uri}
	}
	return diskChange{uri: uri, fate: fateGone}
}

// readChanged is lookAt for a file whose stat is at hand.
func readChanged(path, uri string, st fileStat, known *fileStat) diskChange {
	if known != nil && *known == st {
		return diskChange{uri: uri}
	}
	d := diskChange{uri: uri, stat: st, fate: fateRefused}
	passing := false
	if st.Refuse == "" {
		text, err := readInput(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), isNoFile(err):
			return goneFrom(uri, known)
		case err != nil:
			d.stat.Refuse, passing = errorText(err), true
		default:
			d.text, d.fate = text, fateRead
		}
	}
	if passing || time.Now().UnixNano()-max(st.ModNS, st.ChgNS) < freshNS {
		d.stat.ModNS = 0 // never equal to a real one: looked at again next time
	}
	return d
}

// statOf returns what is known of a file, nil if nothing is or if its text was lost to damage: then it is read again.
func statOf(r runtime.Reader, uri string) (*fileStat, error) {
	st, err := stats.Get(r, uri)
	if errors.Is(err, runtime.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if intact, err := files.Intact(r, uri); err != nil || !intact {
		return nil, err
	}
	return &st, nil
}

// look compares files, or everything below directories, with what is known of them. The caller holds the lock of the disk.
func (w *workspace) look(ctx context.Context, uris []string) (*diskChanges, error) {
	out := &diskChanges{root: w.root}
	snap := w.eng.Snapshot()
	defer snap.Release()
	seen := map[string]bool{}
	one := func(path, uri string) error {
		if seen[uri] {
			return nil
		}
		seen[uri] = true
		known, err := statOf(snap, uri)
		if err != nil {
			return fmt.Errorf("golang: %s: %w", uri, err)
		}
		member, err := members.Has(snap, memberKey(w.root, uri))
		if err != nil {
			return fmt.Errorf("golang: %s: %w", uri, err)
		}
		mine := w.owns(path)
		if !mine && !member && known == nil {
			return nil // a file that nothing has asked for
		}
		d := lookAt(path, uri, known)
		there := d.fate != fateGone && (d.fate != fateSame || known != nil)
		switch {
		case member && !(mine && there):
			d.member = memberLeaves
		case !member && mine && there:
			d.member = memberJoins
		}
		if d.fate != fateSame || d.member != memberSame {
			out.list = append(out.list, d)
		}
		return nil
	}
	for _, uri := range uris {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		path, ok := filePath(uri)
		if !ok {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			found, _, err := scan(ctx, path, w.o.Tests)
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				if err := one(f.path, fileURI(f.path)); err != nil {
					return nil, err
				}
			}
		}
		// A file, or everything that was known below a directory that is gone or has lost files.
		below, err := stats.Keys(snap, runtime.Prefix(strings.TrimSuffix(uri, "/")+"/"))
		if err != nil {
			return nil, fmt.Errorf("golang: %s: %w", uri, err)
		}
		for _, u := range below {
			if p, ok := filePath(u); ok {
				if err := one(p, u); err != nil {
					return nil, err
				}
			}
		}
		if len(below) == 0 {
			if err := one(path, uri); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// owns reports whether a scan of the root would find a file of this path, nested modules apart.
func (w *workspace) owns(path string) bool {
	name := filepath.Base(path)
	if !isInput(name) || !w.o.Tests && isTestFile(name) || !utf8.ValidString(path) || !inside(w.root, path) {
		return false
	}
	rel, err := filepath.Rel(w.root, filepath.Dir(path))
	if err != nil {
		return false
	}
	dir := w.root
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if part == "." {
			continue
		}
		dir = filepath.Join(dir, part)
		if skipDir(part) {
			return false
		}
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// outsideDigest describes the Go files in directories outside the root that may change at any time.
func outsideDigest(dirs []string) string {
	var b strings.Builder
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			fmt.Fprintf(&b, "%s: %s\n", dir, errorText(err))
			continue
		}
		for _, e := range entries {
			if !isGoFile(e.Name()) {
				continue
			}
			st, err := statFile(filepath.Join(dir, e.Name()))
			if err == nil {
				fmt.Fprintf(&b, "%q %d %d %d\n", filepath.Join(dir, e.Name()), st.Size, st.ModNS, st.Inode)
			}
		}
	}
	return b.String()
}

// outsideDirs lists the directories that packages come from and that are neither in the root, nor in the Go tree, nor in the module
// cache, both of which hold what never changes.
func outsideDirs(root string, env *environment, m *metadata) []string {
	var dirs []string
	for i := range m.Packages {
		p := &m.Packages[i]
		if p.Standard || len(p.Files) == 0 {
			continue
		}
		path, ok := filePath(p.Files[0])
		if !ok || inside(root, path) || env.GoModCache != "" && inside(env.GoModCache, path) || env.GoRoot != "" && inside(env.GoRoot, path) {
			continue
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
