package refactor

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

func extractVariable(r *Request) []Change    { return r.extract(false, false) }
func extractConstant(r *Request) []Change    { return r.extract(true, false) }
func extractVariableAll(r *Request) []Change { return r.extract(false, true) }
func extractConstantAll(r *Request) []Change { return r.extract(true, true) }

// selected is the expression that a selection consists of, with space around it at most.
func (r *Request) selected() (ast.Expr, []ast.Node) {
	start, end := r.Start, r.End
	text := r.File.Text
	for start < end && strings.IndexByte(" \t\r\n", text[start]) >= 0 {
		start++
	}
	for end > start && strings.IndexByte(" \t\r\n", text[end-1]) >= 0 {
		end--
	}
	if start == end {
		return nil, nil
	}
	path := r.Enclosing(start, end)
	for i, n := range path {
		x, ok := n.(ast.Expr)
		if ok && r.File.Offset(x.Pos()) == start && r.File.Offset(x.End()) == end {
			return x, path[i+1:]
		}
	}
	return nil, nil
}

// extract gives an expression a name: where it stands, or everywhere in its function.
func (r *Request) extract(constant, all bool) []Change {
	x, above := r.selected()
	if x == nil || !r.isValue(x, above) {
		return nil
	}
	tv := r.Info.Types[x]
	if tv.Type == nil || (tv.Value != nil) != constant || tv.IsVoid() {
		return nil
	}
	if _, alone := above[0].(*ast.ExprStmt); alone || !constant && (r.mustBeConstant() || r.typedByPlace(x)) {
		return nil
	}
	tuple, isTuple := tv.Type.(*types.Tuple)
	if isTuple && (constant || all) {
		return nil
	}
	same := []ast.Expr{x}
	var fn ast.Node // the body of the function around
	for _, n := range above {
		switch n := n.(type) {
		case *ast.FuncDecl:
			fn = n
		case *ast.FuncLit:
			if fn == nil {
				fn = n
			}
		}
	}
	if all {
		if fn == nil {
			return nil
		}
		if same = r.sameIn(fn, x); len(same) < 2 {
			return nil
		}
	}
	at, declared, ok := r.placeFor(same, above)
	if !ok {
		return nil
	}
	why := ""
	if !r.meansTheSame(x, at) {
		if why = r.initHides(x, at); why == "" {
			return nil
		}
	}
	shared := r.sharedText(x, same)
	title, base, keyword := "Extract variable", "newVar", ""
	switch {
	case constant && all:
		title = fmt.Sprintf("Extract %d occurrences of const expression: %s", len(same), shortened(shared))
	case all:
		title = fmt.Sprintf("Extract %d occurrences of %s", len(same), shortened(shared))
	case constant:
		title = "Extract constant"
	}
	if constant {
		base, keyword = "newConst", "const "
	} else if declared {
		keyword = "var "
	}
	return []Change{{Title: title, Make: func() (*lsp.WorkspaceEdit, error) {
		if why != "" {
			return nil, fmt.Errorf("cannot find location to insert extraction: %s", why)
		}
		var within []ast.Node
		if fn != nil {
			within = append(within, fn)
		}
		names := r.fresh(base, at, within...)
		if isTuple {
			for i := 1; i < tuple.Len(); i++ {
				names += fmt.Sprintf(", %s%d", base, i)
			}
		}
		assign := " := "
		if constant || declared {
			assign = " = "
		}
		end := "\n" + r.indent(at)
		if strings.TrimSpace(r.text(r.lineStart(at), at)) != "" {
			end = "; " // the statement does not begin its line
		}
		edits := []lsp.TextEdit{r.replace(at, at, keyword+names+assign+shared+end)}
		for _, x := range same {
			edits = append(edits, r.replace(x.Pos(), x.End(), names))
		}
		return r.edit(edits...)
	}}}
}

// typedByPlace reports whether an expression has its type from where it stands: a shift of a
// constant.
func (r *Request) typedByPlace(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.BinaryExpr:
		if x.Op == token.SHL || x.Op == token.SHR {
			return r.Info.Types[x.X].Value != nil && r.Info.Types[x].Value == nil
		}
		return r.typedByPlace(x.X) || r.typedByPlace(x.Y)
	case *ast.UnaryExpr:
		return r.typedByPlace(x.X)
	}
	return false
}

// mustBeConstant reports whether what is selected is part of something that has to be a constant.
func (r *Request) mustBeConstant() bool {
	for i, n := range r.path {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.CONST
		case *ast.ArrayType:
			if i > 0 && r.path[i-1] == ast.Node(n.Len) {
				return true
			}
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		}
	}
	return false
}

// shortened is a text on one line, cut if it is long.
func shortened(text string) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > 40 {
		return string(line[:40]) + "…"
	}
	return string(line)
}

