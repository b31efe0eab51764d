package refactor

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// A break, continue or goto in an extracted region that leads out of it is one of the ways to go on
// behind the call. The new function returns the number of the way, and 0 if the region ends, and
// the caller jumps.

// way is the number of the way that a jump goes, from 1.
func (f *flow) way(b *ast.BranchStmt) int {
	return 1 + slices.IndexFunc(f.ways(), func(other *ast.BranchStmt) bool { return sameWay(b, other) })
}

// ways are the first jumps that go each way.
func (f *flow) ways() (list []*ast.BranchStmt) {
	for _, b := range f.jumps {
		if !slices.ContainsFunc(list, func(other *ast.BranchStmt) bool { return sameWay(b, other) }) {
			list = append(list, b)
		}
	}
	return list
}

// sameWay reports whether two jumps out of one region lead to one place. Those without a label do
// if they are of one kind, as what is around the region is one.
func sameWay(a, b *ast.BranchStmt) bool {
	if a.Tok != b.Tok || (a.Label == nil) != (b.Label == nil) {
		return false
	}
	return a.Label == nil || a.Label.Name == b.Label.Name
}

// jumpsOn are the statements of the caller that go the way whose number a variable has, each on
// lines of its own. In a switch a break without a label would leave that.
func (r *Request) jumpsOn(f *flow, variable, indent string) string {
	var cases, breaks strings.Builder
	for n, b := range f.ways() {
		if b.Tok == token.BREAK && b.Label == nil {
			fmt.Fprintf(&breaks, "\n%[1]sif %s == %d {\n%[1]s\tbreak\n%[1]s}", indent, variable, n+1)
		} else {
			fmt.Fprintf(&cases, "\n%[1]scase %[2]d:\n%[1]s\t%[3]s", indent, n+1, r.textOf(b))
		}
	}
	if cases.Len() == 0 {
		return breaks.String()
	}
	return fmt.Sprintf("\n%[1]sswitch %[2]s {%[3]s\n%[1]s}", indent, variable, cases.String()) + breaks.String()
}

// endsInJump reports whether the last of some statements is one behind which nothing is reached.
func endsInJump(list []ast.Stmt) bool {
	switch list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// terminates reports whether a statement may be one that a function with results can end in.
func terminates(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.GOTO
	case *ast.ForStmt:
		return s.Cond == nil
	case *ast.LabeledStmt:
		return terminates(s.Stmt)
	}
	return surelyTerminates(s)
}

// surelyTerminates reports whether a statement is one that a function with results can end in:
// which it shows by itself, and without a jump.
func surelyTerminates(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BlockStmt:
		return len(s.List) > 0 && surelyTerminates(s.List[len(s.List)-1])
	case *ast.IfStmt:
		return s.Else != nil && surelyTerminates(s.Body) && surelyTerminates(s.Else)
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := call.Fun.(*ast.Ident)
		return ok && id.Name == "panic"
	}
	return false
}

// jumpedOver reports whether a goto before a region leads behind it in the same block: no variable
// of the block may be declared in between.
func (r *Request) jumpedOver(g *region) (found bool) {
	behind := map[string]bool{}
	for _, n := range r.Enclosing(r.File.Offset(g.from), r.File.Offset(g.to)) {
		list := statementsOf(n)
		if len(list) == 0 {
			continue
		}
		for _, s := range list {
			if l, ok := s.(*ast.LabeledStmt); ok && l.Pos() >= g.to {
				behind[l.Label.Name] = true
			}
		}
		break
	}
	ast.Inspect(g.inner, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		found = found || ok && b.Tok == token.GOTO && b.Label != nil && b.Pos() < g.from && behind[b.Label.Name]
		return !found
	})
	return found
}
