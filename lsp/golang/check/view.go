package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sync"

	"golang.org/x/tools/go/ast/astutil"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A View is a package with its types, for questions that an index does not answer: what an
// expression is, what could stand at a place. It has the types of all declarations, and of those
// function bodies that it was made for.
//
// It belongs to whoever has its slot, and nothing of it may be kept (K1).
type View struct {
	Meta      *metadata.Package
	File      *syntax.Tree   // that was asked about; nil for a Sight without a URI
	Files     []*syntax.Tree // all of the package that are fit to be
	Positions *token.FileSet // of Files
	Package   *types.Package
	Info      *types.Info // all of its maps are there; positions of imported objects mean nothing
	Sizes     types.Sizes
	Errors    []types.Error // for a Sight.Apart, without those of files that were edited since

	world *world
	made  Bodies                      // those of the sight that it was made for
	had   map[*ast.FuncDecl]knownBody // those that are checked; unless made is AllBodies
	state any                         // in which it was looked at last; see Known
	base  *base                       // of one that drafts are checked in
	own   func() map[types.Object]string

	moved    []movedFile // at most one for each of Files
	followed int         // edits
}

// Bodies says which function bodies a view has the types of.
type Bodies uint8

// From few to many.
const (
	noBodies     Bodies = iota
	BodyAt              // that of the function declaration around an offset, if there is one
	BodiesOfFile        // those of one file
	SomeBodies          // those that Sight.Keep names
	AllBodies
)

// A Sight says what a view is made for.
type Sight struct {
	URI    string // of the file that is asked about; "" for a question about the package
	Offset int    // matters for BodyAt
	Bodies Bodies
	Keep   func(*ast.FuncDecl) bool // matters for SomeBodies

	// Apart: bodies may be checked apart from their file, when they are first asked about. Then the
	// scopes of their file lack what they declare, and the nodes of the signature of a function
	// stand for other objects than its type has. And what is declared outside of bodies may have
	// positions of an older text of its file: View.At gives the present ones.
	Apart bool
}

// A knownBody says how the body of a function was checked.
type knownBody struct {
	apart     bool        // else with its file
	signature *types.Info // of one that was: what was known of the nodes of its signature
}

// ErrUnfit is the error for files that are not type-checked: they are not fit to be, or none of
// those that are read of their package.
var ErrUnfit = errors.New("the file is too large, too deep or no text, and is not type-checked")

// kept are the functions whose bodies are checked.
func (s Sight) kept(t *syntax.Tree) func(*ast.FuncDecl) bool {
	switch {
	case s.Bodies == AllBodies:
		return func(*ast.FuncDecl) bool { return true }
	case s.Bodies == SomeBodies:
		return s.Keep
	case t.URI != s.URI || s.Bodies == noBodies:
		return nil
	case s.Bodies == BodiesOfFile:
		return func(*ast.FuncDecl) bool { return true }
	}
	return func(fn *ast.FuncDecl) bool {
		return t.Offset(fn.Pos()) <= s.Offset && s.Offset <= t.Offset(fn.End())
	}
}

func fileOf(files []*syntax.Tree, uri string) *syntax.Tree {
	for _, t := range files {
		if t.URI == uri {
			return t
		}
	}
	return nil
}

// isOf reports whether a view of the same files is one of a package.
func (v *View) isOf(p *metadata.Package) bool {
	had := v.Meta
	return had.Path == p.Path && had.Name == p.Name && had.GoVersion == p.GoVersion && had.Arch == p.Arch
}

// lacks are the functions of a file whose bodies a sight asks for, and the view does not have. It
// is not ok if the view cannot come to have what is asked for.
func (v *View) lacks(s Sight, file *syntax.Tree) (list []*ast.FuncDecl, ok bool) {
	switch {
	case len(v.moved) > 0 && !s.Apart:
		return nil, false
	case v.made == AllBodies, s.Bodies == noBodies:
		return nil, true
	case file == nil || s.Bodies > BodiesOfFile:
		return nil, false
	}
	wanted := s.kept(file)
	for _, d := range file.AST.Decls {
		fn, isFunc := d.(*ast.FuncDecl)
		if !isFunc || fn.Body == nil || !wanted(fn) {
			continue
		}
		switch known, had := v.had[fn]; {
		case !had:
			list = append(list, fn)
		case known.apart && !s.Apart:
			return nil, false
		}
	}
	return list, len(list) == 0 || s.Apart
}

