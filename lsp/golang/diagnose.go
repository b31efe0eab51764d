package golang

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// A fileKey names a file as a build sees it.
type fileKey struct{ Root, URI string }

// What is wrong is known by package, as the check finds it; by file, as it is shown; and as a list
// of the files of a build with anything wrong, by which a change of it is noticed.
var (
	problems = runtime.NewQuery("golang/problems", version(2), func(t *runtime.Task, k pkgKey) ([]check.FileDiagnostic, error) {
		p, err := packageOf(t, k)
		if err != nil || p == nil {
			return nil, err
		}
		found, err := findings.Get(t, k)
		if err != nil {
			return nil, err
		}
		return packageDiagnostics(t, p, found)
	})

	buildProblems = runtime.NewQuery("golang/build-problems", version(3), func(t *runtime.Task, root string) ([]check.FileDiagnostic, error) {
		m, err := metadatas.Get(t, root)
		if err != nil {
			return nil, err
		}
		return workspaceProblems(t, root, m)
	})

	reports = runtime.NewQuery("golang/report", version(2), func(t *runtime.Task, k fileKey) ([]lsp.Diagnostic, error) {
		return reportOf(t, k.Root, k.URI)
	})

	// filesWithProblems has, for each group of packages, the files in which they have problems,
	// with a digest of these. The variants of a package are in one group.
	filesWithProblems = newGathering("golang/files-with-problems", 1, func(t *runtime.Task, root string) ([]gatheringItem, error) {
		m, err := metadatas.Get(t, root)
		if err != nil {
			return nil, err
		}
		var items []gatheringItem
		for i := range m.Packages {
			if p := &m.Packages[i]; p.Workspace && len(p.Files) > 0 {
				items = append(items, gatheringItem{p.ID, files.DirURI(p.Files[0])})
			}
		}
		return items, nil
	}, func(t *runtime.Task, root string, ids []string) ([]byte, error) {
		keys := make([]pkgKey, len(ids))
		for i, id := range ids {
			keys[i] = pkgKey{root, id}
		}
		all, err := problems.All(t, keys)
		if err != nil {
			return nil, err
		}
		byFile := map[string][]lsp.Diagnostic{}
		for _, list := range all {
			for _, d := range list {
				byFile[d.URI] = append(byFile[d.URI], d.Diag)
			}
		}
		var b []byte
		for _, uri := range slices.Sorted(maps.Keys(byFile)) {
			b = appendText(appendText(b, uri), digestOf(mergeDiagnostics(byFile[uri])))
		}
		return b, nil
	})
)

// digestOf is a digest of diagnostics.
func digestOf(list []lsp.Diagnostic) string {
	h := sha256.New()
	for _, d := range list {
		fmt.Fprintf(h, "%d %d %d %q %q %q %t %t %q %q\n", d.Span.Start, d.Span.End, d.Severity, d.Code, d.Source, d.Message, d.Unnecessary, d.Deprecated, d.Href, fmt.Sprint(d.Related))
	}
	return string(h.Sum(nil)[:16])
}

