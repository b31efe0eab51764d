package complete

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// defaultLimit is how many completions are told if nobody asks for another number.
const defaultLimit = 200

// Options are what a client and its user want.
type Options struct {
	lsp.CompletionOptions
	Settings

	// Local is what the paths of imports begin with that stand behind all others: prefixes that
	// commas part.
	Local string
}

// Settings are what a user can set of completions.
type Settings struct {
	// UsePlaceholders puts the names of parameters into calls.
	UsePlaceholders bool `json:"usePlaceholders"`

	// Unimported completes with packages that the file does not import yet. Nil is true, as of the
	// ones below.
	Unimported *bool `json:"completeUnimported"`

	// Deep completes with members of what fits the name, where they fit the place.
	Deep *bool `json:"deepCompletion"`

	// Calls completes functions with the parentheses of a call, and places for the arguments.
	Calls *bool `json:"completeFunctionCalls"`

	// Postfix completes expressions that are behind a dot, such as x.for!, with code about them.
	Postfix *bool `json:"experimentalPostfixCompletions"`

	// Matcher says which names fit what is typed: "Fuzzy", the default, those that have its letters
	// in order, "CaseInsensitive" and "CaseSensitive" those that begin with it. Its own case is no
	// matter.
	Matcher string `json:"matcher"`
}

func on(b *bool) bool { return b == nil || *b }

// A Source knows the packages that a file could import.
type Source interface {
	// Packages calls fn for each, until it returns false.
	Packages(fn func(p Package) bool) error

	// Exported lists what a package declares for others.
	Exported(p Package) ([]Exported, error)
}

// A Package is one that could be imported.
type Package struct {
	Path, Name string
	ID         string // where a Source finds it
	Near       bool   // it belongs to the workspace, or is imported by it
}

// An Exported is something that a package declares for others.
type Exported struct {
	Name   string
	Kind   lsp.CompletionKind
	Detail string // its type, or what kind of type it is
	Params bool   // it is a function with parameters
}

// An Item is a completion, and what it stands for.
type Item struct {
	lsp.Completion
	Object types.Object // nil: of no declaration that the package sees
	Path   string       // of the package that exports it, if Object is nil; "" if none does
	Name   string       // of what Path exports
	score  float64
}

// A completer collects what could stand at one place.
type completer struct {
	v *check.View
	d *syntax.Draft
	s *check.Sketch
	o Options

	source Source // may be nil
	match  *matcher
	used   *usage
	pos    token.Pos
	expr   ast.Expr   // the name at the place, or the selector that it ends
	path   []ast.Node // around expr, innermost first
	want   want
	habit  *habit // nil: nothing has asked

	imported *syntax.Tree // of the file, with its imports alone; nil: nothing has asked
	items    []Item
	partial  bool

	literalsSeen map[string]bool // types that there is a literal of
	membersSeen  map[membersKey][]candidate
}

// At lists what could stand at the place of a draft in the file of a view.
func At(v *check.View, d *syntax.Draft, o Options, source Source) (items []Item, partial bool, err error) {
	o.Placeholders = o.Placeholders || o.UsePlaceholders
	c := &completer{v: v, d: d, o: o, source: source, match: newMatcher(d.Prefix, o.Matcher), s: &check.Sketch{}}
	if d.Cursor.Inside != token.ILLEGAL {
		return c.inToken()
	}
	text := d.Source
	c.used = usageAround(text, d.Word.Start, d.Word.End, beforeText(text, d.Word.Start))
	if d.Tree != nil {
		if c.s, err = v.Check(d); err != nil {
			return nil, false, err
		}
	}
	if err := c.collect(); err != nil {
		return nil, false, err
	}
	return c.best()
}

// beforeText is the operator or the like that stands before a place in its line.
func beforeText(text []byte, at int) string {
	line := strings.TrimRight(string(text[max(0, at-40):at]), " \t")
	if i := strings.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i+1:]
	}
	i := len(line)
	for i > 0 && !isWordByte(line[i-1]) && line[i-1] != ' ' && line[i-1] != '\t' {
		i--
	}
	if i == len(line) {
		for i > 0 && isWordByte(line[i-1]) {
			i--
		}
		return line[i:] + " "
	}
	for i > 0 && isWordByte(line[i-1]) {
		i--
	}
	return line[i:]
}

// best are the items that are told, in order.
func (c *completer) best() ([]Item, bool, error) {
	slices.SortStableFunc(c.items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.Label, b.Label))
	})
	limit := cmp.Or(c.o.Limit, defaultLimit)
	if len(c.items) > limit {
		c.items, c.partial = c.items[:limit], true
	}
	return c.withoutTooNew(c.items), c.partial, nil
}

