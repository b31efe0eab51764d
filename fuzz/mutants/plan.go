package mutants

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Mutant is one mistake that can be planted.
type Mutant struct {
	File string // as given to Plan
	Line int
	Func string // with its receiver, as in (*Lane).push
	Kind string // see the package comment
	Was  string // what is changed, on one line
	Now  string // what stands there instead; empty if it is dropped

	nth    int    // of equal edits in one function, from 0 on
	lo, hi int    // what is replaced, in bytes of the file
	text   string // with what
}

// Name identifies a mistake on any line, so that it stays when lines above it come or go. Of equal
// edits in one function the second is numbered (2), and so on.
func (m Mutant) Name() string {
	name := fmt.Sprintf("%s %s: %s", m.File, m.Func, m.change())
	if m.nth > 0 {
		name += fmt.Sprintf(" (%d)", m.nth+1)
	}
	return name
}

func (m Mutant) change() string {
	if m.Kind == "dropped" {
		return "dropped " + m.Was
	}
	return m.Was + " => " + m.Now
}

// String is where the mistake is and what was changed.
func (m Mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s", m.File, m.Line, m.Func, m.change())
}

// Apply returns the file's text with the mistake.
func (m Mutant) Apply(src []byte) []byte {
	return append(append(append([]byte{}, src[:m.lo]...), m.text...), src[m.hi:]...)
}

// Plan returns the mistakes that can be planted in a file's functions, in the order of the text.
func Plan(file string, src []byte) ([]Mutant, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	p := planner{file: file, src: src, tok: fset.File(f.Pos())}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			p.fn, p.results = nameOf(fn), []*ast.FieldList{fn.Type.Results}
			p.walk(fn.Body)
		}
	}
	slices.SortStableFunc(p.found, func(a, b Mutant) int { return a.lo - b.lo })
	equal := map[string]int{}
	for i := range p.found {
		m := &p.found[i]
		name := m.Name()
		m.nth = equal[name]
		equal[name]++
	}
	return p.found, nil
}

type planner struct {
	file    string
	src     []byte
	tok     *token.File
	fn      string
	results []*ast.FieldList // of the functions around, the innermost last
	found   []Mutant
}

func nameOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	recv, star := fn.Recv.List[0].Type, ""
	if s, ok := recv.(*ast.StarExpr); ok {
		recv, star = s.X, "*"
	}
	switch x := recv.(type) {
	case *ast.IndexExpr:
		recv = x.X
	case *ast.IndexListExpr:
		recv = x.X
	}
	id, _ := recv.(*ast.Ident)
	if star != "" {
		return "(*" + id.String() + ")." + fn.Name.Name
	}
	return id.String() + "." + fn.Name.Name
}

// operators says what stands instead of an operator.
var operators = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.XOR: token.AND, token.AND_NOT: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN,
	token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN, token.AND_NOT_ASSIGN: token.AND_ASSIGN,
	token.SHL_ASSIGN: token.SHR_ASSIGN, token.SHR_ASSIGN: token.SHL_ASSIGN,
}

// seen are the names of calls by which another goroutine sees what was done before: atomic
// operations, the turns of queue, locks that are given back.
var seen = map[string]bool{
	"store": true, "swap": true, "add": true, "compareandswap": true, "or": true, "and": true,
	"pass": true, "publish": true, "unlock": true, "runlock": true,
}

func (p *planner) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			p.results = append(p.results, n.Type.Results)
			p.walk(n.Body)
			p.results = p.results[:len(p.results)-1]
			return false
		case *ast.BinaryExpr:
			if now, ok := operators[n.Op]; ok {
				lo := p.tok.Offset(n.OpPos)
				text := p.between(n.X.Pos(), n.OpPos) + now.String() + p.between(n.OpPos+token.Pos(len(n.Op.String())), n.Y.End())
				p.add("operator", n, lo, lo+len(n.Op.String()), now.String(), text)
			}
		case *ast.IfStmt:
			p.negate(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				p.negate(n.Cond)
			}
		case *ast.BasicLit:
			if v, err := strconv.ParseUint(strings.ReplaceAll(n.Value, "_", ""), 0, 64); n.Kind == token.INT && err == nil {
				p.replace("constant", n, strconv.FormatUint(v+1, 10))
			}
		case *ast.Ident:
			switch n.Name {
			case "true":
				p.replace("constant", n, "false")
			case "false":
				p.replace("constant", n, "true")
			}
		case *ast.ReturnStmt:
			p.returned(n)
		case *ast.BlockStmt:
			p.statements(n.List)
		case *ast.CaseClause:
			p.statements(n.Body)
		case *ast.CommClause:
			p.statements(n.Body)
		}
		return true
	})
}