// Tree is the file that a position of the view, or of an object, lies in; nil if it is none of the
// package's.
func (v *View) Tree(pos token.Pos) *syntax.Tree {
	pos = v.At(pos)
	for _, t := range v.Files {
		if base := token.Pos(t.Pos.Base()); base <= pos && pos <= base+token.Pos(t.Pos.Size()) {
			return t
		}
	}
	return nil
}

// Pos is the position of an offset in File.
func (v *View) Pos(offset int) token.Pos { return token.Pos(v.File.Pos.Base() + offset) }

// Enclosing are the nodes of File around a span of offsets, innermost first.
func (v *View) Enclosing(start, end int) []ast.Node {
	path, _ := astutil.PathEnclosingInterval(v.File.AST, v.Pos(start), v.Pos(end))
	return path
}

// IdentAt is the identifier that an offset of File lies on, or behind; nil if there is none.
func (v *View) IdentAt(offset int) *ast.Ident {
	for _, at := range []int{offset, offset - 1} { // of two that touch, the one that starts here
		if at < 0 {
			break
		}
		if path := v.Enclosing(at, at+1); len(path) > 0 {
			if id, ok := path[0].(*ast.Ident); ok && v.File.Offset(id.Pos()) <= at && at < v.File.Offset(id.End()) {
				return id
			}
		}
	}
	return nil
}

// Place is where an error is shown; the tree is nil if it is in no file of the view.
func (v *View) Place(e types.Error) (*syntax.Tree, lsp.Span) {
	c := errorCollector{byBase: v.Files}
	return c.place(e, func(pos token.Pos) token.Pos { return pos })
}

// A Name says outside of a view which object is meant.
type Name struct {
	// External is what an object of another package is called there.
	External index.External

	// URI and Offset say where the package itself declares the object; URI is "" for another's.
	URI    string
	Offset int
}

// NameOf is the name of an object. It is not ok for one that nothing leads to, such as a field of
// an unnamed type of another package.
func (v *View) NameOf(obj types.Object) (name Name, ok bool) {
	obj = originOf(obj)
	switch pkg := packageOf(obj); {
	case pkg == nil:
		name.External = index.External{Package: metadata.Builtin, Path: obj.Name()}
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
			name.External.Path = "error." + obj.Name() // the only method of the universe
		}
	case pkg == types.Unsafe:
		name.External = index.External{Package: "unsafe", Path: obj.Name()}
	case pkg == v.Package:
		t := v.Tree(obj.Pos())
		if t == nil {
			return name, false
		}
		name.URI, name.Offset = t.URI, t.Offset(v.At(obj.Pos()))
	default:
		name.External = index.External{Package: pkg.Path(), Path: v.world.objectPath(obj)}
		return name, name.External.Path != ""
	}
	return name, true
}

// Path is what an object of the package is called for others; "" if it has no name there.
func (v *View) Path(obj types.Object) string { return v.own()[originOf(obj)] }

// Imported are the packages that can be named: those that the package imports, and all that their
// declarations mention, by path. Of the latter there may be some declarations only.
func (v *View) Imported() map[string]*types.Package { return v.world.packages }

