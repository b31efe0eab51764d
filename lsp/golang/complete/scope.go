package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A candidate is something that can be named at the place.
type candidate struct {
	obj         types.Object
	label       string // as it is named; "" means by the name of obj
	factor      float64
	addressable bool
	depth       int            // how many dots are in its name that were not typed
	foreign     bool           // it is a member of a package, which is in those dots
	path        []types.Object // that those dots lead through
	away        float64        // how much of a way that is
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
			if obj == nil || name == "_" || seen[name] || name == syntax.DraftName || !check.IsWritten(obj) {
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
		factor *= 0.98
	}
	if file := c.s.Info.Scopes[c.s.File]; file != nil {
		visit(file, file.Names(), 0.8, false)
	}
	pkg := c.v.Package.Scope()
	visit(pkg, pkg.Names(), 0.75, false)
	if !c.inConstants() {
		seen["iota"] = true
	}
	visit(types.Universe, types.Universe.Names(), 0.7, false)
	c.deepen(deep)
	c.injected()
}

// inConstants reports whether the place is in a declaration of constants.
func (c *completer) inConstants() bool {
	return slices.ContainsFunc(c.path, func(n ast.Node) bool {
		g, ok := n.(*ast.GenDecl)
		return ok && g.Tok == token.CONST
	})
}

// injected adds types without a name that fit.
func (c *completer) injected() {
	for _, t := range c.want.inject {
		if isNamed(t) || is[*types.Basic](t) || isTypeParam(t) || !c.canName(t) {
			continue
		}
		name := types.NewTypeName(token.NoPos, nil, c.typeText(t), t)
		if score, ok := c.match.score(name.Name()); ok {
			item := c.item(&candidate{obj: name, label: name.Name()}, asIs)
			item.score = score * fits
			c.items = append(c.items, item)
		}
	}
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
	if name, ok := obj.(*types.TypeName); ok && fit < fits && fit > 0 {
		c.literalOf(name)
	}
	if fit <= 0 {
		return
	}
	if fit < fits/4 && cand.depth == 0 && cand.factor > 0.8 && c.leadsToFit(&cand) {
		fit, as = leads, asIs
	}
	item := c.item(&cand, as)
	item.score = score * c.worth(&cand, fit)
	c.items = append(c.items, item)
}

// notExported is how much names that are not exported come first, among such that fit alike.
const notExported = 1.1

// worth is what a candidate is worth that fits so well.
func (c *completer) worth(cand *candidate, fit float64) float64 {
	score := fit * cand.factor * c.usage(cand) * c.likely(cand) * max(0, 1-cand.away/10)
	if !cand.obj.Exported() && cand.obj.Parent() != types.Universe {
		score *= notExported
	}
	return score
}

// leadsToFit reports whether a member of a variable fits what is wanted.
func (c *completer) leadsToFit(cand *candidate) bool {
	if c.want.isType || c.want.called {
		return false
	}
	switch obj := cand.obj.(type) {
	case *types.Var:
	case *types.Func:
		return c.want.typ == types.Typ[types.Bool] && c.inCondition() && obj.Signature().Results().Len() == 1
	default:
		return false
	}
	if c.want.typ == types.Typ[types.Bool] {
		return true // a comparison may begin with it
	}
	return on(c.o.Deep) && slices.ContainsFunc(c.below(cand), func(m candidate) bool {
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
	sure := 0.0 // what is no chance
	if s, ok := c.expr.(*ast.SelectorExpr); ok {
		n = c.used.names[name] / 2
		if x, ok := s.X.(*ast.Ident); ok {
			sure += 2 * c.used.pairs[x.Name+"."+name]
		} else if x, ok := s.X.(*ast.SelectorExpr); ok {
			sure += 2 * c.used.pairs[x.Sel.Name+"."+name]
		}
		n += c.used.next[name]
	}
	b := boost(max(0, n-c.used.chance) + max(0, sure-c.used.chance/chanceOfPair))
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
