package golang

import (
	"errors"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// packageDiagnostics is everything wrong with a package: what its check found, and what the go command has against it.
func packageDiagnostics(t *runtime.Task, root string, p *pkgMeta) ([]fileDiagnostic, error) {
	c, err := checks.Get(t, pkgKey{root, p.ID})
	if err != nil {
		return nil, err
	}
	out := slices.Clip(c.Diagnostics)
	if len(p.Forbidden) > 0 {
		for _, uri := range p.Files {
			text, err := textOf(t, uri)
			if ignoreUnknown(err) != nil {
				return nil, err
			}
			for _, d := range forbiddenIn(p, trees.get(uri, text)) {
				out = append(out, fileDiagnostic{uri, d})
			}
		}
	}
	for _, uri := range p.Files {
		h, err := headers.Get(t, uri)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(h, embedDirective) {
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
			out = append(out, fileDiagnostic{uri, d})
		}
	}
	for i := range p.Errors {
		e := p.Errors[i]
		if e.File == "" && len(p.Files) > 0 {
			e.File = p.Files[0]
		}
		uri, ok := canonicalURI(e.File)
		if !ok {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		d := e.diagnostic(text)
		if e.Line == 0 {
			d.Span = packageClause(text)
			if spec, ok := importOf(uri, text, e.Import); ok {
				d.Span = spec
			}
		}
		// A bad import and a bad header are found by the checker and the parser, too, and told better.
		spec := importAround(uri, text, d.Span.Start)
		known := slices.ContainsFunc(out, func(o fileDiagnostic) bool {
			return o.URI == uri && (o.Diag.Span.Start == d.Span.Start || spec.Start <= o.Diag.Span.Start && o.Diag.Span.Start < spec.End)
		})
		if !known {
			out = append(slices.Clip(out), fileDiagnostic{uri, d})
		}
	}
	return out, nil
}

// packageClause is the name in the package clause of a file, where errors about the package as a whole are shown.
func packageClause(text []byte) lsp.Span {
	t := parseTree("", text)
	if t.unfit {
		return lsp.Span{}
	}
	return t.span(t.file.Name.Pos(), t.file.Name.End())
}

// fileDiagnostics is everything wrong with a file.
func fileDiagnostics(t *runtime.Task, root, uri string) ([]lsp.Diagnostic, error) {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, err
	}
	out, err := workspaceProblems(t, root, m)
	if err != nil {
		return nil, err
	}
	var list []lsp.Diagnostic
	take := func(ds []fileDiagnostic) {
		for _, d := range ds {
			if d.URI == uri {
				list = append(list, d.Diag)
			}
		}
	}
	take(out)
	owners := m.owners(uri)
	path, _ := filePath(uri)
	theirs := m.foreign(path) || isVendored(path)
	for _, p := range owners {
		if !p.Workspace && (theirs || p.Standard) {
			continue // code that its reader does not change
		}
		ds, err := packageDiagnostics(t, root, p)
		if err != nil {
			return nil, err
		}
		take(ds)
	}
	if isParsedModuleFile(path) && !slices.Contains(env.moduleFiles(), path) {
		// Not in force, such as one that is not saved yet: what can be told of its text.
		ds, err := moduleFiles.Get(t, uri)
		if err != nil {
			return nil, err
		}
		list = append(list, ds...)
	}
	if len(owners) == 0 && isGoFile(uri) && !theirs {
		// Not part of the build, or not yet: its syntax can be judged.
		s, err := shapes.Get(t, uri)
		if err != nil {
			return nil, err
		}
		list = append(list, s.Syntax...)
	}
	return mergeDiagnostics(list), nil
}

// unreadFile says why a file is not read.
func unreadFile(uri, why string) fileDiagnostic {
	return fileDiagnostic{uri, lsp.Diagnostic{Severity: lsp.SeverityError, Code: "unread", Source: sourceDisk, Message: why}}
}

// workspaceProblems is what is wrong with no package in particular.
func workspaceProblems(t *runtime.Task, root string, m *metadata) ([]fileDiagnostic, error) {
	env, err := environments.Get(t, root)
	if err != nil {
		return nil, err
	}
	out, err := moduleDiagnostics(t, &env, m)
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
			out = append(out, unreadFile(fileURI(root), p.Path+": "+p.Message))
		} else {
			out = append(out, unreadFile(fileURI(p.Path), p.Message))
		}
	}
	return out, nil
}
