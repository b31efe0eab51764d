package golang

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// A lintKey names a package, and the settings of what looks at it.
type lintKey struct{ Root, ID, Settings string }

// widest is the package of the workspace that a file is analyzed in: of those that it is compiled
// in the one with the most files, which knows the uses that tests make of the others.
func widest(m *metadata.Build, uri string) *metadata.Package {
	var most *metadata.Package
	for _, p := range m.Owners(uri) {
		if p.Workspace && (most == nil || len(p.Files) > len(most.Files)) {
			most = p
		}
	}
	return most
}

// A lintResult is what analyzers say of a package.
type lintResult struct {
	Found  []lint.Finding
	Failed []lint.Failure
}

// lints are what analyzers say of packages.
var lints = runtime.NewQuery("golang/lint", version(4), lintOf)

// A noteKey names a package, and the analyzers that note facts about it (lint.Notes).
type noteKey struct{ Root, ID, Notes string }

// A noteResult is what analyzers have noted about a package and about all that it is made of. It
// names the facts by their blobs, so that who imports two of them reads what both rest on once.
type noteResult struct {
	Of     []notedPackage // by path: what it imports, and the package itself
	Ending []string       // in order: names of functions of these that never return
}

// A notedPackage has the facts about one package, of which there are some.
type notedPackage struct {
	Path  string
	Facts runtime.Blob
}

// notes is made here because it asks for the notes about imports.
var notes *runtime.Query[noteKey, noteResult]

func init() { notes = runtime.NewQuery("golang/notes", version(2), notesOf) }

// importedNotes are the notes about what a package imports. Meant is the ID of the package at the
// end of an edge, "" if it is not read.
func importedNotes(t *runtime.Task, root, which string, p *metadata.Package, meant func(*metadata.Edge) string) (out noteResult, err error) {
	var keys []noteKey
	for i := range p.Imports {
		if id := meant(&p.Imports[i]); id != "" {
			keys = append(keys, noteKey{root, id, which})
		}
	}
	all, err := notes.All(t, keys)
	if err != nil {
		return out, err
	}
	for _, n := range all {
		out.Of = append(out.Of, n.Of...)
		out.Ending = append(out.Ending, n.Ending...)
	}
	return out.sorted(), nil
}

// sorted has each package and each name once.
func (n noteResult) sorted() noteResult {
	byPath := func(a, b notedPackage) int { return strings.Compare(a.Path, b.Path) }
	slices.SortStableFunc(n.Of, byPath)
	n.Of = slices.CompactFunc(n.Of, func(a, b notedPackage) bool { return a.Path == b.Path })
	slices.Sort(n.Ending)
	n.Ending = slices.Compact(n.Ending)
	return n
}

// reader reads the notes for analyzers. The first failure is kept.
func (n noteResult) reader(r *exportReader) lint.Imported {
	return func(path string) []byte {
		i, ok := slices.BinarySearchFunc(n.Of, path, func(p notedPackage, path string) int { return strings.Compare(p.Path, path) })
		if !ok {
			return nil
		}
		data, _ := r.read(n.Of[i].Facts)
		return data
	}
}

// lintViews are the views that analyzers look at. They are apart from those of questions, none of
// which waits for an analyzer, and are not kept.
var lintViews check.ViewPool

// turnOf has an analyzer run when nothing as urgent waits, and not when nobody waits for it any
// more. More urgent work goes on beside it.
func turnOf(t *runtime.Task) lint.Turn {
	return func(run func()) error {
		t.Yield()
		if err := context.Cause(t.Context()); err != nil {
			return err
		}
		return t.Piece(0, func(func(func())) error { run(); return nil })
	}
}

func notesOf(t *runtime.Task, k noteKey) (out noteResult, err error) {
	which := lint.ReadNotes(k.Notes)
	p, err := packageOf(t, pkgKey{k.Root, k.ID})
	if err != nil || p == nil || metadata.IsSyntaxOnly(p) || len(p.Files) == 0 {
		return out, err
	}
	out, err = importedNotes(t, k.Root, k.Notes, p, (*metadata.Edge).Faced)
	if err != nil {
		return out, err
	}
	var trees []*syntax.Tree
	for _, uri := range p.Files {
		text, err := textOf(t, uri)
		if err != nil {
			if ignoreUnknown(err) != nil {
				return out, err
			}
			continue
		}
		trees = append(trees, syntax.Trees.Get(uri, text))
	}
	trees = slices.DeleteFunc(trees, func(t *syntax.Tree) bool { return t.Unfit })
	wanted := which.Wanted(p, trees, out.Ending)
	if !wanted.Any {
		return out, nil
	}
	var noted lint.Noted
	reader := &exportReader{t: t}
	sight := check.Sight{Bodies: check.SomeBodies, Keep: wanted.Keep}
	err = lookApart(taskSource{t, k.Root}, k.ID, sight, trees, func(v *view) (err error) {
		noted, err = which.Note(v.View, wanted, out.reader(reader), turnOf(t))
		return cmp.Or(reader.err, err)
	})
	if err != nil {
		return noteResult{}, err
	}
	if len(noted.Facts) > 0 {
		blob, err := t.PutBlob(noted.Facts)
		if err != nil {
			return noteResult{}, err
		}
		out.Of = append([]notedPackage{{p.Path, blob}}, out.Of...)
	}
	out.Ending = append(out.Ending, noted.Ending...)
	return out.sorted(), nil
}

