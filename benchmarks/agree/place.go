package agree

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"path"
	"strconv"
	"strings"
)

// A place is an identifier in a file.
type place struct {
	name   string
	offset int
	role   string
}

// A source is a parsed file.
type source struct {
	path   string
	text   string
	places []place // all identifiers
	calls  []int   // offsets behind the opening parenthesis, or behind a comma, of calls
	bodies []int   // offsets behind the opening brace of function bodies
}

// Roles of identifiers.
const (
	rolePackage   = "package clause"
	roleImport    = "import name"
	roleQualifier = "package qualifier"
	roleLabel     = "label"
	roleBuiltin   = "predeclared"
	roleFunc      = "function declared"
	roleMethod    = "method declared"
	roleType      = "type declared"
	roleField     = "field declared"
	roleEmbedded  = "embedded"
	roleParam     = "parameter"
	roleSwitch    = "type switch"
	roleKey       = "key of a literal"
	roleSelector  = "selector"
	roleBlank     = "blank"
	roleOther     = "other"
)

// parse reads a file.
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
	in := fset.File(tree.FileStart)
	roles := map[*ast.Ident]string{tree.Name: rolePackage}
	imported := make(map[string]bool)
	for _, spec := range tree.Imports {
		if written, err := strconv.Unquote(spec.Path.Value); err == nil {
			imported[path.Base(written)] = true
		}
		if spec.Name != nil {
			imported[spec.Name.Name], roles[spec.Name] = true, roleImport
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool { s.look(n, in, roles, imported); return true })
	return s, nil
}

// look gives roles to the identifiers right below a node, and keeps the node if it is one.
func (s *source) look(n ast.Node, in *token.File, roles map[*ast.Ident]string, imported map[string]bool) {
	role := func(e ast.Expr, r string) {
		if id, ok := e.(*ast.Ident); ok && roles[id] == "" {
			roles[id] = r
		}
	}
	fields := func(list *ast.FieldList, r string) {
		if list == nil {
			return
		}
		for _, f := range list.List {
			for _, name := range f.Names {
				role(name, r)
			}
			if len(f.Names) == 0 && r == roleField {
				role(embeddedName(f.Type), roleEmbedded)
			}
		}
	}
	switch n := n.(type) {
	case *ast.LabeledStmt:
		role(n.Label, roleLabel)
	case *ast.BranchStmt:
		if n.Label != nil {
			role(n.Label, roleLabel)
		}
	case *ast.FuncDecl:
		role(n.Name, roleFunc)
		if n.Recv != nil {
			roles[n.Name] = roleMethod
			fields(n.Recv, roleParam)
		}
		if n.Body != nil {
			s.bodies = append(s.bodies, in.Offset(n.Body.Lbrace)+1)
		}
	case *ast.FuncType:
		fields(n.TypeParams, roleParam)
		fields(n.Params, roleParam)
		fields(n.Results, roleParam)
	case *ast.TypeSpec:
		role(n.Name, roleType)
		fields(n.TypeParams, roleParam)
	case *ast.StructType:
		fields(n.Fields, roleField)
	case *ast.InterfaceType:
		fields(n.Methods, roleField)
	case *ast.TypeSwitchStmt:
		if a, ok := n.Assign.(*ast.AssignStmt); ok {
			role(a.Lhs[0], roleSwitch)
		}
	case *ast.KeyValueExpr:
		role(n.Key, roleKey)
	case *ast.SelectorExpr:
		role(n.Sel, roleSelector)
		if x, ok := n.X.(*ast.Ident); ok && imported[x.Name] {
			role(x, roleQualifier)
		}
	case *ast.CallExpr:
		s.calls = append(s.calls, in.Offset(n.Lparen)+1)
		for i := 1; i < len(n.Args); i++ {
			s.calls = append(s.calls, in.Offset(n.Args[i].Pos()))
		}
	case *ast.Ident:
		r := roles[n]
		switch {
		case n.Name == "_":
			r = roleBlank
		case r == "" && types.Universe.Lookup(n.Name) != nil:
			r = roleBuiltin
		case r == "":
			r = roleOther
		}
		s.places = append(s.places, place{n.Name, in.Offset(n.Pos()), r})
	}
}

// embeddedName is the identifier that an embedded type is named by.
func embeddedName(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.StarExpr:
		return embeddedName(e.X)
	case *ast.IndexExpr:
		return embeddedName(e.X)
	case *ast.IndexListExpr:
		return embeddedName(e.X)
	case *ast.SelectorExpr:
		return e.Sel
	}
	return e
}

// line is the line of an offset, counted from 1.
func (s *source) line(offset int) int { return 1 + strings.Count(s.text[:offset], "\n") }

// from is the text from the beginning of a span on, "" if there is no such place. Columns are
// counted as if all were ASCII.
func (s *source) from(span string) string {
	var line, column int
	if n, _ := fmt.Sscanf(span, "%d:%d", &line, &column); n != 2 {
		return ""
	}
	rest := s.text
	for range line - 1 {
		_, below, ok := strings.Cut(rest, "\n")
		if !ok {
			return ""
		}
		rest = below
	}
	return rest[min(max(column-1, 0), len(rest)):]
}

// pick draws up to n of a list.
func pick[T any](r *rand.Rand, list []T, n int) (out []T) {
	for _, i := range r.Perm(len(list)) {
		if len(out) == n {
			break
		}
		out = append(out, list[i])
	}
	return out
}
