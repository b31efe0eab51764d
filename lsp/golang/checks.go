package golang

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	checknames "github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

var checks = runtime.NewQuery("golang/check", version(11), checkOf)

var declarations = runtime.NewQuery("golang/declarations", version(7), declarationsOf)

// surfaces is made here because it asks for the faces of imports.
var surfaces *runtime.Query[pkgKey, surfaceResult]

func init() { surfaces = runtime.NewQuery("golang/surface", version(3), surfaceOf) }

// A surfaceResult is what a check without function bodies gives.
type surfaceResult struct {
	Face    faceResult
	Methods runtime.Blob // a table of package methods; zero: there are none, or the check has them
}

// faces are apart from surfaces for those who need nothing else of them.
var faces = runtime.NewQuery("golang/face", version(5), func(t *runtime.Task, k pkgKey) (faceResult, error) {
	s, err := surfaces.Get(t, k)
	return s.Face, err
})

// A faceResult is a package as importers see it.
type faceResult struct {
	Export  runtime.Blob
	Problem string // why there is no export data
}

// A checkResult is what the check of a package came to.
type checkResult struct {
	Diagnostics []check.FileDiagnostic
	Index       runtime.Blob
	Symbols     int
	References  int
	Methods     runtime.Blob // a table of package methods; zero if there are none
}

// An exportReader reads export data for a check. The first failure is kept.
type exportReader struct {
	t   *runtime.Task
	err error
}

func (r *exportReader) read(b runtime.Blob) ([]byte, error) {
	data, err := runtime.ReadBlob(r.t, b)
	if r.err == nil {
		r.err = err
	}
	return data, err
}

// importsOf reads the faces of what a package imports. Meant is the ID of the package at the end of
// an edge, "" if it is not read.
func importsOf(t *runtime.Task, root string, p *metadata.Package, meant func(*metadata.Edge) string) ([]check.Import, *exportReader, error) {
	var keys []pkgKey
	for i := range p.Imports {
		if id := meant(&p.Imports[i]); id != "" {
			keys = append(keys, pkgKey{root, id})
		}
	}
	results, err := faces.All(t, keys)
	if err != nil {
		return nil, nil, err
	}
	reader := &exportReader{t: t}
	out := make([]check.Import, 0, len(p.Imports))
	for i := range p.Imports {
		e := &p.Imports[i]
		id := meant(e)
		f := check.Import{Written: e.Import, Path: metadata.PathOf(id), Problem: e.Problem}
		if id != "" {
			r := results[0]
			results = results[1:]
			if !r.Export.IsZero() {
				f.Face = r.Export.String()
				f.Export = func() ([]byte, error) { return reader.read(r.Export) }
			}
			f.Problem = r.Problem
		}
		out = append(out, f)
	}
	return out, reader, nil
}

func surfaceOf(t *runtime.Task, k pkgKey) (s surfaceResult, err error) {
	p, err := packageOf(t, k)
	switch {
	case err != nil:
		return s, err
	case p == nil:
		s.Face.Problem = "there is no such package any more"
		return s, nil
	case metadata.IsSyntaxOnly(p):
		s.Face.Problem = "package " + p.Path + " is documentation of the language"
		return s, nil
	}
	blobs, err := faceTexts.All(t, p.Files)
	if err != nil {
		return s, err
	}
	texts := make([][]byte, len(blobs))
	bytes := 0
	for i, b := range blobs {
		if texts[i], err = runtime.ReadBlob(t, b); err != nil {
			return s, err
		}
		if bytes += len(texts[i]); bytes > maxPackageFace {
			s.Face.Problem = fmt.Sprintf("package %s declares too much: more than %d MiB", p.Path, maxPackageFace>>20)
			return s, nil
		}
	}
	imports, exports, err := importsOf(t, k.Root, p, (*metadata.Edge).Faced)
	if err != nil {
		return s, err
	}
	var export, table []byte
	var failed error
	err = t.Piece(worldBytes+int64(bytes)*checkWeight, func(func(func())) error {
		if state := stateOf(t, k.Root, p); p.Workspace {
			export, failed = check.Face(p, texts, imports, state)
		} else {
			export, table, failed = check.Surface(p, texts, imports, state)
		}
		return exports.err
	})
	if err != nil {
		return s, err
	}
	if failed != nil {
		s.Face.Problem = failed.Error()
		return s, nil
	}
	if len(table) > 0 {
		if s.Methods, err = t.PutBlob(table); err != nil {
			return s, err
		}
	}
	s.Face.Export, err = t.PutBlob(export)
	return s, err
}

// stateOf names the state that the faces of the imports of a package are of; nil if some of them
// may be of variants, which have the path of another package.
func stateOf(t *runtime.Task, root string, p *metadata.Package) any {
	if p.ID != p.Path {
		return nil
	}
	for i := range p.Imports {
		if id := p.Imports[i].Faced(); id != metadata.PathOf(id) {
			return nil
		}
	}
	if state := t.State(); state != nil {
		return worldState{state, root}
	}
	return nil
}