// isValue reports whether an expression is one that a variable could stand for.
func (r *Request) isValue(x ast.Expr, above []ast.Node) bool {
	tv, ok := r.Info.Types[x]
	if !ok || tv.IsType() || tv.IsBuiltin() || tv.IsNil() {
		return false
	}
	if id, ok := x.(*ast.Ident); ok && r.Info.Defs[id] != nil {
		return false
	}
	if len(above) == 0 {
		return false
	}
	switch p := above[0].(type) {
	case *ast.KeyValueExpr:
		if p.Key == x {
			lit, ok := nodeAt[*ast.CompositeLit](above, 1)
			if !ok || r.Info.TypeOf(lit) == nil {
				return false
			}
			if _, ok := r.Info.TypeOf(lit).Underlying().(*types.Struct); ok {
				return false
			}
		}
	case *ast.SelectorExpr:
		if p.Sel == x {
			return false
		}
	case *ast.AssignStmt:
		if slices.Contains(p.Lhs, x) {
			return false
		}
	case *ast.IncDecStmt, *ast.Field, *ast.ImportSpec, *ast.BranchStmt, *ast.LabeledStmt, *ast.TypeSwitchStmt:
		return false
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			return false // the address of a copy is another one
		}
	case *ast.RangeStmt:
		if p.X != x {
			return false
		}
	}
	if r.needsAddress(x, above) {
		return false
	}
	name := x
	if sel, ok := x.(*ast.SelectorExpr); ok {
		name = sel.Sel
	}
	if id, ok := name.(*ast.Ident); ok {
		switch obj := r.Info.Uses[id].(type) {
		case *types.PkgName:
			return false
		case *types.Func: // a generic one has no value by itself
			return obj.Signature().TypeParams().Len() == 0
		}
	}
	return true
}

// needsAddress reports whether something is done to an expression that takes a variable: a copy of
// its value would not do.
func (r *Request) needsAddress(x ast.Expr, above []ast.Node) bool {
	if tv := r.Info.Types[x]; !tv.Addressable() {
		return false
	}
	for _, n := range above {
		t := r.Info.TypeOf(x)
		if t == nil {
			return false
		}
		switch p := n.(type) {
		case *ast.ParenExpr:
			x = p
			continue
		case *ast.SelectorExpr:
			if isPointer(t) {
				return false
			}
			sel := r.Info.Selections[p]
			if sel == nil {
				return false
			}
			if fn, ok := sel.Obj().(*types.Func); ok {
				recv := fn.Signature().Recv()
				return recv != nil && isPointer(recv.Type())
			}
			x = p
			continue
		case *ast.IndexExpr:
			if _, ok := t.Underlying().(*types.Array); !ok || p.X != x {
				return false
			}
			x = p
			continue
		case *ast.SliceExpr:
			_, ok := t.Underlying().(*types.Array)
			return ok && p.X == x
		case *ast.UnaryExpr:
			return p.Op == token.AND
		case *ast.IncDecStmt:
			return true
		case *ast.AssignStmt:
			return slices.Contains(p.Lhs, x)
		case *ast.RangeStmt:
			return p.Key == x || p.Value == x
		}
		return false
	}
	return false
}

// sameIn are the expressions in a function that are written like x, but for comments, and mean the
// same.
func (r *Request) sameIn(fn ast.Node, x ast.Expr) (same []ast.Expr) {
	kind, code := reflect.TypeOf(x), r.codeOf(x)
	var path []ast.Node
	ast.Inspect(fn, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		above := slices.Clone(path)
		path = append(path, n)
		other, ok := n.(ast.Expr)
		if !ok || reflect.TypeOf(n) != kind || r.codeOf(other) != code {
			return true
		}
		slices.Reverse(above)
		if r.isValue(other, above) && r.sameMeaning(x, other) {
			same = append(same, other)
		}
		return true
	})
	return same
}

// codeOf is what is written of an expression, without comments and layout. What ends a statement is
// a semicolon, whether that is written or not.
func (r *Request) codeOf(x ast.Expr) string {
	text := []byte(r.textOf(x))
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	var b strings.Builder
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return b.String()
		case tok == token.SEMICOLON || lit == "":
			lit = tok.String()
		}
		b.WriteString(lit + " ")
	}
}

// sharedText is the text of an expression that stands for several. Comments are in it that all of
// them have.
func (r *Request) sharedText(x ast.Expr, same []ast.Expr) string {
	text := r.textOf(x)
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	if !slices.ContainsFunc(same, func(other ast.Expr) bool { return words(r.textOf(other)) != words(text) }) {
		return text
	}
	base := r.File.Offset(x.Pos())
	for _, g := range slices.Backward(r.File.AST.Comments) {
		if g.Pos() < x.Pos() || x.End() < g.End() {
			continue
		}
		before, after := text[:r.File.Offset(g.Pos())-base], text[r.File.Offset(g.End())-base:]
		before = strings.TrimRight(before, " \t")
		if strings.HasSuffix(before, "\n") {
			after = strings.TrimPrefix(after, "\n") // the comment had lines of its own
		}
		text = before + after
	}
	return text
}