func (p *planner) negate(cond ast.Expr) {
	if b, ok := cond.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return // as an operator
	}
	text := p.of(cond)
	p.replace("condition", cond, "!("+text+")")
}

// returned plants a nil where the last result of a function is an error.
func (p *planner) returned(n *ast.ReturnStmt) {
	results := p.results[len(p.results)-1]
	if results == nil || len(n.Results) == 0 || len(n.Results) != results.NumFields() {
		return
	}
	last := n.Results[len(n.Results)-1]
	if id, ok := results.List[len(results.List)-1].Type.(*ast.Ident); !ok || id.Name != "error" || p.of(last) == "nil" {
		return
	}
	lo, hi := p.tok.Offset(last.Pos()), p.tok.Offset(last.End())
	before := p.between(n.Pos(), last.Pos())
	p.add("error", n, lo, hi, "nil", before+"nil")
}

func (p *planner) statements(list []ast.Stmt) {
	for i, s := range list {
		if droppable(s) {
			p.add("dropped", s, p.tok.Offset(s.Pos()), p.tok.Offset(s.End()), "", "")
		}
		if i+1 < len(list) && movable(s) && movable(list[i+1]) && (isSeen(s) || isSeen(list[i+1])) {
			next := list[i+1]
			lo, hi := p.tok.Offset(s.Pos()), p.tok.Offset(next.End())
			gap := p.between(s.End(), next.Pos())
			p.found = append(p.found, Mutant{
				File: p.file, Line: p.tok.Line(s.Pos()), Func: p.fn, Kind: "order",
				Was: oneLine(p.of(s) + "; " + p.of(next)), Now: oneLine(p.of(next) + "; " + p.of(s)),
				lo: lo, hi: hi, text: p.of(next) + gap + p.of(s),
			})
		}
	}
}

func droppable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.IncDecStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.BREAK || s.Tok == token.CONTINUE
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE
	case *ast.ReturnStmt:
		return len(s.Results) == 0
	}
	return false
}

func movable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt:
		return true
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE
	}
	return false
}

func isSeen(s ast.Stmt) bool {
	found := false
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && seen[strings.ToLower(sel.Sel.Name)] {
				found = true
			}
		}
		return !found
	})
	return found
}

func (p *planner) replace(kind string, n ast.Node, text string) {
	p.add(kind, n, p.tok.Offset(n.Pos()), p.tok.Offset(n.End()), text, text)
}

// add notes a mistake at n: the bytes from lo to hi become text, and n as a whole reads now.
func (p *planner) add(kind string, n ast.Node, lo, hi int, text, now string) {
	was := p.of(n)
	if kind == "constant" {
		// A number alone says nothing: the whole line is shown.
		start := strings.LastIndexByte(string(p.src[:lo]), '\n') + 1
		end := hi + strings.IndexByte(string(p.src[hi:])+"\n", '\n')
		was, now = string(p.src[start:end]), string(p.src[start:lo])+text+string(p.src[hi:end])
	}
	p.found = append(p.found, Mutant{
		File: p.file, Line: p.tok.Line(n.Pos()), Func: p.fn, Kind: kind,
		Was: oneLine(was), Now: oneLine(now), lo: lo, hi: hi, text: text,
	})
}

func (p *planner) of(n ast.Node) string { return p.between(n.Pos(), n.End()) }

func (p *planner) between(from, to token.Pos) string {
	return string(p.src[p.tok.Offset(from):p.tok.Offset(to)])
}

// oneLine leaves out the comments at the ends of lines and what is between words but a space.
func oneLine(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		if i := strings.Index(line, "// "); i >= 0 {
			line = line[:i]
		}
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(line)
		}
	}
	return b.String()
}