// A worldState names the state of a build. Two builds may have a package in two versions.
type worldState struct {
	of   any
	root string
}

func checkOf(t *runtime.Task, k pkgKey) (checkResult, error) {
	c, err := checkWith(t, k, true)
	if err != nil {
		return checkResult{}, err
	}
	out := checkResult{Diagnostics: c.Diagnostics, Symbols: c.Symbols, References: c.References}
	if len(c.Methods) > 0 {
		if out.Methods, err = t.PutBlob(c.Methods); err != nil {
			return checkResult{}, err
		}
	}
	out.Index, err = t.PutBlob(c.Index)
	return out, err
}

func declarationsOf(t *runtime.Task, k pkgKey) (runtime.Blob, error) {
	c, err := checkWith(t, k, false)
	if err != nil {
		return runtime.Blob{}, err
	}
	return t.PutBlob(c.Index)
}

func checkWith(t *runtime.Task, k pkgKey, bodies bool) (c check.Result, err error) {
	in, err := readPackage(t, k)
	if err != nil {
		return c, err
	}
	if in.p == nil {
		return check.Result{Index: index.Write(nil, nil, nil)}, nil
	}
	broken, err := in.check(t, func(
		files []*syntax.Tree, imports []check.Import, doubtOf func(string) syntax.Doubt,
	) (_ check.Looks, err error) {
		c, err = check.Package(in.p, files, imports, doubtOf, bodies)
		return c.Looked, err
	})
	if err != nil {
		return check.Result{}, err
	}
	if broken != nil {
		// A panic of the checker: the package has nothing to offer, and says why.
		c = check.Result{Index: index.Write(nil, nil, nil), Diagnostics: broken}
	}
	c.Diagnostics = in.with(c.Diagnostics)
	return c, nil
}

// A checkInput is what a package is checked from. It is read before anything is computed of it, so
// that whether an answer still holds shows before anything is computed again.
type checkInput struct {
	root    string
	p       *metadata.Package // nil: there is none
	uris    []string          // of files that have a text
	texts   [][]byte
	blobs   []runtime.Blob         // of texts
	trees   []*syntax.Tree         // nil where none is known; see knownTrees
	missing []check.FileDiagnostic // about the other files

	// Read and not recorded: recorded is what the check has looked at in them.
	imports []check.Import
	exports *exportReader
}

func readPackage(t *runtime.Task, k pkgKey) (*checkInput, error) {
	p, err := packageOf(t, k)
	if err != nil || p == nil {
		return &checkInput{}, err
	}
	in := &checkInput{root: k.Root, p: p}
	room := maxPackageText
	for _, uri := range p.Files {
		blob, err := contents.Get(t, uri)
		if err != nil {
			return nil, err
		}
		if blob.IsZero() {
			d, err := missingFile(t, uri)
			if err != nil {
				return nil, err
			}
			in.missing = append(in.missing, d)
			continue
		}
		tree := knownTrees.get(uri, blob)
		var text []byte
		if tree != nil {
			text = tree.Text
		} else if text, err = runtime.ReadBlob(t, blob); err != nil {
			return nil, err
		}
		if room -= len(text); room < 0 {
			why := fmt.Sprintf(largePackage, maxPackageText>>20)
			in.missing = append(in.missing, unreadFile(uri, why))
			continue
		}
		in.uris, in.texts = append(in.uris, uri), append(in.texts, text)
		in.blobs, in.trees = append(in.blobs, blob), append(in.trees, tree)
	}
	err = t.Unrecorded(func() (err error) {
		in.imports, in.exports, err = importsOf(t, k.Root, p, (*metadata.Edge).Checked)
		return err
	})
	return in, err
}

// check calls fn, which checks the package and says what it has looked at. If fn fails, broken says
// so.
func (in *checkInput) check(
	t *runtime.Task,
	fn func([]*syntax.Tree, []check.Import, func(string) syntax.Doubt) (check.Looks, error),
) (broken []check.FileDiagnostic, err error) {
	release, err := reserve(t, in.p)
	if err != nil {
		return nil, err
	}
	defer release()
	bytes := 0
	for _, text := range in.texts {
		bytes += len(text)
	}
	// Faces may have to be made, one below the other: trees that are parsed earlier would lie there
	// all the while. And they are let go where an index is made without them, so nothing here holds
	// them.
	of := doubtReader{t: t, root: in.root, p: in.p}
	var (
		looks  check.Looks
		failed error
	)
	err = t.Piece(worldBytes+int64(bytes)*checkWeight, func(aside func(func())) error {
		parsed := in.parse(check.Sessions.Edited(in.p)) // then a session keeps them
		in.texts, in.trees = nil, nil
		of.aside = aside
		return t.Unrecorded(func() error {
			looks, failed = fn(parsed, in.imports, of.doubt)
			return cmp.Or(of.err, in.exports.err)
		})
	})
	of.aside = func(wait func()) { wait() } // what comes next waits for queries
	if err != nil {
		return nil, err
	}
	if failed != nil {
		looks = nil
	}
	if err := recordLooks(t, in.root, in.p, looks); err != nil {
		return nil, err
	}
	if err := of.record(); err != nil || failed == nil {
		return nil, err
	}
	broken = []check.FileDiagnostic{}
	if len(in.uris) > 0 {
		broken = append(broken, check.FileDiagnostic{URI: in.uris[0], Diag: lsp.Diagnostic{
			Severity: lsp.SeverityError, Code: "internal", Source: check.SourceTypes, Message: failed.Error(),
		}})
	}
	return broken, nil
}

