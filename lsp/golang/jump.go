package golang

import (
	"errors"
	"go/ast"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/flow"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// definition answers lsp.Workspace.Definition: where the name at an offset is declared. A keyword
// leads to what it leaves or begins anew, a name in a comment to what it links to, and the star in
// front of a name to what the name does. A function that Go only declares leads from there to the
// file of the assembler that has it, which leads back.
func definition(src source, uri string, offset int) (list []lsp.Location, err error) {
	if syntax.IsAssembly(uri) {
		return assemblyDefinition(src, uri, offset)
	}
	if disk.IsModuleFile(uri) {
		q, err := newModuleQuestion(src, uri, offset)
		if err != nil {
			return nil, err
		}
		return q.definition()
	}
	list, err = definitionOfName(src, uri, offset)
	if err == nil && len(list) == 1 && list[0].URI == uri && list[0].Span.Contains(offset) {
		if at, ok, err := assembled(src, uri, offset); ok || err != nil {
			return []lsp.Location{at}, err
		}
	}
	if !errors.Is(err, lsp.ErrNoSymbol) || !syntax.IsGoFile(uri) {
		return list, err
	}
	t, textErr := treeOf(src, uri)
	if textErr != nil {
		return nil, textErr
	}
	if to, ok := flow.Jump(t, offset); ok {
		return []lsp.Location{{URI: uri, Span: to}}, nil
	}
	if f, _, ok, linkErr := linkAt(src, t, offset); ok || linkErr != nil {
		return []lsp.Location{f.location()}, linkErr
	}
	if at, ok := behindStar(t, offset); ok {
		return definitionOfName(src, uri, at)
	}
	return list, err
}

// behindStar is where the operand of the star at an offset stands.
func behindStar(t *syntax.Tree, offset int) (at int, ok bool) {
	p := flow.Path(t, offset)
	if len(p) == 0 {
		return 0, false
	}
	star, ok := p[len(p)-1].(*ast.StarExpr)
	if !ok {
		return 0, false
	}
	return t.Offset(star.X.Pos()), true
}

func definitionOfName(src source, uri string, offset int) (list []lsp.Location, err error) {
	err = eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
		// The first meaning only: of an embedded field the type, of an import the package.
		o := at.occs[0]
		f, ok, err := resolve(src, at, o)
		switch {
		case !ok || err != nil:
			return false, err
		case f.Path != index.PackagePath:
			list = []lsp.Location{f.location()}
		case o.IsExternal:
			list, err = clausesOf(src, f.pkg)
		case f.Doc.End > f.Doc.Start:
			list = []lsp.Location{f.location()}
		default: // nowhere is more of the package than here
			list = []lsp.Location{{URI: uri, Span: o.Span}}
		}
		return true, err
	})
	return list, err
}
