package golang

import (
	"errors"
	"fmt"
	"hash/crc32"
	goruntime "runtime"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// The queries, from files upwards. Each is pure: it reads inputs and other queries, and a result
// equal to the one before leaves everything above it valid. No syntax tree and no type crosses from
// one query to another.
//
//	content -> header -> layout -> metadata -> packages, read by ID
//	content -> shape -> face text -> face of the package -> face of an importer …
//	content, faces of imports -> check
var (
	headers = runtime.NewQuery("golang/header", version(3), func(t *runtime.Task, uri string) (string, error) {
		text, err := textOf(t, uri)
		if errors.Is(err, lsp.ErrUnknownFile) {
			return "", nil
		}
		return syntax.HeaderText(text), err
	})

	shapes = runtime.NewQuery("golang/shape", version(4), func(t *runtime.Task, uri string) (shape, error) {
		text, err := textOf(t, uri)
		if err != nil {
			return shape{}, ignoreUnknown(err)
		}
		tree := syntax.Trees.Get(uri, text)
		text, doubt := syntax.ShownFace(tree)
		face, err := t.PutBlob(text)
		if err != nil {
			return shape{}, err
		}
		outline := syntax.Outline(tree)
		return shape{
			Face: face, Outline: outline, Symbols: index.AppendSymbols(nil, outline), Syntax: tree.Errors, Doubt: doubt,
		}, nil
	})

	faceTexts = runtime.NewQuery("golang/face-text", version(2), func(t *runtime.Task, uri string) (runtime.Blob, error) {
		s, err := shapes.Get(t, uri)
		return s.Face, err
	})

	symbolLists = runtime.NewQuery("golang/symbols", version(1), func(t *runtime.Task, uri string) ([]byte, error) {
		s, err := shapes.Get(t, uri)
		return s.Symbols, err
	})

	layouts = runtime.NewQuery("golang/layout", version(4), layoutOf)

	// packages are those of a build by ID: what reads one does not run again for another's sake.
	packages = runtime.NewTable("golang/packages", version(1), func(t *runtime.Task, root string) (map[string]*metadata.Package, error) {
		m, err := metadatas.Get(t, root)
		if err != nil {
			return nil, err
		}
		byID := make(map[string]*metadata.Package, len(m.Packages))
		for i := range m.Packages {
			byID[m.Packages[i].ID] = &m.Packages[i]
		}
		return byID, nil
	})

	strayPackages = runtime.NewQuery("golang/stray-package", version(1), func(t *runtime.Task, k pkgKey) (*metadata.Package, error) {
		return strayPackage(t, k.Root, k.ID)
	})

	fileDoubts = runtime.NewQuery("golang/doubt", version(1), func(t *runtime.Task, uri string) (syntax.Doubt, error) {
		s, err := shapes.Get(t, uri)
		return s.Doubt, err
	})

	doubts = runtime.NewQuery("golang/doubts", version(1), doubtsOf)

	checks = runtime.NewQuery("golang/check", version(6), checkOf)

	declarations = runtime.NewQuery("golang/declarations", version(5), declarationsOf)
)

// faces is made here because a face asks for those of its imports.
var faces *runtime.Query[pkgKey, faceResult]

func init() { faces = runtime.NewQuery("golang/face", version(3), faceOf) }

// version is the version of a query whose results also depend on the parser and the checker that
// this program was built with.
func version(n int) int {
	return int(crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %s", n, goruntime.Version())) >> 1)
}

// A pkgKey names a package of a workspace. A package that is no longer there has empty results.
type pkgKey struct{ Root, ID string }

// packageOf returns a package, stray or not; nil if there is none.
func packageOf(t *runtime.Task, k pkgKey) (*metadata.Package, error) {
	if isStray(k.ID) {
		return strayPackages.Get(t, k)
	}
	p, _, err := packages.Get(t, k.Root, k.ID)
	return p, err
}

// A shape is what one parse of a file gives, without its bodies.
type shape struct {
	Face    runtime.Blob // see syntax.FaceText
	Outline []lsp.Symbol
	Symbols []byte // a symbol list
	Syntax  []lsp.Diagnostic
	Doubt   syntax.Doubt
}

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
}

func ignoreUnknown(err error) error {
	if errors.Is(err, lsp.ErrUnknownFile) {
		return nil
	}
	return err
}

// importsOf reads the faces of what a package imports. Meant is the ID of the package at the end of
// an edge, "" if it is not read.
func importsOf(t *runtime.Task, root string, p *metadata.Package, meant func(*metadata.Edge) string) ([]check.Import, error) {
	var keys []pkgKey
	for i := range p.Imports {
		if id := meant(&p.Imports[i]); id != "" {
			keys = append(keys, pkgKey{root, id})
		}
	}
	results, err := faces.All(t, keys)
	if err != nil {
		return nil, err
	}
	out := make([]check.Import, 0, len(p.Imports))
	for i := range p.Imports {
		e := &p.Imports[i]
		id := meant(e)
		f := check.Import{Written: e.Import, Path: metadata.PathOf(id), Problem: e.Problem}
		if id != "" {
			r := results[0]
			results = results[1:]
			if f.Export, err = runtime.ReadBlob(t, r.Export); err != nil {
				return nil, err
			}
			f.Problem = r.Problem
		}
		out = append(out, f)
	}
	return out, nil
}

func faceOf(t *runtime.Task, k pkgKey) (faceResult, error) {
	p, err := packageOf(t, k)
	switch {
	case err != nil:
		return faceResult{}, err
	case p == nil:
		return faceResult{Problem: "there is no such package any more"}, nil
	case metadata.IsSyntaxOnly(p):
		return faceResult{Problem: "package " + p.Path + " is documentation of the language"}, nil
	}
	blobs, err := faceTexts.All(t, p.Files)
	if err != nil {
		return faceResult{}, err
	}
	var (
		texts [][]byte
		bytes int
	)
	for _, b := range blobs {
		text, err := runtime.ReadBlob(t, b)
		if err != nil {
			return faceResult{}, err
		}
		if bytes += len(text); bytes > maxPackageFace {
			return faceResult{Problem: fmt.Sprintf("package %s declares too much: more than %d MiB", p.Path, maxPackageFace>>20)}, nil
		}
		if len(text) > 0 {
			texts = append(texts, text)
		}
	}
	imports, err := importsOf(t, k.Root, p, (*metadata.Edge).Faced)
	if err != nil {
		return faceResult{}, err
	}
	export, err := check.Face(p, texts, imports)
	if err != nil {
		return faceResult{Problem: err.Error()}, nil
	}
	blob, err := t.PutBlob(export)
	return faceResult{Export: blob}, err
}

func checkOf(t *runtime.Task, k pkgKey) (checkResult, error) {
	c, err := checkWith(t, k, true)
	if err != nil {
		return checkResult{}, err
	}
	blob, err := t.PutBlob(c.Index)
	return checkResult{Diagnostics: c.Diagnostics, Index: blob, Symbols: c.Symbols, References: c.References}, err
}

func declarationsOf(t *runtime.Task, k pkgKey) (runtime.Blob, error) {
	c, err := checkWith(t, k, false)
	if err != nil {
		return runtime.Blob{}, err
	}
	return t.PutBlob(c.Index)
}

func checkWith(t *runtime.Task, k pkgKey, bodies bool) (check.Result, error) {
	p, err := packageOf(t, k)
	if err != nil {
		return check.Result{}, err
	}
	if p == nil {
		return check.Result{Index: index.Write(nil, nil, nil)}, nil
	}
	var (
		parsed  []*syntax.Tree
		missing []check.FileDiagnostic
	)
	room := maxPackageText
	for _, uri := range p.Files {
		text, err := textOf(t, uri)
		if errors.Is(err, lsp.ErrUnknownFile) {
			d, err := missingFile(t, uri)
			if err != nil {
				return check.Result{}, err
			}
			missing = append(missing, d)
			continue
		}
		if err != nil {
			return check.Result{}, err
		}
		if room -= len(text); room < 0 {
			missing = append(missing, unreadFile(uri, fmt.Sprintf(largePackage, maxPackageText>>20)))
			continue
		}
		parsed = append(parsed, syntax.Trees.Get(uri, text))
	}
	imports, err := importsOf(t, k.Root, p, (*metadata.Edge).Checked)
	if err != nil {
		return check.Result{}, err
	}
	of := doubtReader{t: t, root: k.Root, p: p}
	c, err := check.Package(p, parsed, imports, of.doubt, bodies)
	if of.err != nil {
		return check.Result{}, of.err
	}
	if err != nil {
		// A panic of the checker: the package has nothing to offer, and says why.
		c = check.Result{Index: index.Write(nil, nil, nil)}
		if len(parsed) > 0 {
			c.Diagnostics = append(c.Diagnostics, check.FileDiagnostic{URI: parsed[0].URI, Diag: lsp.Diagnostic{
				Severity: lsp.SeverityError, Code: "internal", Source: check.SourceTypes, Message: err.Error(),
			}})
		}
	}
	c.Diagnostics = append(c.Diagnostics, missing...)
	check.SortFileDiagnostics(c.Diagnostics)
	return c, nil
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
