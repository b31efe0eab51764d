package oracle

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.lsp.dev/uri"
)

// A world is a module on disk and the unsaved texts of an editor.
type world struct {
	t       testing.TB
	rng     *rand.Rand
	root    string
	disk    map[string]*source // by path below the root, with slashes
	unsaved map[string]*source
	past    []version // of files, for undo
	goMod   string
}

// A version is what a file once was.
type version struct {
	path string
	src  *source
}

func newWorld(t testing.TB, rng *rand.Rand) *world {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, rng: rng, root: root, disk: map[string]*source{}, unsaved: map[string]*source{}}
	w.writeGoMod("1.26")
	for p := range packages {
		for f := range 2 {
			w.save(fmt.Sprintf("p%d/f%d.go", p, f), newSource(rng, p, f))
		}
	}
	return w
}

func (w *world) file(path string) string { return filepath.Join(w.root, filepath.FromSlash(path)) }

func (w *world) uri(path string) string { return string(uri.File(w.file(path))) }

func (w *world) writeGoMod(version string) {
	w.goMod = version
	text := fmt.Sprintf("module %s\n\ngo %s\n", modulePath, version)
	if err := os.WriteFile(w.file("go.mod"), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// save writes a file to disk.
func (w *world) save(path string, s *source) {
	w.past = append(w.past, version{path, s})
	w.disk[path] = s
	if err := os.MkdirAll(filepath.Dir(w.file(path)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.file(path), []byte(s.render()), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(path string) {
	delete(w.disk, path)
	if err := os.Remove(w.file(path)); err != nil {
		w.t.Fatal(err)
	}
}

// paths lists the files that there are, saved or not, in order (O1).
func (w *world) paths() []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(w.disk)), maps.Keys(w.unsaved))
	slices.Sort(all)
	return slices.Compact(all)
}

// current is a file as its reader sees it.
func (w *world) current(path string) *source {
	if s := w.unsaved[path]; s != nil {
		return s
	}
	return w.disk[path]
}

func choose[E any](rng *rand.Rand, list []E) (e E, ok bool) {
	if len(list) == 0 {
		return e, false
	}
	return list[rng.IntN(len(list))], true
}

// An edit is what an editor or a person at the disk did, as the engine under test is to be told.
type edit struct {
	what  string
	path  string
	set   bool // the file has an unsaved text
	clear bool // it no longer has
}

// edit changes the world.
func (w *world) edit() edit {
	path, ok := choose(w.rng, w.paths())
	if !ok {
		return w.create()
	}
	switch r := w.rng.IntN(100); {
	case r < 35:
		return w.overlay("type into", path, w.current(path).mutate(w.rng))
	case r < 55:
		w.save(path, w.current(path).mutate(w.rng))
		return edit{what: "write", path: path}
	case r < 65: // undo, on disk or in the editor
		v, _ := choose(w.rng, w.past)
		if w.rng.IntN(2) == 0 {
			return w.overlay("type undo into", v.path, v.src)
		}
		w.save(v.path, v.src)
		return edit{what: "write undo of", path: v.path}
	case r < 77:
		open, ok := choose(w.rng, slices.Sorted(maps.Keys(w.unsaved)))
		if !ok {
			return w.create()
		}
		if s := w.unsaved[open]; w.rng.IntN(2) == 0 {
			w.save(open, s)
		}
		delete(w.unsaved, open)
		return edit{what: "close", path: open, clear: true}
	case r < 85:
		return w.create()
	case r < 91:
		if w.disk[path] == nil {
			return w.create()
		}
		w.remove(path)
		return edit{what: "remove", path: path}
	case r < 94: // a whole package
		dir := filepath.Dir(w.file(path))
		for _, p := range slices.Sorted(maps.Keys(w.disk)) {
			if filepath.Dir(w.file(p)) == dir {
				w.remove(p)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			w.t.Fatal(err)
		}
		return edit{what: "remove directory of", path: filepath.ToSlash(filepath.Dir(path))}
	case r < 97:
		w.writeGoMod(map[string]string{"1.26": "1.21", "1.21": "1.26"}[w.goMod])
		return edit{what: "write", path: "go.mod"}
	}
	// One file becomes another.
	if s := w.disk[path]; s != nil {
		to := fmt.Sprintf("p%d/g%d.go", s.pkg, w.rng.IntN(3))
		w.remove(path)
		w.save(to, s)
		return edit{what: "move into", path: filepath.ToSlash(filepath.Dir(path))}
	}
	return w.create()
}

func (w *world) overlay(what, path string, s *source) edit {
	w.past = append(w.past, version{path, s})
	w.unsaved[path] = s
	return edit{what: what, path: path, set: true}
}

// create makes a new file, on disk or in the editor only.
func (w *world) create() edit {
	p := w.rng.IntN(packages)
	path := fmt.Sprintf("p%d/g%d.go", p, w.rng.IntN(3))
	s := newSource(w.rng, p, w.rng.IntN(2))
	for i := range s.decls {
		s.decls[i].slot++ // one that is there and one that is not
	}
	if w.rng.IntN(2) == 0 {
		return w.overlay("open new", path, s)
	}
	w.save(path, s)
	return edit{what: "write new", path: path}
}