func newView(p *metadata.Package, w *world, files []*syntax.Tree, s Sight) (*View, error) {
	v := &View{
		Meta: p, Positions: token.NewFileSet(), Package: types.NewPackage(p.Path, p.Name), Sizes: sizesFor(p.Arch),
		world: w, made: s.Bodies, had: map[*ast.FuncDecl]knownBody{},
	}
	v.own = sync.OnceValue(func() map[types.Object]string {
		paths, _ := objectPaths(v.Package)
		return paths
	})
	v.Files, _, _ = sortOut(files)
	if v.File = fileOf(v.Files, s.URI); v.File == nil && s.URI != "" {
		return nil, fmt.Errorf("%s: %w", s.URI, ErrUnfit)
	}
	v.Info = newInfo()
	checked := make([]*ast.File, len(v.Files))
	for i, t := range v.Files {
		v.Positions.AddExistingFiles(t.Pos)
		keep := s.kept(t)
		checked[i] = bodies.Without(t.AST, func(fn *ast.FuncDecl) bool {
			kept := keep != nil && keep(fn)
			if kept {
				v.had[fn] = knownBody{}
			}
			return kept
		})
	}
	v.check(checked, v.Info, s.Bodies == AllBodies, func(e types.Error) { v.Errors = append(v.Errors, e) })
	for i, t := range v.Files {
		v.Info.Scopes[t.AST] = v.Info.Scopes[checked[i]]
		v.Info.FileVersions[t.AST] = v.Info.FileVersions[checked[i]]
	}
	return v, nil
}

// check checks files of the package. Whole tells whether they are all of it, bodies included.
func (v *View) check(files []*ast.File, info *types.Info, whole bool, report func(types.Error)) {
	conf := types.Config{
		GoVersion: v.Meta.GoVersion, FakeImportC: true, Importer: v.world, Sizes: v.Sizes,
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); ok {
				report(e)
			}
		},
		DisableUnusedImportCheck: !whole, // what uses them may not be checked
	}
	_ = types.NewChecker(&conf, v.Positions, v.Package, info).Files(files) // report has the errors
}

// Bounds of what is kept of views.
const (
	ViewsBytes = 4 << 20 // of the text of their packages

	// ViewWeight is how many bytes a view takes for each byte of the text of its package, trees
	// included.
	ViewWeight = SessionWeight

	typesShare = 4 // the part of that which is not the trees
)

// A ViewPool keeps the views of packages that were asked about last.
type ViewPool struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // by ID of the package; closed when its slot is free; guarded by mu
	idle  []*ViewSlot              // latest last; guarded by mu
	bytes int                      // guarded by mu
	most  int                      // bytes; guarded by mu
}

// Views are those of the process.
var Views = ViewPool{most: ViewsBytes}

// A ViewSlot has the view of one package, for one user at a time. It comes to have the bodies that
// are asked about, until the package is another one.
type ViewSlot struct {
	pool  *ViewPool
	id    string
	world *world
	view  *View // nil: there is none
	base  *base // nil: no draft was checked
	bytes int   // of their texts, and as many as the world weighs like
}

// Take gives the caller the slot of a package until Done. If somebody has it, busy is not nil: it
// is closed when it is worth another attempt. Who has a slot takes no other.
func (pool *ViewPool) Take(id string) (slot *ViewSlot, busy <-chan struct{}) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if other := pool.taken[id]; other != nil {
		return nil, other
	}
	if pool.taken == nil {
		pool.taken = map[string]chan struct{}{}
	}
	pool.taken[id] = make(chan struct{})
	if i := slices.IndexFunc(pool.idle, func(s *ViewSlot) bool { return s.id == id }); i >= 0 {
		slot = pool.idle[i]
		pool.idle = slices.Delete(pool.idle, i, i+1)
		pool.bytes -= slot.bytes
		return slot, nil
	}
	return &ViewSlot{pool: pool, id: id}, nil
}

// Done gives the slot back.
func (s *ViewSlot) Done() {
	pool := s.pool
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if s.world != nil {
		s.weigh()
		pool.idle = append(pool.idle, s)
		pool.bytes += s.bytes
		pool.makeRoom()
	}
	close(pool.taken[s.id])
	delete(pool.taken, s.id)
}

