package bodies

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// Checked is a unit of a package as a check found it.
type Checked struct {
	File     *File         // in the state that is asked about
	Function *ast.FuncDecl // of File; nil: the unit is the face of the file
	Facts    Facts
	Errors   []types.Error // in order, without unused imports
	Package  *types.Package
	Types    map[ast.Expr]types.TypeAndValue // of a body that was checked by itself; else nil

	Positions *token.FileSet // of the files that were checked

	at      func(token.Pos) token.Pos
	imports *importUser
	locator *locator
	seen    *source // the file as it was checked
}

// At gives the position in the files asked about of what stands at a position that a node of Facts,
// an object or an error names: a face is not checked again when only positions moved.
func (c *Checked) At(pos token.Pos) token.Pos { return c.at(pos) }

// Spot is the token outside of bodies that starts at a position which a node of Facts or an object
// of the package names. It is not ok for a position in a body.
func (c *Checked) Spot(pos token.Pos) (Spot, bool) { return c.locator.spot(pos) }

// Files says in which file of the package a position is that an object of the package names. It
// outlives the unit.
func (c *Checked) Files() func(pos token.Pos) (file int, ok bool) {
	l := c.locator
	return func(pos token.Pos) (int, bool) {
		k, ok := l.find(pos)
		return k.file, ok
	}
}

// Syntax is the file that holds such a position: the one that was checked, which need not be the
// one asked about. It is nil if none does.
func (c *Checked) Syntax(pos token.Pos) *ast.File { return c.locator.syntax(pos) }

// Seen is the file as it was checked.
func (c *Checked) Seen() *ast.File { return c.seen.Syntax }

// Inspect walks the syntax of the unit, as it was checked.
func (c *Checked) Inspect(f func(ast.Node) bool) {
	if c.Function != nil {
		ast.Inspect(c.Function.Body, f)
		return
	}
	for _, d := range c.seen.outside() {
		ast.Inspect(d, f)
	}
}

// A Package is a package that is checked again and again. P is what the user makes of a unit. It
// must not depend on where in the file the function of the unit stands, nor on what At tells of
// other files.
type Package[P any] struct {
	make    func(*Checked) P
	config  Config
	checker *checker
	files   []*file[P] // of the last check; nil: nothing is kept
	faces   *faces     // nil: not needed yet
	looped  bool       // the last whole check found a cycle, or could not look for one
	ahead   bool       // the last whole check found what the language version has not
}

type file[P any] struct {
	*source
	imports importNames
	face    unit[P]
	bodies  []unit[P]
}

// A unit is what is kept of one.
type unit[P any] struct {
	part    P
	imports set         // used by it
	refers  []reference // sorted
	failed  bool        // it has errors
	own     bool        // instantiatesOwn
}

// New makes a package whose units part is made of.
func New[P any](part func(*Checked) P) *Package[P] { return &Package[P]{make: part} }

// A Result is what is known of a package in one state.
type Result[P any] struct {
	Files  []FileResult[P] // as asked
	Whole  bool            // everything was checked
	Bodies int             // how many were checked one by one
}

// A FileResult is what is known of one file.
type FileResult[P any] struct {
	Face   P
	Bodies []Body[P] // in order
	Unused []UnusedImport
}

// A Body is what is known of the body of a function.
type Body[P any] struct {
	Start token.Pos // of the function
	Part  P
}

// Check checks the files of a package. Files whose syntax cannot be cut into declarations are
// checked as a whole.
func (p *Package[P]) Check(c Config, files []File) Result[P] {
	sources := make([]*source, len(files))
	whole := false
	for i, f := range files {
		// A file that is given again keeps its source.
		if i < len(p.files) && p.files[i].Tokens == f.Tokens {
			sources[i] = p.files[i].source
			continue
		}
		s, ok := cut(f)
		whole = whole || !ok
		sources[i] = s
	}
	if whole || !p.keeps(c, sources) {
		return p.whole(c, sources, !whole)
	}
	r, ok := p.edited(sources)
	if !ok {
		return p.whole(c, sources, true)
	}
	return r
}

// Keeps reports whether the next check can be one of what differs.
func (p *Package[P]) Keeps() bool { return p.files != nil && !p.config.Cgo && !p.looped && !p.ahead }