// wrongFiles are the files in filesWithProblems of groups of which another state says something
// else, with the digests of their problems.
func wrongFiles(r runtime.Reader, of, other []gathered) (map[string]string, error) {
	known := make(map[gathered]bool, len(other))
	for _, g := range other {
		known[g] = true
	}
	files := map[string]string{}
	for _, g := range of {
		if known[g] {
			continue
		}
		b, err := runtime.ReadBlob(r, g.Of)
		for err == nil && len(b) > 0 {
			var uri, digest string
			if uri, b, err = takeText(b); err != nil {
				break
			}
			digest, b, err = takeText(b)
			files[uri] += digest
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// packageDiagnostics is everything wrong with a package: what its check found, and what the go
// command has against it.
func packageDiagnostics(
	t *runtime.Task, p *metadata.Package, found []check.FileDiagnostic,
) ([]check.FileDiagnostic, error) {
	out := slices.Clip(found)
	if len(p.Forbidden) > 0 {
		for _, uri := range p.Files {
			text, err := textOf(t, uri)
			if ignoreUnknown(err) != nil {
				return nil, err
			}
			for _, d := range forbiddenIn(p, syntax.Trees.Get(uri, text)) {
				out = append(out, check.FileDiagnostic{URI: uri, Diag: d})
			}
		}
	}
	for _, uri := range p.Files {
		h, err := headers.Get(t, uri)
		if err != nil {
			return nil, err
		}
		// The go command looks at no patterns of a file that does not import embed.
		if !strings.Contains(h, syntax.EmbedDirective) || !slices.Contains(syntax.ParseHeader(h).Imports, "embed") {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		list, err := embedDiagnostics(t, uri, text)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			out = append(out, check.FileDiagnostic{URI: uri, Diag: d})
		}
	}
	for i := range p.Errors {
		e := p.Errors[i]
		if e.File == "" && len(p.Files) > 0 {
			e.File = p.Files[0]
		}
		uri, ok := files.CanonicalURI(e.File)
		if !ok {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		d := e.Diagnostic(text)
		if e.Line == 0 {
			d.Span = packageClause(text)
			if spec, ok := syntax.ImportOf(uri, text, e.Import); ok {
				d.Span = spec
			}
		}
		// A bad import and a bad header are found by the checker and the parser, too, and told
		// better.
		spec := syntax.ImportAround(uri, text, d.Span.Start)
		known := slices.ContainsFunc(out, func(o check.FileDiagnostic) bool {
			return o.URI == uri && (o.Diag.Span.Start == d.Span.Start || spec.Start <= o.Diag.Span.Start && o.Diag.Span.Start < spec.End)
		})
		if !known {
			out = append(slices.Clip(out), check.FileDiagnostic{URI: uri, Diag: d})
		}
	}
	return out, nil
}

// packageClause is the name in the package clause of a file, where errors about the package as a
// whole are shown.
func packageClause(text []byte) lsp.Span {
	t := syntax.Parse("", text)
	if t.Unfit {
		return lsp.Span{}
	}
	return t.Span(t.AST.Name.Pos(), t.AST.Name.End())
}

// reportOf is everything wrong with a file that is asked about, or open.
func reportOf(t *runtime.Task, root, uri string) ([]lsp.Diagnostic, error) {
	list, err := builtDiagnostics(t, root, uri)
	if err != nil {
		return nil, err
	}
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, err
	}
	list = slices.Clip(list)
	owners := m.Owners(uri)
	path, _ := files.Path(uri)
	theirs := m.IsForeign(path) || disk.IsVendored(path)
	for _, p := range owners {
		if p.Workspace || theirs || p.Standard {
			continue // known, or code that its reader does not change
		}
		ds, err := problems.Get(t, pkgKey{root, p.ID})
		if err != nil {
			return nil, err
		}
		list = appendOf(list, ds, uri)
	}
	if disk.IsModuleFile(path) && !slices.Contains(env.ModuleFiles(), path) {
		// Not in force, such as one that is not saved yet: what can be told of its text.
		ds, err := moduleFiles.Get(t, uri)
		if err != nil {
			return nil, err
		}
		list = append(list, ds...)
	}
	if len(owners) == 0 && syntax.IsGoFile(uri) && !theirs {
		more, err := strayDiagnostics(t, root, uri)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return mergeDiagnostics(list), nil
}

// A strayStatus says what is told of a file that the build leaves out.
type strayStatus int

const (
	strayUnread   strayStatus = iota // nothing but its syntax
	strayChecked                     // what a check of its stray package finds
	strayExcluded                    // that its build constraints exclude it
)

// statusOf is what is told of a file that the build leaves out. One for another platform is checked
// as on that platform, a program of one file as go run would take it. With tags that the build does
// not have it is excluded, and what it means depends on others that nobody has named.
func statusOf(uri string, h *syntax.Header, s *stray) strayStatus {
	switch {
	case h.Broken || h.Name == "" || h.Name == "documentation":
		return strayUnread
	case s.kind != strayAlone && len(s.build.Tags) == 0:
		return strayChecked
	case s.kind == strayAlone && h.Name == "main" && !syntax.IsTestFile(uri) && disk.HasOnlyTag(h, standaloneTag):
		return strayChecked
	}
	return strayExcluded
}

// strayDiagnostics is what is wrong with a file that the build leaves out.
func strayDiagnostics(t *runtime.Task, root, uri string) ([]lsp.Diagnostic, error) {
	shape, err := shapes.Get(t, uri)
	if err != nil {
		return nil, err
	}
	id, err := strays.Get(t, pkgKey{root, uri})
	if err != nil || id == "" {
		return shape.Syntax, err
	}
	text, err := headers.Get(t, uri)
	if err != nil {
		return nil, err
	}
	h := syntax.ParseHeader(text)
	_, s, _ := parseStray(id)
	switch statusOf(uri, &h, &s) {
	case strayChecked:
		p, err := strayPackages.Get(t, pkgKey{root, id})
		if err != nil || p == nil {
			return shape.Syntax, err
		}
		found, err := strayFindings.Get(t, packageFile{root, id, uri})
		if err != nil {
			return nil, err
		}
		if found, err = packageDiagnostics(t, p, found); err != nil {
			return nil, err
		}
		list, err := s.suffixed(t, root, appendOf(nil, found, uri))
		return slices.Concat(shape.Syntax, list), err
	case strayExcluded:
		text, err := textOf(t, uri)
		if err != nil {
			return nil, ignoreUnknown(err)
		}
		return append(slices.Clip(shape.Syntax), excluded(text, s.build.Tags)), nil
	}
	return shape.Syntax, nil
}

// suffixed are diagnostics that say which platform they are about, if it is not the workspace's.
func (s *stray) suffixed(t *runtime.Task, root string, list []lsp.Diagnostic) ([]lsp.Diagnostic, error) {
	env, err := environments.Get(t, root)
	if err != nil || s.build.OS == env.GoOS && s.build.Arch == env.GoArch {
		return list, err
	}
	for i := range list {
		list[i].Message += fmt.Sprintf(" [%s,%s]", s.build.OS, s.build.Arch)
	}
	return list, nil
}

// excluded says that the constraints of a file exclude it from the build.
// Tags are those of a build that would have the file.
func excluded(text []byte, tags []string) lsp.Diagnostic {
	hint := ""
	if len(tags) > 0 {
		hint = "; the setting buildFlags may name them: -tags=" + strings.Join(tags, ",")
	}
	return lsp.Diagnostic{
		Span: packageClause(text), Severity: lsp.SeverityWarning, Code: "excluded", Source: metadata.SourceList,
		Message: "No packages found with this file: it is excluded due to its build tags" + hint,
	}
}

// builtDiagnostics is what a build has against a file, whether or not it is asked about.
func builtDiagnostics(t *runtime.Task, root, uri string) ([]lsp.Diagnostic, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	all, err := buildProblems.Get(t, root)
	if err != nil {
		return nil, err
	}
	list := appendOf(nil, all, uri)
	for _, p := range m.Telling(uri) {
		ds, err := problems.Get(t, pkgKey{root, p.ID})
		if err != nil {
			return nil, err
		}
		list = appendOf(list, ds, uri)
	}
	return list, nil
}

// appendOf adds those diagnostics that are about a file.
func appendOf(list []lsp.Diagnostic, all []check.FileDiagnostic, uri string) []lsp.Diagnostic {
	for _, d := range all {
		if d.URI == uri {
			list = append(list, d.Diag)
		}
	}
	return list
}

// workspaceProblems is what is wrong with no package in particular.
func workspaceProblems(t *runtime.Task, root string, m *metadata.Build) ([]check.FileDiagnostic, error) {
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, err
	}
	out, err := moduleDiagnostics(t, root, &env, m)
	if err != nil {
		return nil, err
	}
	problems, err := scanProblems.Get(t, root)
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		return nil, err
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Path, `"`) {
			// No URI can name it.
			out = append(out, unreadFile(files.URI(root), p.Path+": "+p.Message))
		} else {
			out = append(out, unreadFile(files.URI(p.Path), p.Message))
		}
	}
	return out, nil
}

// forbiddenIn are the diagnostics of a file for the imports that are refused.
func forbiddenIn(p *metadata.Package, t *syntax.Tree) (out []lsp.Diagnostic) {
	for _, spec := range t.AST.Imports {
		path := syntax.ImportPath(spec)
		for _, f := range p.Forbidden {
			if f.Import == path {
				out = append(out, lsp.Diagnostic{
					Span: t.Span(spec.Pos(), spec.Path.End()), Severity: lsp.SeverityError,
					Code: "import", Source: metadata.SourceList, Message: f.Message,
				})
			}
		}
	}
	return out
}

// mergeDiagnostics sorts diagnostics and drops repeats: a file that is in several variants of a
// package has the same errors in each.
func mergeDiagnostics(ds []lsp.Diagnostic) []lsp.Diagnostic {
	slices.SortStableFunc(ds, lsp.CompareDiagnostics)
	return slices.CompactFunc(ds, func(a, b lsp.Diagnostic) bool { return lsp.CompareDiagnostics(a, b) == 0 })
}
