package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"math"
	"strings"
)

// Factors of what is likely besides that it fits. They are multiplied with each other.
const (
	ifUnused       = 2.0 // a variable that the compiler wants used
	ifUnusedParam  = 1.3 // one that it does not
	ifImported     = 8.0 // a package that the file imports and does not use
	ifWrapped      = 1.7 // a function that is called like the one around the place
	ifTakesOthers  = 0.4 // a function that does not take the arguments that are there
	ifDeferred     = 1.4 // a function without parameters behind defer
	ifDropped      = 0.4 // a function behind go or defer, with results other than an error
	ifNilReturned  = 2.0
	ifBoolReturned = 1.6
)

// predeclared are factors of names that Go itself declares, by how often code has them. Those that
// are not here have 1.
var predeclared = map[string]float64{
	"len": 1.5, "append": 1.4, "make": 1.4, "panic": 1.4, "new": 1.1,
	"string": 1.4, "int": 1.4, "bool": 1.4, "error": 1.4, "byte": 1.4, "any": 1.2,
	"complex": 0.7, "imag": 0.7, "real": 0.7, "print": 0.7, "println": 0.7, "complex64": 0.7, "complex128": 0.7,
}

// A habit is what is known of the code around a place besides the types: what a person who writes
// there has begun and not ended.
type habit struct {
	used     map[types.Object]bool // in the declaration around the place
	idle     map[string]bool       // whether an import is used nowhere, by its name; filled when asked
	function string                // name of that around the place; "" if there is none
	args     []types.Type          // that are there already if the place is that of a function; nil: not known
	spread   bool                  // the last of them is given with dots
}

// habits are found out once for each place.
func (c *completer) habits() *habit {
	if c.habit != nil {
		return c.habit
	}
	h := &habit{used: map[types.Object]bool{}, idle: map[string]bool{}}
	c.habit = h
	for id, obj := range c.s.Info.Uses {
		if id != c.d.Name {
			h.used[obj] = true
		}
	}
	for _, n := range c.path {
		if f, ok := n.(*ast.FuncDecl); ok {
			h.function = wordAt(c.d.Tree.Text, c.d.Tree.Offset(f.Name.Pos())) // the tree calls it "_"
		}
	}
	if call, ok := nodeAt[*ast.CallExpr](c.path, 0); ok && call.Fun == c.expr && len(call.Args) > 0 {
		for _, arg := range call.Args {
			h.args = append(h.args, c.typeOf(arg))
		}
		h.spread = call.Ellipsis.IsValid()
	}
	return h
}

// likely is how likely a candidate is, besides that it fits so well.
func (c *completer) likely(cand *candidate) float64 {
	if c.s.Info == nil || cand.depth > 0 {
		return 1
	}
	h := c.habits()
	if p, ok := cand.obj.(*types.PkgName); ok {
		if c.isIdle(p) {
			return ifImported
		}
		return 1
	}
	factor := 1.0
	name := cand.obj.Name()
	sig, isFunc := under(cand.obj.Type()).(*types.Signature)
	switch v, _ := cand.obj.(*types.Var); {
	case cand.obj.Parent() == types.Universe:
		if f, ok := predeclared[name]; ok {
			factor = f
		}
		_, returned := nodeAt[*ast.ReturnStmt](c.path, 0)
		switch {
		case name == "nil" && returned:
			factor = ifNilReturned
		case (name == "true" || name == "false") && !c.inCondition():
			factor = ifBoolReturned
		}
	case v != nil && c.isLocal(v) && !h.used[v]:
		factor = ifUnused
		if v.Kind() != types.LocalVar {
			factor = ifUnusedParam
		}
	}
	if isFunc {
		if len(h.args) > 0 && !takes(sig, h.args, h.spread) {
			factor *= ifTakesOthers
		}
		if strings.EqualFold(h.function, name) && (c.expr != ast.Expr(c.d.Name) || name != h.function) {
			factor *= ifWrapped
		}
		if c.want.callWanted && sig.Params().Len() == 0 {
			factor *= ifDeferred
		}
		if c.want.callWanted && givesMoreThanError(sig) {
			factor *= ifDropped
		}
	}
	return math.Pow(factor, 1-c.chance()/chanceMost)
}

// givesMoreThanError reports whether a function has results that are no error.
func givesMoreThanError(sig *types.Signature) bool {
	for v := range sig.Results().Variables() {
		if v.Type() != types.Universe.Lookup("error").Type() {
			return true
		}
	}
	return false
}

// wordAt is the name that begins at an offset.
func wordAt(text []byte, at int) string {
	end := at
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	return string(text[at:end])
}

// isLocal reports whether a variable is declared in a function.
func (c *completer) isLocal(v *types.Var) bool {
	return !v.IsField() && v.Parent() != nil && v.Parent() != c.v.Package.Scope() && v.Parent() != types.Universe
}

// isIdle reports whether the text names an imported package nowhere, which the compiler takes for a
// mistake.
func (c *completer) isIdle(p *types.PkgName) bool {
	idle, known := c.habit.idle[p.Name()]
	if !known {
		text := c.d.Source
		idle = !names(text[:c.d.Word.Start], p.Name()) && !names(text[c.d.Word.End:], p.Name())
		c.habit.idle[p.Name()] = idle
	}
	return idle
}

// names reports whether a text has a name with a dot behind it.
func names(text []byte, name string) bool {
	for rest := string(text); ; {
		i := strings.Index(rest, name+".")
		if i < 0 {
			return false
		}
		if i == 0 || !isWordByte(rest[i-1]) && rest[i-1] != '/' && rest[i-1] != '.' {
			return true
		}
		rest = rest[i+len(name):]
	}
}

// inCondition reports whether the place is one of a condition, where a constant says nothing.
func (c *completer) inCondition() bool {
	for _, n := range c.path {
		switch n := n.(type) {
		case *ast.ParenExpr, *ast.UnaryExpr, *ast.ExprStmt:
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				return true
			}
		case *ast.IfStmt, *ast.ForStmt:
			return true
		default:
			return false
		}
	}
	return false
}

// takes reports whether a function may take arguments of some types, of which some are not known.
func takes(sig *types.Signature, args []types.Type, spread bool) bool {
	n := sig.Params().Len()
	if len(args) == 1 {
		if t, ok := args[0].(*types.Tuple); ok {
			return n == t.Len() || sig.Variadic() && t.Len() >= n-1
		}
	}
	if len(args) > n && !sig.Variadic() {
		return false
	}
	for i, arg := range args {
		if arg == nil || arg == types.Typ[types.Invalid] {
			continue
		}
		at := min(i, n-1)
		p := sig.Params().At(at).Type()
		if s, ok := p.Underlying().(*types.Slice); ok && sig.Variadic() && at == n-1 && !spread {
			p = s.Elem()
		}
		if hasTypeParam(p, 0) {
			if _, alone := types.Unalias(p).(*types.TypeParam); !alone && !sameShape(p, arg) {
				return false
			}
			continue
		}
		if !types.AssignableTo(arg, p) && !canBe(arg, p) {
			return false
		}
	}
	return true
}