// sameMeaning reports whether two expressions that are written alike name the same things.
func (r *Request) sameMeaning(a, b ast.Expr) bool {
	objects := func(x ast.Expr) (all []any) {
		own := map[types.Object]int{}
		ast.Inspect(x, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := r.Info.ObjectOf(id)
			if obj != nil && x.Pos() <= obj.Pos() && obj.Pos() < x.End() && obj.Pkg() == r.Package {
				if _, ok := own[obj]; !ok {
					own[obj] = len(own)
				}
				all = append(all, own[obj])
			} else {
				all = append(all, obj)
			}
			return true
		})
		return all
	}
	return slices.Equal(objects(a), objects(b))
}

// placeFor is where a declaration goes that several expressions of a function can use: before the
// statement around them, or the declaration. Declared says that it is at package level.
func (r *Request) placeFor(uses []ast.Expr, above []ast.Node) (at token.Pos, declared, ok bool) {
	first, last := uses[0], uses[len(uses)-1]
	path := r.Enclosing(r.File.Offset(first.Pos()), r.File.Offset(last.End()))
	if len(uses) > 1 && len(path) > 0 {
		for _, s := range statementsOf(path[0]) { // in which the uses are several
			if s.Pos() <= first.Pos() && first.End() <= s.End() {
				_, labeled := s.(*ast.LabeledStmt)
				return s.Pos(), false, !labeled
			}
		}
	}
	for i, n := range path {
		if i+1 >= len(path) {
			break
		}
		var list []ast.Stmt
		switch path[i+1].(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			list = statementsOf(path[i+1])
		case *ast.File:
			d, isDecl := n.(ast.Decl)
			if !isDecl {
				return 0, false, false
			}
			if g, ok := d.(*ast.GenDecl); ok {
				if g.Tok == token.IMPORT {
					return 0, false, false
				}
			}
			at = d.Pos()
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc != nil {
					at = d.Doc.Pos()
				}
			case *ast.GenDecl:
				if d.Doc != nil {
					at = d.Doc.Pos()
				}
			}
			return at, true, true
		default:
			continue
		}
		for _, s := range list {
			if s.Pos() <= first.Pos() && first.End() <= s.End() {
				if _, labeled := s.(*ast.LabeledStmt); labeled {
					return 0, false, false // the label would name another statement
				}
				return s.Pos(), false, true
			}
		}
	}
	return 0, false, false
}

// statementsOf are those of a block or a clause.
func statementsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		if len(n.List) > 0 {
			switch n.List[0].(type) {
			case *ast.CaseClause, *ast.CommClause:
				return nil // of a switch
			}
		}
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// initHides says which statement declares, before its condition, a variable that an expression
// names and that is not known at an earlier place; "" if nothing of the kind keeps the expression
// from being computed there.
func (r *Request) initHides(x ast.Expr, at token.Pos) (why string) {
	path := r.Enclosing(r.File.Offset(x.Pos()), r.File.Offset(x.End()))
	ast.Inspect(x, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || why != "" {
			return why == ""
		}
		v, ok := r.Info.Uses[id].(*types.Var)
		if !ok || v.IsField() || v.Parent() == nil {
			return true
		}
		for i, n := range path {
			var init ast.Stmt
			what := "switch"
			switch n := n.(type) {
			case *ast.IfStmt:
				init, what = n.Init, "if-statement"
				if _, ok := n.Else.(*ast.IfStmt); ok && path[i-1] == ast.Node(n.Else) {
					what = "else-if"
				}
			case *ast.SwitchStmt:
				init = n.Init
			case *ast.TypeSwitchStmt:
				init = n.Init
			case *ast.ForStmt:
				init, what = n.Init, "for-statement"
			}
			if init != nil && init.Pos() <= v.Pos() && v.Pos() < init.End() {
				why = fmt.Sprintf("%s's init has free variable declaration: %s", what, v.Name())
			}
		}
		return true
	})
	return why
}

// meansTheSame reports whether an expression can be computed at an earlier place: all that it names
// is known there.
func (r *Request) meansTheSame(x ast.Expr, at token.Pos) bool {
	same := true
	ast.Inspect(x, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := r.Info.Uses[id]
		if obj != nil && obj == types.Universe.Lookup("iota") {
			same = false
		}
		if obj == nil || obj.Parent() == nil || obj.Pkg() != r.Package || obj.Parent() == r.Package.Scope() {
			return true // fields, other packages, package level
		}
		if x.Pos() <= obj.Pos() && obj.Pos() < x.End() {
			return true // a function's own
		}
		if _, found := r.scopeAt(at).LookupParent(obj.Name(), at); found != obj {
			same = false
		}
		return same
	})
	return same
}
