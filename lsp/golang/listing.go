package golang

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
)

// unseen lists the files that the go command saw in another state than the inputs have them: it
// reads the disk, and another program may have written there since the disk was looked at. Seen are
// those that it named.
func unseen(t *runtime.Task, l *layout, heads []string, env *disk.Environment, seen []metadata.Package) ([]string, error) {
	want := map[string]string{} // by path
	known := map[string]bool{}
	for i, uri := range l.Files {
		known[uri] = true
		// A file that was refused has no header.
		if path, ok := files.Path(uri); ok && heads[i] != "" && !slices.Contains(l.Unsaved, uri) {
			want[path] = heads[i]
		}
	}
	modules := map[string][]byte{}
	for _, path := range env.ModuleFiles() {
		text, err := savedTexts.Get(t, files.URI(path)) // as on disk: the go command does not see unsaved ones
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		modules[path] = text
	}
	var out []string
	for i := range seen {
		for _, uri := range seen[i].Files {
			if path, ok := files.Path(uri); ok && !known[uri] && env.Owns(path) {
				out = append(out, uri)
			}
		}
	}
	err := t.Blocking(func() error {
		for path, head := range want {
			switch text, err := disk.ReadInput(path); {
			case err == nil && syntax.HeaderText(text) != head, errors.Is(err, fs.ErrNotExist):
				out = append(out, files.URI(path))
			}
		}
		for path, text := range modules {
			if now, err := disk.ReadInput(path); err == nil && !bytes.Equal(now, text) || errors.Is(err, fs.ErrNotExist) && text != nil {
				out = append(out, files.URI(path))
			}
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// metadataOf asks the go command. That reads the disk, which a query must not do; what it reads
// there is recorded by reading the same things from the inputs: the module files, the headers of
// all files of the build and nearby, and the environment. A result that shows that the disk was in
// another state is not kept.
func metadataOf(t *runtime.Task, root string) (*metadata.Build, error) {
	l, err := layouts.Get(t, root)
	if err != nil {
		return nil, err
	}
	heads, err := l.heads(t)
	if err != nil {
		return nil, err
	}
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, err
	}
	modulePaths := map[string]string{} // by directory
	moduleTexts := map[string][]byte{} // by path
	for _, path := range env.ModuleFiles() {
		text, err := savedTexts.Get(t, files.URI(path)) // as on disk: what is not saved is not in force
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		if moduleTexts[path] = text; filepath.Base(path) == "go.mod" {
			modulePaths[filepath.Dir(path)] = modfile.ModulePath(text)
		}
	}
	for _, uri := range l.Near {
		if _, err := savedTexts.Blob(t, uri); err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
	}
	overlay := map[string][]byte{}
	unsaved := map[string]*syntax.Header{} // what overlay is made of, by URI
	problems, err := scanProblems.Get(t, root)
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		return nil, err
	}
	for _, p := range problems {
		if p.Hide {
			overlay[p.Path] = nil
		}
	}
	show := func(uri, header string, hide bool) {
		path, ok := files.Path(uri)
		if !ok {
			return
		}
		if parsed := syntax.ParseHeader(header); !parsed.Broken && parsed.Name != "" {
			overlay[path] = parsed.Source()
			unsaved[uri] = &parsed
		} else if hide {
			overlay[path] = nil
		}
	}
	// For a //go:build line that cannot be read the go command gives up the file and, where some
	// file is unsaved, the package. It is shown the file without that line.
	for i, uri := range l.Files {
		if syntax.IsMalformed(heads[i]) {
			show(uri, heads[i], true)
		}
	}
	for _, uri := range l.Unsaved {
		saved, err := savedTexts.Get(t, uri)
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		if h := syntax.HeaderText(saved); syntax.IsMalformed(h) {
			show(uri, h, true)
		}
		h, err := headers.Get(t, uri)
		if err != nil {
			return nil, err
		}
		show(uri, h, false)
	}
	places := disk.NewPlacer(&env, moduleTexts)
	why, failed := env.Problem, false
	var said []metadata.Problem
	var odd *disk.OddFileError
	if why == "" && !env.Plain {
		var listed []disk.Listed
		extra := disk.LeftOutImports(&env, l.Files, heads)
		err = listing(t, disk.ListBytes(len(l.Files)), func() (err error) {
			running, end := disk.LookAfter(t.Context(), disk.DirectoriesOf(l.Files), overlay)
			defer end()
			listed, err = disk.List(running, env.Dir, &env, overlay, append(env.Patterns(), slices.Sorted(maps.Keys(extra))...)...)
			return err
		})
		var failure *disk.CommandError
		switch {
		case errors.As(err, &odd):
			why, failed = odd.Error(), true
		case errors.As(err, &failure):
			why, failed = failure.Text, true
		case err != nil:
			return nil, err
		default:
			m, failed := disk.Assemble(&env, places, listed, extra)
			disk.PlaceUnsaved(m, unsaved)
			if !failed {
				m.Replaced = places.Replaced()
				return keep(t, m, &l, heads, &env, nil)
			}
			said = m.Problems
			why = said[0].Message
		}
	}
	if env.Plain && why == "" {
		why = fmt.Sprintf("there is no go.mod file in %s or any directory above it", env.Dir)
	}
	var headed []disk.HeadedFile
	for i := range heads {
		if path, ok := files.Path(l.Files[i]); ok && env.Owns(path) {
			headed = append(headed, disk.HeadedFile{URI: l.Files[i], Header: heads[i]})
		}
	}
	var m *metadata.Build
	err = t.Blocking(func() (err error) {
		m, err = disk.Fallback(t.Context(), &env, headed, modulePaths, why)
		return err
	})
	if err != nil {
		return nil, err
	}
	if failed {
		m.Failed = why
	}
	if said == nil && (!env.Plain || env.Problem != "") {
		said = places.Problems(why)
	}
	m.Problems, m.Replaced = said, places.Replaced()
	m.Normalise()
	return keep(t, m, &l, heads, &env, odd)
}

// listing runs fn, which waits for a child process that takes so many bytes.
func listing(t *runtime.Task, bytes int64, fn func() error) error {
	return t.Piece(bytes, func(func(func())) error {
		defer account.Reserve(bytes)()
		return t.Blocking(fn)
	})
}

// keep makes a result unstable that does not say how things are. Odd is what the go command was
// ended for, if it was.
func keep(t *runtime.Task, m *metadata.Build, l *layout, heads []string, env *disk.Environment, odd *disk.OddFileError) (*metadata.Build, error) {
	var err error
	if m.Unseen, err = unseen(t, l, heads, env, m.Packages); err != nil {
		return nil, err
	}
	if odd != nil {
		m.Unseen = append(m.Unseen, files.URI(odd.Path))
		slices.Sort(m.Unseen)
		m.Unseen = slices.Compact(m.Unseen)
	}
	if len(m.Unseen) > 0 {
		t.Unstable()
	}
	return m, nil
}

var metadatas = runtime.NewQuery("golang/metadata", version(6), metadataOf)
