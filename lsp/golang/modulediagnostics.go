package golang

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/gomod"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// moduleFiles takes the text of a module file apart, the unsaved one if there is one.
var moduleFiles = runtime.NewQuery("golang/module-file", 1, func(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	text, err := textOf(t, uri)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	return disk.ParseModuleFile(files.PathOf(uri), text).Errors, nil
})

// An importing is that some file of a directory imports a package.
type importing struct{ dir, path string }

// buildImports has, for each group of files, what they import.
var buildImports = newGathering("golang/build-imports", 1, func(t *runtime.Task, root string) ([]gatheringItem, error) {
	l, err := fileLists.Get(t, root)
	items := make([]gatheringItem, len(l.Files))
	for i, uri := range l.Files {
		items[i] = gatheringItem{uri, uri}
	}
	return items, err
}, func(t *runtime.Task, _ string, uris []string) ([]byte, error) {
	heads, err := headers.All(t, uris)
	if err != nil {
		return nil, err
	}
	all := map[importing]bool{}
	for i, head := range heads {
		h := syntax.ParseHeader(head)
		if disk.HasOnlyTag(&h, standaloneTag) {
			continue // go mod tidy passes over it, too
		}
		for _, path := range h.Imports {
			all[importing{files.DirURI(uris[i]), path}] = true
		}
	}
	var b []byte
	for _, i := range slices.SortedFunc(maps.Keys(all), func(a, b importing) int {
		return cmp.Or(strings.Compare(a.dir, b.dir), strings.Compare(a.path, b.path))
	}) {
		b = appendText(appendText(b, i.dir), i.path)
	}
	return b, nil
})