// View is the package as its files and imports are now.
func (s *ViewSlot) View(p *metadata.Package, imports []Import, files []*syntax.Tree, sight Sight) (v *View, err error) {
	defer s.recovered(p, &err)
	if err := s.worldOf(p, imports); err != nil {
		return nil, err
	}
	fit, _, _ := sortOut(files)
	if s.view != nil && s.view.isOf(p) &&
		(slices.Equal(s.view.Files, fit) || sight.Apart && s.view.follow(fit)) {
		if v := s.seen(sight); v != nil {
			return v, nil
		}
	}
	if v, err = newView(p, s.world, files, sight); err != nil {
		return nil, err
	}
	if sight.Bodies != SomeBodies { // which are asked for once, and are of no use for others
		s.view = v
	}
	return v.at(v.File), nil
}

// at is the view as who asks about a file has it, until the next who asks.
func (v *View) at(file *syntax.Tree) *View {
	seen := *v
	seen.File = file
	return &seen
}

// seen is the view of the slot as a sight has it, nil if it has to be made again.
func (s *ViewSlot) seen(sight Sight) *View {
	file := fileOf(s.view.Files, sight.URI)
	lacks, ok := s.view.lacks(sight, file)
	if !ok || file == nil && sight.URI != "" { // newView says why it is not there
		return nil
	}
	if len(lacks) > 0 {
		s.view.add(file, lacks)
	}
	return s.view.at(file)
}

// Known is the view of the slot, if it was found in the same state before. States are equal only if
// the files of the package are, and all that it imports. It is nil if the files are needed.
func (s *ViewSlot) Known(state any, sight Sight) (v *View, err error) {
	if state == nil || s.view == nil || s.view.state != state || fileOf(s.view.Files, sight.URI) == nil {
		return nil, nil
	}
	defer s.recovered(s.view.Meta, &err)
	return s.seen(sight), nil
}

// FoundIn says in which state the view of the slot was made or found.
func (s *ViewSlot) FoundIn(state any) {
	if s.view != nil {
		s.view.state = state
	}
}

// recovered is deferred by what checks in the slot (K4).
func (s *ViewSlot) recovered(p *metadata.Package, err *error) {
	if e := recover(); e != nil {
		s.world, s.view, s.base = nil, nil, nil
		*err = newInternalError("checking "+p.ID, e)
	}
}

// worldOf makes the world of the slot that of a package.
func (s *ViewSlot) worldOf(p *metadata.Package, imports []Import) error {
	if s.world != nil && s.world.key == importKey(imports) {
		return nil
	}
	s.view, s.base, s.world = nil, nil, nil
	w, err := Worlds.take(imports)
	if err != nil {
		return fmt.Errorf("checking %s: %w", p.ID, err)
	}
	s.world = w
	return nil
}

// weigh counts what the slot has alone: a tree of several views once, and neither the trees nor the
// world that the session of the package has anyway.
func (s *ViewSlot) weigh() {
	world, trees := Sessions.holdings(s.id)
	s.bytes = 0
	if s.world != world {
		s.bytes = s.world.bytes * WorldWeight / ViewWeight
	}
	count := func(files, held []*syntax.Tree) {
		for i, t := range files {
			n := len(t.Text)
			if i < len(held) && held[i] == t || slices.Contains(held, t) {
				n /= typesShare
			}
			s.bytes += n
		}
	}
	if s.view != nil {
		count(s.view.Files, trees)
	}
	if s.base != nil {
		if s.view != nil {
			trees = slices.Concat(trees, s.view.Files)
		}
		count(s.base.view.Files, trees)
	}
}

// Held is how many bytes of text have views here.
func (pool *ViewPool) Held() int64 {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return int64(pool.bytes)
}

// Bound sets how many bytes of text may have views here.
func (pool *ViewPool) Bound(most int) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.most = most
	pool.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (pool *ViewPool) makeRoom() {
	if pool.bytes > pool.most { // sessions may have come and gone
		pool.bytes = 0
		for _, s := range pool.idle {
			s.weigh()
			pool.bytes += s.bytes
		}
	}
	for pool.bytes > pool.most && len(pool.idle) > 0 {
		pool.bytes -= pool.idle[0].bytes
		pool.idle = slices.Delete(pool.idle, 0, 1)
	}
}
