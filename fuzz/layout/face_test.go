package layout

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// top is the directory of the module.
var top = filepath.Join("..", "..")

// faces are the packages that programs outside of this module are to read.
var faces = []string{"runtime", "runtime/keyed", "runtime/inspect", "runtime/simtest"}

// newcomersMax bounds the names that a reader who is new to package runtime has before them,
// without its errors.
const newcomersMax = 138

// called are methods that are reached through interfaces of the standard library.
var called = []string{"String", "Error", "Is", "Unwrap", "IsZero", "MarshalText", "UnmarshalText", "MarshalBinary", "UnmarshalBinary"}

// Each function, method and constant of the faces has a user: in the product, in a tool of this
// module, or in an example. One without is a promise that nothing has asked for. Types are reached
// through these; each error is matched by some test.
func TestFaceHasUsers(t *testing.T) {
	uses, matched := map[string]bool{}, map[string]bool{}
	files := token.NewFileSet()
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		in := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, top+string(filepath.Separator))))
		if in == "runtime" && !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		for _, decl := range f.Decls {
			fn, isFunc := decl.(*ast.FuncDecl)
			test := strings.HasSuffix(path, "_test.go")
			example := isFunc && strings.HasPrefix(fn.Name.Name, "Example") || !isFunc && strings.Contains(path, "example")
			ast.Inspect(decl, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					name := sel.Sel.Name
					if pkg, ok := sel.X.(*ast.Ident); ok {
						matched[pkg.Name+"."+name] = true
						if !test || example {
							uses[pkg.Name+"."+name] = true
						}
					}
					if !test || example {
						uses["."+name] = true
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, face := range faces {
		p := exported(t, face)
		names := map[string]bool{} // and whether there is a user
		values := func(list []*doc.Value) {
			for _, v := range list {
				for _, name := range v.Names {
					names[name] = !ast.IsExported(name) || uses[p.Name+"."+name] || strings.HasPrefix(name, "Err") && matched[p.Name+"."+name]
				}
			}
		}
		values(p.Vars)
		values(p.Consts)
		funcs := p.Funcs
		for _, typ := range p.Types {
			names[typ.Name] = true
			values(typ.Vars)
			values(typ.Consts)
			funcs = append(funcs, typ.Funcs...)
			for _, m := range typ.Methods {
				names[typ.Name+"."+m.Name] = uses["."+m.Name] || slices.Contains(called, m.Name)
			}
		}
		for _, fn := range funcs {
			names[fn.Name] = uses[p.Name+"."+fn.Name]
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !names[name] {
				t.Errorf("%s.%s has no user", p.Name, name)
			}
		}
		maps.DeleteFunc(names, func(name string, _ bool) bool {
			return !ast.IsExported(name) || slices.Contains(called, name[strings.IndexByte(name, '.')+1:])
		})
		all := len(names)
		maps.DeleteFunc(names, func(name string, _ bool) bool {
			return strings.HasPrefix(name, "Err") || strings.HasSuffix(name, "Error")
		})
		t.Logf("%s: %d names and %d errors", face, len(names), all-len(names))
		if face == "runtime" && len(names) > newcomersMax {
			t.Errorf("package runtime has %d names, more than %d: what could be elsewhere?", len(names), newcomersMax)
		}
	}
}

// exported reads what a package shows.
func exported(t *testing.T, pkg string) *doc.Package {
	t.Helper()
	files := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(pkg), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	p, err := doc.NewFromFiles(files, parsed, module+pkg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
