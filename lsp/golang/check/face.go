package check

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/gcexportdata"

	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Face type-checks the face texts of a package, in the order of its files, and returns its
// export data. That is free of positions and determined by the texts and what they import. Errors
// in the code are none of the face's business: a declaration that makes no sense has an invalid
// type. An error means that there is no export data at all. A file whose text is empty is left out.
//
// State, which is comparable, names a state that all imports are faces of, none of them of a
// variant of a package; nil: that is not known. With it a face takes less time, and is the same.
func Face(p *metadata.Package, texts [][]byte, imports []Import, state any) ([]byte, error) {
	export, _, err := surface(p, texts, imports, state, false)
	return export, err
}

// Surface is Face with the table of methods (package methods), which numbers files like texts.
func Surface(
	p *metadata.Package, texts [][]byte, imports []Import, state any,
) (export, table []byte, err error) {
	return surface(p, texts, imports, state, true)
}

func surface(
	p *metadata.Package, texts [][]byte, imports []Import, state any, withTable bool,
) (export, table []byte, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("face of "+p.ID, e)
		}
	}()
	fset := token.NewFileSet()
	var files []*ast.File
	numbers := map[*token.File]int{}
	for i, text := range texts {
		if len(text) == 0 {
			continue
		}
		file, _ := parser.ParseFile(fset, fmt.Sprintf("%d.go", i), text, parser.SkipObjectResolution)
		if file == nil || syntax.DeeperThan(file, syntax.MaxDepth) {
			continue
		}
		files = append(files, file)
		numbers[fset.File(file.FileStart)] = i
	}
	w, err := Worlds.takeOf(state, imports)
	if err != nil {
		return nil, nil, fmt.Errorf("face of %s: %w", p.ID, err)
	}
	conf := types.Config{
		GoVersion:                p.GoVersion,
		IgnoreFuncBodies:         true,
		FakeImportC:              true,
		DisableUnusedImportCheck: true,
		Error:                    func(error) {},
		Importer:                 w,
		Sizes:                    sizesFor(p.Arch),
	}
	pkg, _ := conf.Check(p.Path, fset, files, nil) // errors are for the check of the whole files
	keepDefiners(pkg, files)
	var out bytes.Buffer
	if err := gcexportdata.Write(&out, token.NewFileSet(), pkg); err != nil {
		return nil, nil, fmt.Errorf("face of %s: %w", p.ID, err)
	}
	unclear := false
	if withTable {
		table = methods.Of(pkg, methods.Namer{
			Path: w.pathsOf(pkg, &unclear),
			File: func(pos token.Pos) int {
				if i, ok := numbers[fset.File(pos)]; ok {
					return i
				}
				return -1
			},
		})
	}
	Worlds.put(w)
	if unclear {
		return surface(p, texts, imports, nil, withTable)
	}
	return slices.Clip(out.Bytes()), table, nil
}

// isDirect reports whether the package that is being checked imports another.
func (w *world) isDirect(pkg *types.Package) bool {
	for _, p := range w.direct {
		if p == pkg {
			return true
		}
	}
	return false
}

// pathsOf names objects of a package that is being checked, and of those that it imports. It says
// that it is unclear when a name was asked for that may depend on what else the world has decoded.
func (w *world) pathsOf(pkg *types.Package, unclear *bool) func(types.Object) string {
	var own map[types.Object]string
	return func(obj types.Object) string {
		obj = declared(obj)
		if of := packageOf(obj); of != pkg {
			if w.state != nil && !w.isDirect(of) {
				*unclear = true // the name may be another one where less is known of the package
				return ""
			}
			return w.objectPath(obj)
		}
		if own == nil {
			own, _ = objectPaths(pkg)
		}
		return own[obj]
	}
}