// file is the file with its imports, as it is now.
func (c *completer) file() *syntax.Tree {
	if c.imported == nil {
		c.imported = c.d.Imports()
	}
	return c.imported
}

func (c *completer) collect() error {
	if c.definitions() {
		return nil
	}
	c.keywords()
	cur := &c.d.Cursor
	if c.s.Path == nil || cur.Before == token.ELSE || cur.Before == token.RBRACE && !cur.NewLine {
		return nil
	}
	c.pos = c.d.Name.Pos()
	if _, ok := c.s.Path[0].(*ast.Ident); !ok {
		return nil
	}
	c.expr, c.path = c.d.Name, c.s.Path[1:]
	sel, _ := nodeAt[*ast.SelectorExpr](c.path, 0)
	if sel != nil && sel.Sel == c.d.Name {
		c.expr, c.path = sel, c.path[1:]
	} else {
		sel = nil
	}
	if c.declares() {
		return nil
	}
	if b, ok := nodeAt[*ast.BranchStmt](c.path, 0); ok {
		c.labels(b)
		return nil
	}
	c.want = c.expectHere()
	if sel != nil {
		return c.members(sel)
	}
	onlyFields := c.fields()
	if onlyFields {
		return nil
	}
	c.scopes()
	c.literals()
	c.statements()
	if !on(c.o.Unimported) {
		return nil
	}
	return c.unimported()
}

// expectHere is what fits at the place.
func (c *completer) expectHere() want {
	if s, ok := nodeAt[*ast.SelectorExpr](c.path, 0); ok && s.X == c.expr {
		w := c.expect(s, c.path[1:])
		name := s.Sel.Name
		return want{pred: func(t types.Type) bool { return c.hasMember(t, name) }, name: w.name, called: true}
	}
	return c.expect(c.expr, c.path)
}

func (c *completer) hasMember(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, c.v.Package, name)
	return obj != nil
}

// declares reports whether the name at the place is one that is being given.
func (c *completer) declares() bool {
	if c.expr != ast.Expr(c.d.Name) || len(c.path) == 0 {
		return false
	}
	id := c.d.Name
	switch n := c.path[0].(type) {
	case *ast.FuncDecl:
		return n.Name == id
	case *ast.ValueSpec:
		return slices.Contains(n.Names, id)
	case *ast.TypeSpec:
		return n.Name == id
	case *ast.Field:
		return slices.Contains(n.Names, id)
	case *ast.LabeledStmt:
		return n.Label == id
	case *ast.ImportSpec:
		return true
	case *ast.AssignStmt:
		return n.Tok == token.DEFINE && slices.Contains(n.Lhs, ast.Expr(id)) && c.s.Info.Defs[id] != nil
	case *ast.RangeStmt:
		return n.Tok == token.DEFINE && (n.Key == ast.Expr(id) || n.Value == ast.Expr(id))
	}
	return false
}

// labels lists those that a statement can go to.
func (c *completer) labels(b *ast.BranchStmt) {
	add := func(l *ast.LabeledStmt, factor float64) {
		if score, ok := c.match.score(l.Label.Name); ok && l.Label.Name != syntax.DraftName {
			c.items = append(c.items, Item{
				Completion: lsp.Completion{Label: l.Label.Name, Detail: "label", Kind: lsp.CompletionConstant, Text: l.Label.Name},
				score:      score * factor * 10,
			})
		}
	}
	if b.Tok != token.GOTO {
		factor := 1.0
		for _, n := range c.path {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.FuncDecl:
				return
			case *ast.LabeledStmt:
				switch n.Stmt.(type) {
				case *ast.ForStmt, *ast.RangeStmt:
					add(n, factor)
				case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
					if b.Tok == token.BREAK {
						add(n, factor)
					}
				}
				factor *= 0.9
			}
		}
		return
	}
	for _, n := range c.path { // it may go to any in a block around it, and into no other block
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		case *ast.FuncLit, *ast.FuncDecl:
			return
		}
		for _, s := range list {
			for l, ok := s.(*ast.LabeledStmt); ok; l, ok = l.Stmt.(*ast.LabeledStmt) {
				add(l, 1)
			}
		}
	}
}

// inToken is for a place inside of a comment or a literal.
func (c *completer) inToken() ([]Item, bool, error) {
	switch cur := &c.d.Cursor; {
	case cur.Inside == token.COMMENT:
		c.inComment()
	case cur.Inside == token.STRING && (cur.First == token.IMPORT || cur.Opener == token.IMPORT && cur.Bracket == '('):
		if err := c.importPaths(); err != nil {
			return nil, false, err
		}
	}
	return c.best()
}