// Prepare checks the faces, which the next edit of a body is checked against. It returns the
// package of them, nil if the next check is one of everything.
func (p *Package[P]) Prepare() *types.Package {
	if !p.Keeps() {
		return nil
	}
	// While there is time, sooner than they have to be made again.
	if p.faces == nil || p.faces.checks > checksMost/2 {
		sources := make([]*source, len(p.files))
		for i, f := range p.files {
			sources[i] = f.source
		}
		p.faces = p.checker.faces(sources)
	}
	return p.faces.pkg
}

// Forget drops what is kept.
func (p *Package[P]) Forget() { *p = Package[P]{make: p.make} }

// keeps reports whether the faces of the last check are those of the files.
func (p *Package[P]) keeps(c Config, sources []*source) bool {
	return p.Keeps() && c == p.config &&
		slices.EqualFunc(p.files, sources, func(f *file[P], s *source) bool {
			return f.source == s || f.Name == s.Name &&
				f.digest == s.digest && f.version == s.version &&
				len(f.functions) == len(s.functions)
		})
}

func same(pos token.Pos) token.Pos { return pos }

// whole checks everything. Keep tells whether the units can be told apart.
func (p *Package[P]) whole(c Config, sources []*source, keep bool) Result[P] {
	p.Forget()
	p.config, p.checker = c, newChecker(c)
	files := make([]File, len(sources))
	for i, s := range sources {
		files[i] = s.File
	}
	w := p.checker.whole(files)
	errs := byFile(sources, w.errors)
	r := Result[P]{Whole: true, Files: make([]FileResult[P], len(sources))}
	locator := newLocator(sources)
	kept := make([]*file[P], len(sources))
	generic := false
	for i, s := range sources {
		user := newImportUser(s.Syntax, w.facts.Info)
		f := &file[P]{source: s, imports: p.importNames(s.Syntax, w.facts.Info)}
		face := faceFacts(&w.facts, s)
		var ofFace []types.Error
		ofBody := make([][]types.Error, len(s.functions))
		for _, group := range grouped(errs[i]) {
			if n := s.unitOf(group[0].Pos); n >= 0 {
				ofBody[n] = append(ofBody[n], group...)
			} else {
				ofFace = append(ofFace, group...)
			}
		}
		f.face = p.unit(Checked{
			File: &s.File, Facts: face, Errors: ofFace, Package: w.pkg, Positions: w.positions,
			at: same, imports: user, locator: locator,
		}, s)
		for n, fn := range s.functions {
			facts := w.facts.between(fn.decl.Body.Lbrace, fn.decl.Body.Rbrace)
			u := p.unit(Checked{
				File: &s.File, Function: fn.decl, Facts: facts, Errors: ofBody[n], Package: w.pkg, Positions: w.positions,
				at: same, imports: user, locator: locator,
			}, s)
			generic = generic || u.own
			f.bodies = append(f.bodies, u)
		}
		kept[i] = f
		r.Files[i] = f.result()
	}
	p.looped = slices.ContainsFunc(w.errors, isLoop) || generic && len(w.errors) > 0
	p.ahead = slices.ContainsFunc(w.errors, isAhead)
	if keep && len(w.errors) <= errorsMost {
		p.files = kept
	}
	return r
}

// importNames are the imports of a file, without those that could not be had.
func (p *Package[P]) importNames(syntax *ast.File, info *types.Info) importNames {
	names := importNamesOf(syntax, info)
	for i, spec := range syntax.Imports {
		if path := writtenPath(spec); path == "C" || p.checker.imported.failed[path] != nil {
			names[i].name = ""
		}
	}
	return names
}

// grouped cuts a list of errors into errors with the lines that continue them.
func grouped(errs []types.Error) (groups [][]types.Error) {
	for i, e := range errs {
		if len(groups) > 0 && continues(e) {
			last := &groups[len(groups)-1]
			*last = append(*last, e)
			continue
		}
		groups = append(groups, errs[i:i+1:i+1])
	}
	return groups
}

// unit makes what is kept of one that was checked, in a file as it was seen then.
func (p *Package[P]) unit(c Checked, seen *source) (u unit[P]) {
	c.seen = seen
	u.failed = len(c.Errors) > 0
	u.refers = references(c.Package, c.Facts.Uses)
	if fn := c.Function; fn != nil {
		c.imports.used(fn.Body, &u.imports)
		u.own = instantiatesOwn(c.Facts.Info, fn, fn.Body.Lbrace, fn.Body.Rbrace)
	} else {
		for _, d := range seen.outside() {
			c.imports.used(d, &u.imports)
		}
	}
	u.part = p.make(&c)
	return u
}

