package lint

import (
	"go/ast"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/ctrlflow"

	"github.com/cytisus/cytisus/lsp/golang/check"
)

// Notes says which analyzers are to note facts about packages, for those that look at what imports
// them.
type Notes struct {
	analyzers []*analysis.Analyzer
	whole     bool // some of them look at all bodies
}

// Notes are those that the chosen analyzers need.
func (s Settings) Notes() Notes {
	return notesOf(s.chosen(), func(*analysis.Analyzer) bool { return true })
}

func notesOf(list []known, chosen func(*analysis.Analyzer) bool) (n Notes) {
	for _, a := range withRequired(list) {
		if len(a.FactTypes) > 0 && chosen(a) {
			n.analyzers = append(n.analyzers, a)
			n.whole = n.whole || !slices.Contains(frugal, a)
		}
	}
	return n
}

// Key is equal for equal notes in equal versions of the analyzers; ReadNotes understands it.
func (n Notes) Key() string {
	var names []string
	for _, a := range n.analyzers {
		names = append(names, a.Name)
	}
	return strings.Join(names, " ") + "\n" + version()
}

// ReadNotes reads notes from a key.
func ReadNotes(key string) Notes {
	line, _, _ := strings.Cut(key, "\n")
	names := strings.Fields(line)
	return notesOf(slices.Collect(maps.Values(all())), func(a *analysis.Analyzer) bool { return slices.Contains(names, a.Name) })
}

// A Noted is what is known about a package for those that import it.
type Noted struct {
	Facts  []byte   // nil: none
	Ending []string // names of functions that never return, for Wanted
}

// Note has analyzers note facts about the package of a view with the bodies that are wanted. An
// analyzer that fails notes nothing. The view is not used for anything else afterwards.
func (n Notes) Note(v *check.View, w Wanted, imported Imported, turn Turn) (out Noted, err error) {
	r := newRunner(v, imported, turn)
	for _, t := range v.Files {
		file := withBodies(t.AST, w.Keep)
		v.Info.FileVersions[file], v.Info.Scopes[file] = v.Info.FileVersions[t.AST], v.Info.Scopes[t.AST]
		r.files = append(r.files, file)
	}
	if v.Meta.Cgo {
		r.info = withUnknown(v.Info, v.Package, r.files)
	}
	for _, a := range n.analyzers {
		if r.runs(a) {
			r.run(a)
		}
	}
	if r.stopped != nil {
		return Noted{}, r.stopped
	}
	never := reflect.TypeOf(ctrlflow.Analyzer.FactTypes[0])
	names := map[string]bool{}
	for k := range r.facts.objects {
		if k.typ == never && k.obj.Pkg() == v.Package && k.obj.Exported() {
			names[k.obj.(*types.Func).Name()] = true
		}
	}
	out.Ending = slices.Sorted(maps.Keys(names))
	out.Facts, err = r.facts.encode()
	return out, err
}

// withBodies is a file without the bodies of functions that are not kept.
func withBodies(file *ast.File, keep func(*ast.FuncDecl) bool) *ast.File {
	out := *file
	out.Decls = slices.Clone(file.Decls)
	for i, d := range out.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && !keep(fn) {
			bare := *fn
			bare.Body = nil
			out.Decls[i] = &bare
		}
	}
	return &out
}
