package refactor

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
)

// fillStruct gives the fields that a composite literal leaves out a value: a variable in reach that
// has the type and a similar name, or else a small value of the type.
func fillStruct(r *Request) []Change {
	lit, _, ok := enclosing[*ast.CompositeLit](r)
	if !ok || !lit.Rbrace.IsValid() {
		return nil
	}
	t := r.Info.TypeOf(lit)
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok { // &T left out inside of another literal
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	has := map[string]bool{}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return nil // by position: all are there, or it is wrong
		}
		if id, ok := kv.Key.(*ast.Ident); ok {
			has[id.Name] = true
		}
	}
	var missing []*types.Var
	for f := range s.Fields() {
		if f.Name() != "_" && !has[f.Name()] && (f.Exported() || f.Pkg() == r.Package) {
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	name := "anonymous struct"
	if named, ok := types.Unalias(t).(*types.Named); ok {
		name = named.Obj().Name()
	}
	return []Change{{Title: "Fill " + name, Make: func() (*lsp.WorkspaceEdit, error) {
		i := r.importerAt(lit.Pos())
		indent := r.indent(lit.Lbrace)
		var (
			fields []*types.Var
			values []string
			b      strings.Builder
		)
		for _, f := range missing {
			v := r.variableLike(f, lit.Pos())
			if v == "" {
				v = i.value(f.Type(), indent+"\t")
			}
			if v != "" { // else its type is not known
				fields, values = append(fields, f), append(values, v)
			}
		}
		aligned := alignment(fields, values)
		for n, f := range fields {
			fmt.Fprintf(&b, "%s\t%s:%s%s,\n", indent, f.Name(), strings.Repeat(" ", 1+aligned[n]-len(f.Name())), values[n])
		}
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		if len(lit.Elts) == 0 {
			inner := strings.TrimSpace(r.text(lit.Lbrace+1, lit.Rbrace))
			if inner != "" {
				inner = "\n" + indent + "\t" + inner
			}
			return r.edit(append(edits, r.replace(lit.Lbrace+1, lit.Rbrace, inner+"\n"+b.String()+indent))...)
		}
		last := lit.Elts[len(lit.Elts)-1]
		rest := strings.TrimSpace(r.text(last.End(), lit.Rbrace))
		head := ","
		if c, ok := strings.CutPrefix(rest, ","); ok {
			rest = strings.TrimSpace(c)
		}
		if rest != "" {
			head += " " + rest
		}
		text := r.text(lit.Lbrace, last.End())
		if first := lit.Elts[0]; r.line(lit.Lbrace) == r.line(first.Pos()) {
			text = "{\n" + r.text(first.Pos(), last.End())
		}
		text += head + "\n" + b.String() + indent + "}"
		if out, err := format.Source([]byte("package p\n\nvar _ = T" + text + "\n")); err == nil && !strings.Contains(text, "`") {
			text = strings.TrimSpace(string(out[len("package p\n\nvar _ = T"):]))
			text = strings.ReplaceAll(text, "\n", "\n"+indent)
		}
		return r.edit(append(edits, r.replace(lit.Lbrace, lit.End(), text))...)
	}}}
}

// alignment is, for each field, how wide the names of the lines around it are that gofmt aligns it
// with: a value of several lines ends a group.
func alignment(fields []*types.Var, values []string) []int {
	out := make([]int, len(fields))
	for from := 0; from < len(fields); {
		to, width := from, 0
		for to < len(fields) && !strings.Contains(values[to], "\n") {
			width = max(width, len(fields[to].Name()))
			to++
		}
		for i := from; i < to; i++ {
			out[i] = width
		}
		if to < len(fields) {
			out[to] = len(fields[to].Name())
		}
		from = to + 1
	}
	return out
}

// variableLike is a variable in reach of a position that can be the value of a field, the one that
// is called most like it; "" if there is none.
func (r *Request) variableLike(f *types.Var, at token.Pos) string {
	match := index.NewMatcher(f.Name())
	best, name := 0.0, ""
	for s := r.scopeAt(at); s != nil && s != types.Universe && s != r.Package.Scope(); s = s.Parent() {
		for _, n := range s.Names() {
			_, obj := s.LookupParent(n, at)
			v, ok := obj.(*types.Var)
			if !ok || n == "_" || obj.Parent() != s || !types.AssignableTo(v.Type(), f.Type()) {
				continue
			}
			score, _, like := match.Score("", "", n)
			if !like {
				score, _, _ = index.NewMatcher(n).Score("", "", f.Name()) // "s" may be meant for "str"
			}
			if score+1 > best {
				best, name = score+1, n
			}
		}
	}
	return name
}

// value is a small value of a type.
func (i *importer) value(t types.Type, indent string) string {
	switch t.(type) {
	case *types.Named, *types.Alias:
		switch t.Underlying().(type) {
		case *types.Pointer, *types.Chan, *types.Signature:
			return "nil"
		}
	}
	i.indent = indent
	switch u := t.Underlying().(type) {
	case *types.Map, *types.Slice:
		return i.typ(t) + "{}"
	case *types.Chan:
		return "make(" + i.typ(t) + ")"
	case *types.Signature:
		return i.typ(t) + " {\n" + indent + "\tpanic(\"TODO\")\n" + indent + "}"
	case *types.Pointer:
		switch e := u.Elem().Underlying().(type) {
		case *types.Struct, *types.Array, *types.Slice, *types.Map:
			return "&" + i.typ(u.Elem()) + "{}"
		case *types.Interface:
			if _, ok := types.Unalias(u.Elem()).(*types.TypeParam); ok {
				break
			}
			if !e.IsMethodSet() {
				return "" // no variable has that type
			}
			return "nil"
		}
		return "new(" + i.typ(u.Elem()) + ")"
	}
	return i.zero(t)
}