// use has parse give those of trees, which a caller has, that are of these texts.
func (in *checkInput) use(trees []*syntax.Tree) {
	for _, t := range trees {
		if i := slices.Index(in.uris, t.URI); i >= 0 && bytes.Equal(t.Text, in.texts[i]) {
			in.trees[i] = t
		}
	}
}

// parse gives the trees of the texts. Those that somebody will hold for a while are known from then
// on.
func (in *checkInput) parse(held bool) []*syntax.Tree {
	parsed := slices.Clone(in.trees)
	for i, uri := range in.uris {
		if parsed[i] != nil {
			continue
		}
		parsed[i] = syntax.Trees.Get(uri, in.texts[i])
		if held {
			knownTrees.put(uri, in.blobs[i], parsed[i])
		}
	}
	return parsed
}

// with are the diagnostics of a check, and those of files that it does not read.
func (in *checkInput) with(list []check.FileDiagnostic) []check.FileDiagnostic {
	list = append(list, in.missing...)
	check.SortFileDiagnostics(list)
	return list
}

// reserve waits until nobody else checks a package that is edited.
func reserve(t *runtime.Task, p *metadata.Package) (release func(), err error) {
	for {
		release, busy := check.Sessions.Reserve(p)
		if busy == nil {
			return release, nil
		}
		if err := t.Blocking(func() error { <-busy; return nil }); err != nil {
			return nil, err
		}
	}
}

// checkWeight is how many bytes a check, or a face, has in memory at most for each byte of text,
// measured on the largest packages of the standard library, and worldBytes what it takes for what
// it imports: little of the standard library, and tens of MiB of a cloud's interface.
const (
	checkWeight = 32
	worldBytes  = 8 << 20
)

// declared has what importers can see of a package, name by name.
var declared = runtime.NewTable("golang/names", version(1), func(t *runtime.Task, k pkgKey) (map[string]checknames.Digest, error) {
	f, err := faces.Get(t, k)
	if err != nil || f.Export.IsZero() {
		return checknames.Missing(f.Problem), err
	}
	export, err := runtime.ReadBlob(t, f.Export)
	if err != nil {
		return nil, err
	}
	return check.Names(metadata.PathOf(k.ID), export), nil
})

// recordLooks reads what a check of a package has looked at in the faces of its imports, so that it
// depends on that. On a package of somebody else, which seldom changes, it depends as a whole, and
// on every package if what was looked at is not known.
func recordLooks(t *runtime.Task, root string, p *metadata.Package, looks check.Looks) error {
	var byName, whole []pkgKey
	err := t.Unrecorded(func() error {
		for _, id := range p.Checked() {
			k := pkgKey{root, id}
			imported, err := packageOf(t, k)
			if err != nil {
				return err
			}
			if looks[metadata.PathOf(id)] == nil || imported == nil || !imported.Workspace && imported.ForTest == "" {
				whole = append(whole, k)
			} else {
				byName = append(byName, k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := faces.All(t, whole); err != nil {
		return err
	}
	for _, k := range byName {
		if _, _, err := declared.GetBatch(t, k, looks[metadata.PathOf(k.ID)]); err != nil {
			return err
		}
	}
	return nil
}

// missingFile says why a file of a package has no text.
func missingFile(t *runtime.Task, uri string) (check.FileDiagnostic, error) {
	why := "the file cannot be read"
	st, err := stats.Get(t, uri)
	switch {
	case errors.Is(err, runtime.ErrNotFound), errors.Is(err, runtime.ErrDamaged):
	case err != nil:
		return check.FileDiagnostic{}, err
	case st.Refuse != "":
		why = st.Refuse
	}
	return unreadFile(uri, why), nil
}

// unreadFile says why a file is not read.
func unreadFile(uri, why string) check.FileDiagnostic {
	return check.FileDiagnostic{URI: uri, Diag: lsp.Diagnostic{Severity: lsp.SeverityError, Code: "unread", Source: sourceDisk, Message: why}}
}

// maxPackageText bounds the texts of a package, comments included; files beyond are not parsed.
// maxPackageFace bounds its face texts.
const maxPackageText = 32 << 20

const maxPackageFace = 16 << 20

// largePackage says why a file is not even parsed.
const largePackage = "the file is not read: with it, the package has more than %d MiB of text"

// Sources of diagnostics, as editors show them.
const (
	sourceDisk = "disk"
)