func (f *file[P]) result() FileResult[P] {
	var used set
	used.union(f.face.imports)
	r := FileResult[P]{Face: f.face.part, Bodies: make([]Body[P], len(f.bodies))}
	for i, u := range f.bodies {
		used.union(u.imports)
		r.Bodies[i] = Body[P]{f.functions[i].decl.Pos(), u.part}
	}
	r.Unused = f.imports.unused(f.Syntax, used)
	return r
}

// edited checks what differs from the last check, whose faces are those of the sources. It is not
// ok if the package must be checked as a whole.
func (p *Package[P]) edited(sources []*source) (r Result[P], ok bool) {
	type place struct{ file, body int }
	var differ []place
	moved := make([]bool, len(sources))
	bodies := 0
	for i, s := range sources {
		f := p.files[i]
		bodies += len(s.functions)
		moved[i] = f.source != s
		for n, fn := range s.functions {
			if fn.text != f.functions[n].text || f.bodies[n].failed {
				differ = append(differ, place{i, n})
			}
		}
	}
	if len(differ) > 50 && len(differ) > bodies/2 {
		return r, false
	}
	next := make([]*file[P], len(sources))
	for i, s := range sources {
		f := *p.files[i]
		f.source, f.bodies = s, slices.Clone(f.bodies)
		next[i] = &f
	}
	if p.faces == nil || p.faces.checks > checksMost {
		p.faces = p.checker.faces(sources)
	}
	at := p.faces.mapTo(sources)
	locator := newLocator(sources, p.faces.sources)
	for i, s := range sources {
		if f := next[i]; moved[i] || f.face.failed {
			seen := p.faces.sources[i]
			user := newImportUser(seen.Syntax, p.faces.facts.Info)
			face := faceFacts(&p.faces.facts, seen)
			f.face = p.unit(Checked{
				File: &s.File, Facts: face, Errors: p.faces.errors[i], Package: p.faces.pkg, Positions: p.faces.positions,
				at: at, imports: user, locator: locator,
			}, seen)
		}
	}
	for _, d := range differ {
		s, f := sources[d.file], next[d.file]
		fn := s.functions[d.body].decl
		facts, errs := p.faces.body(s, fn)
		user := newImportUser(s.Syntax, facts.Info)
		was := f.bodies[d.body]
		u := p.unit(Checked{
			File: &s.File, Function: fn, Facts: facts, Errors: errs, Package: p.faces.pkg, Positions: p.faces.positions, Types: facts.Info.Types,
			at: at, imports: user, locator: locator,
		}, s)
		if u.own || was.own {
			return r, false
		}
		f.bodies[d.body] = u
		r.Bodies++
	}
	for _, d := range differ {
		now, was := next[d.file].bodies[d.body].refers, p.files[d.file].bodies[d.body].refers
		fn := sources[d.file].functions[d.body].decl
		if !slices.Equal(now, was) && p.mayLoop(next, functionName(fn)) {
			return r, false
		}
	}
	p.files = next
	for _, f := range next {
		r.Files = append(r.Files, f.result())
	}
	return r, true
}

// mayLoop reports whether something that a function refers to can lie on an initialization cycle
// with it.
func (p *Package[P]) mayLoop(files []*file[P], start reference) bool {
	if start == "" {
		return false // nothing refers to it
	}
	of := maps.Clone(p.faces.variables)
	for _, f := range files {
		for i, u := range f.bodies {
			if name := functionName(f.functions[i].decl); name != "" {
				of[name] = declared{refers: u.refers}
			}
		}
	}
	return mayCycle(of, start)
}

// isAhead reports whether an error says that the language version does not have something. Such
// are found where a thing is first needed, and what is missing then is missing elsewhere: which of
// them are told depends on the order of the check.
func isAhead(e types.Error) bool { return strings.Contains(e.Msg, " requires go1.") }

// isLoop reports whether an error says that something of the package depends on itself, through
// several units perhaps.
func isLoop(e types.Error) bool {
	return strings.HasPrefix(e.Msg, "initialization cycle") ||
		strings.HasPrefix(e.Msg, "instantiation cycle")
}
