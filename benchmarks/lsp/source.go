package lsp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A source is a parsed file, as it lies on the disk.
type source struct {
	path      string
	text      string
	functions []function
	names     []place // identifiers that a server must know about
	calls     []call
}

// A place is an identifier.
type place struct {
	name   string
	offset int
}

// A function is a declared one with a body.
type function struct {
	place
	body     int // offset behind the brace that opens it
	exported bool
	method   bool
}

// A call is the use of an exported name of another package.
type call struct {
	importPath string // as written
	name       string
	offset     int
	function   bool // what is called is a function, which a conversion cannot be mistaken for
}

// parse reads a file. Identifiers behind a character that is not ASCII are left out: their columns
// depend on the encoding that a server counts in. So are names of packages, labels, predeclared
// names, those without uses, and functions whose bodies are not in Go: not every server tells
// something of them.
func parse(file string) (*source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{path: file, text: string(text)}
	offset := func(p token.Pos) int { return fset.File(tree.FileStart).Offset(p) }
	imports := make(map[string]string)
	for _, spec := range tree.Imports {
		written, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name := path.Base(written)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = written
	}
	hidden := map[*ast.Ident]bool{tree.Name: true}
	functions := make(map[ast.Expr]bool)
	ast.Inspect(tree, func(n ast.Node) bool {
		noteFunctions(n, functions)
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.LabeledStmt:
			hidden[n.Label] = true
		case *ast.BranchStmt:
			hidden[n.Label] = true
		case *ast.TypeSwitchStmt:
			if a, ok := n.Assign.(*ast.AssignStmt); ok {
				hidden[a.Lhs[0].(*ast.Ident)] = true
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if written, ok := imports[x.Name]; ok && n.Sel.IsExported() {
				hidden[x] = true
				s.calls = append(
					s.calls,
					call{written, n.Sel.Name, offset(n.Sel.Pos()), functions[n]},
				)
			}
		case *ast.Ident:
			at := offset(n.Pos())
			_, imported := imports[n.Name]
			predeclared := types.Universe.Lookup(n.Name) != nil || n.Name == "_"
			unused := n.Name == "init" || n.Name == "main"
			if !hidden[n] && !imported && !predeclared && !unused && s.ascii(at) {
				s.names = append(s.names, place{n.Name, at})
			}
		}
		return true
	})
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Body == nil {
			s.names = slices.DeleteFunc(s.names, func(p place) bool { return p.name == f.Name.Name })
		}
		if !ok || f.Body == nil || f.Name.Name == "_" {
			continue
		}
		body := offset(f.Body.Lbrace) + 1
		if at := offset(f.Name.Pos()); s.ascii(at) && s.ascii(body) {
			s.functions = append(
				s.functions,
				function{place{f.Name.Name, at}, body, f.Name.IsExported(), f.Recv != nil},
			)
		}
	}
	return s, nil
}

// noteFunctions adds what a node calls, if its syntax alone shows that this is a function. A
// conversion looks like a call, but it has one operand and one value, and is no statement.
func noteFunctions(n ast.Node, functions map[ast.Expr]bool) {
	note := func(x ast.Expr, shown bool) {
		if c, ok := ast.Unparen(x).(*ast.CallExpr); ok && (shown || len(c.Args) != 1) {
			functions[c.Fun] = true
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		note(n, n.Ellipsis.IsValid())
	case *ast.ExprStmt:
		note(n.X, true)
	case *ast.GoStmt:
		note(n.Call, true)
	case *ast.DeferStmt:
		note(n.Call, true)
	case *ast.AssignStmt:
		note(n.Rhs[0], len(n.Lhs) > len(n.Rhs))
	}
}

// ascii reports whether all that is before an offset in its line is ASCII.
func (s *source) ascii(offset int) bool {
	for i := offset - 1; i >= 0 && s.text[i] != '\n'; i-- {
		if s.text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// line is the line of an offset.
func (s *source) line(offset int) int { return strings.Count(s.text[:offset], "\n") }
