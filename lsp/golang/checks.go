package golang

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

var checks = runtime.NewQuery("golang/check", version(7), checkOf)

var declarations = runtime.NewQuery("golang/declarations", version(5), declarationsOf)

// faces is made here because a face asks for those of its imports.
var faces *runtime.Query[pkgKey, faceResult]

func init() { faces = runtime.NewQuery("golang/face", version(3), faceOf) }

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
	imports, exports, err := importsOf(t, k.Root, p, (*metadata.Edge).Faced)
	if err != nil {
		return faceResult{}, err
	}
	export, err := check.Face(p, texts, imports)
	if exports.err != nil {
		return faceResult{}, exports.err
	}
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
	type file struct {
		uri  string
		text []byte
	}
	var (
		read    []file
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
		read = append(read, file{uri, text})
	}
	imports, exports, err := importsOf(t, k.Root, p, (*metadata.Edge).Checked)
	if err != nil {
		return check.Result{}, err
	}
	// Faces may have to be made, one below the other: the trees would lie there all the while.
	parsed, first := make([]*syntax.Tree, len(read)), ""
	for i, f := range read {
		parsed[i] = syntax.Trees.Get(f.uri, f.text)
	}
	if len(read) > 0 {
		first = read[0].uri
	}
	of := doubtReader{t: t, root: k.Root, p: p}
	c, err := check.Package(p, parsed, imports, of.doubt, bodies)
	if err := cmp.Or(of.err, exports.err); err != nil {
		return check.Result{}, err
	}
	if err != nil {
		// A panic of the checker: the package has nothing to offer, and says why.
		c = check.Result{Index: index.Write(nil, nil, nil)}
		if first != "" {
			c.Diagnostics = append(c.Diagnostics, check.FileDiagnostic{URI: first, Diag: lsp.Diagnostic{
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
