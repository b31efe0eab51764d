package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A candidate is something that can be named at the place.
type candidate struct {
	obj         types.Object
	label       string // as it is named; "" means by the name of obj
	factor      float64
	addressable bool
	depth       int // how many dots are in its name that were not typed
	extra       []lsp.TextEdit
	from        string // path of the package that extra imports
}

// scopes adds what the scopes around the place declare.
func (c *completer) scopes() {
	var around []*types.Scope
	for _, n := range c.path {
		switch fn := n.(type) {
		case *ast.FuncDecl:
			n = fn.Type
		case *ast.FuncLit:
			n = fn.Type
		}
		if s := c.s.Info.Scopes[n]; s != nil {
			around = append(around, s)
		}
	}
	factor := 1.0
	var deep []candidate
	seen := map[string]bool{}
	visit := func(s *types.Scope, names []string, factor float64, local bool) {
		for _, name := range names {
			obj := s.Lookup(name)
			if obj == nil || name == "_" || seen[name] || name == syntax.DraftName {
				continue
			}
			if local {
				if _, at := s.LookupParent(name, c.pos); at != obj || c.isBeingDeclared(obj) {
					continue
				}
			}
			seen[name] = true
			cand := candidate{obj: obj, factor: factor, addressable: isVariable(obj)}
			c.add(cand)
			deep = append(deep, cand)
		}
	}
	for _, s := range around {
		visit(s, s.Names(), factor, true)
		factor *= 0.95
	}
	if file := c.s.Info.Scopes[c.s.File]; file != nil {
		visit(file, file.Names(), 0.75, false)
	}
	pkg := c.v.Package.Scope()
	visit(pkg, pkg.Names(), 0.7, false)
	if g, ok := c.d.Decl.(*ast.GenDecl); !ok || g.Tok != token.CONST {
		seen["iota"] = true
	}
	visit(types.Universe, types.Universe.Names(), 0.5, false)
	c.deepen(deep)
}

func isVariable(obj types.Object) bool {
	_, ok := obj.(*types.Var)
	return ok
}

// isBeingDeclared reports whether a variable is declared by the statement that the place is in.
func (c *completer) isBeingDeclared(obj types.Object) bool {
	for _, n := range c.path {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE && n.Pos() <= obj.Pos() && obj.Pos() < n.TokPos {
				return true
			}
		case ast.Stmt:
			return false
		}
	}
	return false
}

// add adds a candidate if it fits.
func (c *completer) add(cand candidate) {
	obj := cand.obj
	if cand.label == "" {
		cand.label = obj.Name()
	}
	score, ok := c.match.score(cand.label)
	if !ok {
		return
	}
	fit, as := c.fit(&cand)
	if fit <= 0 {
		return
	}
	if fit < neutral && cand.depth == 0 && cand.factor > 0.8 && c.leadsToFit(&cand) {
		fit, as = neutral*3, asIs
	}
	score *= fit * cand.factor * c.usage(&cand)
	if obj.Exported() && obj.Pkg() == c.v.Package && !c.want.isType {
		score *= 0.97
	}
	item := c.item(&cand, as)
	item.score = score
	c.items = append(c.items, item)
}

// leadsToFit reports whether a member of a variable fits what is wanted.
func (c *completer) leadsToFit(cand *candidate) bool {
	if _, ok := cand.obj.(*types.Var); !ok || c.expr != c.d.Name || c.want.isType || c.want.called {
		return false
	}
	if c.want.typ == types.Typ[types.Bool] {
		return true // a comparison may begin with it
	}
	return slices.ContainsFunc(c.below(cand), func(m candidate) bool {
		fit, _ := c.fit(&m)
		return fit >= fits*0.8
	})
}

// usage is what use nearby is worth.
func (c *completer) usage(cand *candidate) float64 {
	if c.used == nil {
		return 1
	}
	name := cand.obj.Name()
	n := c.used.names[name] + 2*c.used.next[name]
	if s, ok := c.expr.(*ast.SelectorExpr); ok {
		n = c.used.names[name] / 2
		if x, ok := s.X.(*ast.Ident); ok {
			n += 2 * c.used.pairs[x.Name+"."+name]
		} else if x, ok := s.X.(*ast.SelectorExpr); ok {
			n += 2 * c.used.pairs[x.Sel.Name+"."+name]
		}
		n += c.used.next[name]
	}
	b := boost(n)
	if c.want.name != "" && sameName(c.want.name, name) {
		b *= 1.6
	}
	return b
}

// sameName reports whether two names share their last word, or one is short for the other.
func sameName(a, b string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	x, y := words(a), words(b)
	return x[len(x)-1] == y[len(y)-1]
}
