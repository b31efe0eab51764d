package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Behind an edit of function bodies a package declares what it declared. So a view that somebody
// asks about bodies follows the edit: what is known of the old tree of the file outside of bodies
// is said of the same nodes of the new one, the bodies of the file are forgotten, and those that
// are asked about are checked apart. Objects cannot be moved: they stand where they stood when they
// were declared, and View.At says where that is now.

// A movedFile is one whose declarations were checked when it had another text.
type movedFile struct {
	then   *token.File  // in which the declared objects stand
	starts []token.Pos  // of the declarations there, in order
	now    *syntax.Tree // of View.Files
}

// followedMost is how many edits a view follows: each body that is checked apart leaves its scopes
// behind.
const followedMost = 2000

// At is the position in Files of a position of an object, which may stand where it was when it was
// declared. In function bodies, all objects stand where they are.
func (v *View) At(pos token.Pos) token.Pos {
	for i := range v.moved {
		m := &v.moved[i]
		if base := token.Pos(m.then.Base()); pos < base || base+token.Pos(m.then.Size()) < pos {
			continue
		}
		n, ok := slices.BinarySearch(m.starts, pos)
		if !ok {
			n--
		}
		if n < 0 {
			return pos
		}
		return m.now.AST.Decls[n].Pos() + pos - m.starts[n]
	}
	return pos
}

// follow has the view be of files that differ from its own in function bodies. It reports false if
// they differ in more; then the view is as it was.
func (v *View) follow(files []*syntax.Tree) bool {
	if len(files) != len(v.Files) || v.followed >= followedMost {
		return false
	}
	type step struct {
		had, now        *syntax.Tree
		nodes, nodesNow []ast.Node
	}
	var steps []step
	for i, now := range files {
		had := v.Files[i]
		if had == now {
			continue
		}
		if had.URI != now.URI {
			return false
		}
		if same, _ := sameFaces(had, now, lsp.Span{}); !same {
			return false
		}
		s := step{had, now, declaringNodes(had), declaringNodes(now)}
		if !sameNodes(s.had, s.nodes, s.now, s.nodesNow) {
			return false
		}
		steps = append(steps, s)
	}
	for _, s := range steps {
		v.forgetBodies(s.had)
		for i, n := range s.nodes {
			transfer(v.Info, v.Info, n, s.nodesNow[i])
		}
		v.Files[slices.Index(v.Files, s.had)] = s.now
		v.move(s.had, s.now)
	}
	v.made = BodiesOfFile // of a view of all bodies some may be forgotten
	v.state = nil         // which had the older texts
	v.followed++
	return true
}

// move notes that what a file declares stands in a newer tree now.
func (v *View) move(had, now *syntax.Tree) {
	v.Errors = slices.DeleteFunc(v.Errors, func(e types.Error) bool {
		base := token.Pos(had.Pos.Base())
		return base <= e.Pos && e.Pos <= base+token.Pos(had.Pos.Size())
	})
	v.Positions.AddExistingFiles(now.Pos)
	if i := slices.IndexFunc(v.moved, func(m movedFile) bool { return m.now == had }); i >= 0 {
		if m := &v.moved[i]; m.then != had.Pos {
			v.Positions.RemoveFile(had.Pos)
		}
		v.moved[i].now = now
		return
	}
	m := movedFile{then: had.Pos, now: now}
	for _, d := range had.AST.Decls {
		m.starts = append(m.starts, d.Pos())
	}
	v.moved = append(v.moved, m)
}

// forgetBodies forgets what is known of the bodies of a file.
func (v *View) forgetBodies(t *syntax.Tree) {
	for _, d := range t.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		had, ok := v.had[fn]
		if !ok {
			continue
		}
		delete(v.had, fn)
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if n != nil {
				transfer(v.Info, v.Info, n, nil)
			}
			return true
		})
		if had.apart {
			mergeInfo(v.Info, had.signature, func(ast.Node) bool { return true })
		}
	}
}

// declaringNodes are the nodes of a file outside of the bodies of its functions, in one order.
func declaringNodes(t *syntax.Tree) (list []ast.Node) {
	list = append(list, t.AST, t.AST.Name)
	for _, d := range t.AST.Decls {
		var body *ast.BlockStmt
		if fn, ok := d.(*ast.FuncDecl); ok {
			body = fn.Body
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case nil, *ast.CommentGroup:
				return false
			case *ast.BlockStmt:
				if n == body {
					return false
				}
			}
			list = append(list, n)
			return true
		})
	}
	return list
}

// sameNodes reports whether the nodes of two states of a file with equal declarations are equal one
// by one. They are if the files are made of whole declarations, which broken syntax may not leave.
func sameNodes(a *syntax.Tree, nodes []ast.Node, b *syntax.Tree, others []ast.Node) bool {
	if len(nodes) != len(others) || len(a.AST.Decls) != len(b.AST.Decls) {
		return false
	}
	for i, d := range a.AST.Decls {
		fn, isFunc := d.(*ast.FuncDecl)
		if other, isFuncToo := b.AST.Decls[i].(*ast.FuncDecl); isFunc && isFuncToo && (fn.Body == nil) != (other.Body == nil) {
			return false
		}
		if i > 0 && (d.Pos() < a.AST.Decls[i-1].End() || b.AST.Decls[i].Pos() < b.AST.Decls[i-1].End()) {
			return false
		}
	}
	decl := -1
	var start, otherStart token.Pos
	for i, n := range nodes {
		other := others[i]
		if reflect.TypeOf(n) != reflect.TypeOf(other) {
			return false
		}
		if decl+1 < len(a.AST.Decls) && n == ast.Node(a.AST.Decls[decl+1]) {
			decl++
			start, otherStart = n.Pos(), other.Pos()
		}
		if decl >= 0 && n.Pos()-start != other.Pos()-otherStart {
			return false
		}
	}
	return true
}

// transfer takes what is known of a node away, and has it be known of a node like it, unless that
// is nil.
func transfer(from, to *types.Info, n, as ast.Node) {
	if x, ok := n.(ast.Expr); ok {
		transferFact(from.Types, to.Types, x, as)
	}
	switch n := n.(type) {
	case *ast.Ident:
		transferFact(from.Defs, to.Defs, n, as)
		transferFact(from.Uses, to.Uses, n, as)
		transferFact(from.Instances, to.Instances, n, as)
		return // an identifier has no scope, and what is implicit has none
	case *ast.SelectorExpr:
		transferFact(from.Selections, to.Selections, n, as)
		return
	case *ast.File:
		transferFact(from.FileVersions, to.FileVersions, n, as)
	}
	transferFact(from.Implicits, to.Implicits, n, as)
	transferFact(from.Scopes, to.Scopes, n, as)
}

func transferFact[N node, T any](from, to map[N]T, n N, as ast.Node) {
	fact, ok := from[n]
	if !ok {
		return
	}
	delete(from, n)
	if as, ok := as.(N); ok {
		to[as] = fact
	}
}