// lookApart has fn look at the types of a package, where no question does. What they look at of the
// package's imports is read as a whole. Trees are as for viewPackageIn.
func lookApart(src taskSource, id string, s check.Sight, trees []*syntax.Tree, fn func(v *view) error) error {
	p, err := packageOf(src.t, pkgKey{src.root, id})
	if err != nil || p == nil {
		return err
	}
	var imported []pkgKey
	for _, id := range p.Checked() {
		imported = append(imported, pkgKey{src.root, id})
	}
	if _, err := faces.All(src.t, imported); err != nil {
		return err
	}
	return viewPackageIn(&lintViews, src, id, s, trees, fn)
}

func lintOf(t *runtime.Task, k lintKey) (out lintResult, err error) {
	p, err := packageOf(t, pkgKey{k.Root, k.ID})
	if err != nil || p == nil || metadata.IsSyntaxOnly(p) || len(p.Files) == 0 {
		return out, err
	}
	s, err := lint.ReadKey(k.Settings)
	if err != nil {
		return out, err
	}
	all, err := lintWith(t, k.Root, p, s, lint.Run)
	if err != nil || !all.Broken {
		return lintResult{all.Found, all.Failed}, err
	}
	own, err := withoutTests(t, k.Root, p)
	if err != nil || own == nil {
		return lintResult{all.Found, all.Failed}, err
	}
	rest, err := lintWith(t, k.Root, own, s, lint.RunBesideTests)
	if err != nil {
		return out, err
	}
	all.Add(rest)
	return lintResult{all.Found, all.Failed}, nil
}

// withoutTests is the package that p is the variant with tests of. It is nil if there is none, or
// if something is wrong with it, too: an error in a test file costs that file alone.
func withoutTests(t *runtime.Task, root string, p *metadata.Package) (*metadata.Package, error) {
	if p.ForTest == "" || p.ForTest != p.Path {
		return nil, nil
	}
	k := pkgKey{root, p.Path} // the go command names a package that is no variant by its path
	own, err := packageOf(t, k)
	if err != nil || own == nil || !own.Workspace {
		return nil, err
	}
	found, err := findings.Get(t, k)
	if err != nil || len(found) > 0 {
		return nil, err
	}
	return own, nil
}

// lintWith has analyzers look at a package.
func lintWith(
	t *runtime.Task, root string, p *metadata.Package, s lint.Settings,
	run func(*check.View, lint.Settings, lint.Imported, lint.Turn) (lint.Result, error),
) (out lint.Result, err error) {
	noted, err := importedNotes(t, root, s.Notes().Key(), p, (*metadata.Edge).Checked)
	if err != nil {
		return out, err
	}
	reader := &exportReader{t: t}
	err = lookApart(taskSource{t, root}, p.ID, check.Sight{Bodies: check.AllBodies}, nil, func(v *view) (err error) {
		if len(v.Files) < len(p.Files) {
			return nil // what is left out may use what looks unused; a diagnostic says that it is
		}
		out, err = run(v.View, s, noted.reader(reader), turnOf(t))
		return cmp.Or(reader.err, err)
	})
	return out, err
}

// A linted is what was said of an open file last, of which text, and under which settings.
type linted struct {
	settings string
	text     []byte
	list     []lsp.Diagnostic
}

// carried are diagnostics of an older text that are about what a text still has, where that stands
// now.
func carried(of linted, text []byte) (list []lsp.Diagnostic) {
	before := 0
	for before < len(of.text) && before < len(text) && of.text[before] == text[before] {
		before++
	}
	after := 0
	for after < len(of.text)-before && after < len(text)-before && of.text[len(of.text)-1-after] == text[len(text)-1-after] {
		after++
	}
	// The line that was changed is not what it was.
	before = bytes.LastIndexByte(of.text[:before], '\n') + 1
	if !beginsLine(of.text, len(of.text)-after) || !beginsLine(text, len(text)-after) {
		if n := bytes.IndexByte(of.text[len(of.text)-after:], '\n'); n >= 0 {
			after -= n
		} else {
			after = 0
		}
	}
	for _, d := range of.list {
		switch {
		case d.Span.End <= before:
		case d.Span.Start >= len(of.text)-after:
			d.Span.Start += len(text) - len(of.text)
			d.Span.End += len(text) - len(of.text)
		default:
			continue
		}
		d.Related = nil // which may have moved, too
		list = append(list, d)
	}
	return list
}

func beginsLine(text []byte, at int) bool { return at == 0 || text[at-1] == '\n' }