// importsByModule are the packages that the packages of each of a build's own modules import, on
// any platform, by the directory of the module.
func importsByModule(t *runtime.Task, root string, env *disk.Environment) (map[string][]string, error) {
	groups, err := buildImports.all(t, root)
	if err != nil {
		return nil, err
	}
	byModule := map[string][]string{}
	for _, g := range groups {
		b, err := runtime.ReadBlob(t, g.Of)
		for err == nil && len(b) > 0 {
			var dir, path string
			if dir, b, err = takeText(b); err != nil {
				break
			}
			if path, b, err = takeText(b); err != nil {
				break
			}
			if file := filepath.Join(files.PathOf(dir), "x.go"); env.Owns(file) {
				own := files.Innermost(env.Own, file)
				byModule[own] = append(byModule[own], path)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return byModule, nil
}

// requirementDiagnostics are what the imports of a build say about the requirements of its modules.
func requirementDiagnostics(t *runtime.Task, root string, env *disk.Environment, m *metadata.Build) (out []check.FileDiagnostic, err error) {
	if env.Plain || m.Failed != "" || len(env.Own) == 0 {
		return nil, nil
	}
	imports, err := importsByModule(t, root, env)
	if err != nil {
		return nil, err
	}
	var needs gomod.Needs
	parsed := map[string]*gomod.File{}
	for _, dir := range env.Own {
		uri := files.URI(filepath.Join(dir, "go.mod"))
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		f := gomod.Parse(uri, text)
		parsed[dir] = f
		needs.Modules = append(needs.Modules, f.Module.Path)
		for _, r := range f.Requires {
			needs.Modules = append(needs.Modules, r.Path)
		}
	}
	for _, dir := range env.Own {
		imports[dir] = append(imports[dir], builtImports(m, dir, parsed[dir].Module.Path)...)
		needs.Imports, needs.Beside = imports[dir], nil
		for _, other := range env.Own {
			if other != dir {
				needs.Beside = append(needs.Beside, parsed[other].Module.Path)
			}
		}
		imported := map[string]bool{} // on other platforms, too, which no edge tells
		for _, path := range imports[dir] {
			imported[path] = true
		}
		needs.Reached = m.Reached(func(p *metadata.Package) bool {
			return imported[p.Path] || p.Workspace && len(p.Files) > 0 && files.Innermost(env.Own, files.PathOf(p.Files[0])) == dir
		})
		for _, d := range parsed[dir].Check(needs) {
			out = append(out, check.FileDiagnostic{URI: files.URI(filepath.Join(dir, "go.mod")), Diag: d})
		}
	}
	return out, nil
}

// builtImports are what the packages of a module import that a build reads. Among them are some
// that no pattern of the go command matches, such as those in a directory testdata that others
// import.
func builtImports(m *metadata.Build, dir, module string) (paths []string) {
	for i := range m.Packages {
		p := &m.Packages[i]
		if p.Standard || len(p.Files) == 0 {
			continue
		}
		rel, err := filepath.Rel(dir, filepath.Dir(files.PathOf(p.Files[0])))
		if err != nil || !filepath.IsLocal(rel) || p.Path != path.Join(module, filepath.ToSlash(rel)) {
			continue // of another module, which may lie below
		}
		for _, e := range p.Imports {
			paths = append(paths, e.Import)
		}
	}
	return paths
}

// moved finds the line of a text that a line of another text has become; 0 if it is gone.
func moved(from, to []byte, line int) int {
	was, now := strings.Split(string(from), "\n"), strings.Split(string(to), "\n")
	if line < 1 || line > len(was) {
		return 0
	}
	best := 0
	for i, text := range now {
		if text == was[line-1] && (best == 0 || abs(i+1-line) < abs(best-line)) {
			best = i + 1
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// moduleDiagnostics is what is wrong with the module files of a build: what can be told of their
// current texts, and what the go command says of those on disk.
func moduleDiagnostics(t *runtime.Task, root string, env *disk.Environment, m *metadata.Build) ([]check.FileDiagnostic, error) {
	var out []check.FileDiagnostic
	for _, path := range env.ModuleFiles() {
		if !disk.IsModuleFile(path) {
			continue
		}
		list, err := moduleFiles.Get(t, files.URI(path))
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			out = append(out, check.FileDiagnostic{URI: files.URI(path), Diag: d})
		}
	}
	own := len(out)
	more, err := requirementDiagnostics(t, root, env, m)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	for _, p := range m.Problems {
		text, err := textOf(t, p.URI)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		saved, err := savedTexts.Get(t, p.URI)
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		line := p.Line
		if line > 0 {
			if line = moved(saved, text, line); line == 0 {
				continue // about a line that is not there any more
			}
		}
		d := disk.ModuleError(text, line, p.Message)
		d.Code = "workspace"
		known := slices.ContainsFunc(out[:own], func(o check.FileDiagnostic) bool {
			return o.URI == p.URI && disk.LineSpan(text, line).Contains(o.Diag.Span.Start) && o.Diag.Severity == lsp.SeverityError
		})
		if !known {
			out = append(out, check.FileDiagnostic{URI: p.URI, Diag: d})
		}
	}
	return withReplacements(t, root, env, out)
}

// withReplacements adds to what is wrong with module files the directories in the place of modules
// that hold no module. The go command tells of one when it needs the module, and then stops.
func withReplacements(t *runtime.Task, root string, env *disk.Environment, out []check.FileDiagnostic) ([]check.FileDiagnostic, error) {
	near, err := filesOf(t, nearby, root)
	if err != nil {
		return nil, err
	}
	for _, path := range env.ModuleFiles() {
		if !disk.IsModuleFile(path) {
			continue
		}
		uri := files.URI(path)
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return nil, err
		}
		for _, r := range gomod.Parse(uri, text).Replaces {
			dir := filepath.FromSlash(r.To)
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(filepath.Dir(path), dir)
			}
			told := slices.ContainsFunc(out, func(o check.FileDiagnostic) bool {
				return o.URI == uri && r.Span.Contains(o.Diag.Span.Start)
			})
			if !r.IsDirectory() || told || slices.Contains(env.Own, dir) || slices.Contains(near, files.URI(filepath.Join(dir, "go.mod"))) {
				continue
			}
			out = append(out, check.FileDiagnostic{URI: uri, Diag: lsp.Diagnostic{
				Span: r.ToSpan, Severity: lsp.SeverityWarning, Code: "module", Source: metadata.SourceList,
				Message: "there is no go.mod file in the replacement directory " + r.To,
			}})
		}
	}
	return out, nil
}
