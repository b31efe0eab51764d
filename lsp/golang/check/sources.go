package check

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	goruntime "runtime"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Sources checks packages straight from the texts of all that they import, before any face is
// there: the first answers about a file come from it.
//
// Of what is imported only declarations are parsed, and an import that no declaration names is not
// followed: what a function does inside is seen by nobody else. That leaves a third to a half of
// the packages, and the same types, which TestSources compares.
//
// Sources has one user at a time (K1). What it has read of other packages it keeps: it is about one
// state of them.
type Sources struct {
	build *metadata.Build
	read  func(uri string) ([]byte, error)

	mu    sync.Mutex
	nodes map[string]*sourceNode // by ID; guarded by mu
}

// NewSources makes sources of the packages of a build. Read gives the text of a file, for several
// goroutines at once.
func NewSources(build *metadata.Build, read func(uri string) ([]byte, error)) *Sources {
	return &Sources{build: build, read: read, nodes: map[string]*sourceNode{}}
}

// ErrTooMuch is the error for packages whose declarations are too large or too deep for a check
// that somebody waits for.
var ErrTooMuch = errors.New("check: the declarations are too large")

// A sourceNode is a package as importers see it.
type sourceNode struct {
	meta    *metadata.Package
	fset    *token.FileSet
	files   []*ast.File
	follows map[string]string // imports that declarations name: path as written -> ID
	err     error             // of reading
	pkg     *types.Package    // nil until it is checked

	users []*sourceNode // of one walk: those that wait for it
	waits int           // of one walk: for how many it waits
}

// Package checks the files of a package, with function bodies or without, as the function Package
// does; diagnostics are left out. An error means that there is no answer.
func (s *Sources) Package(ctx context.Context, p *metadata.Package, files []*syntax.Tree, withBodies bool) (c Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("checking "+p.ID, e)
		}
	}()
	if metadata.IsSyntaxOnly(p) {
		c.Index, _ = syntaxIndex(p, files)
		return c, nil
	}
	follows := s.all(p)
	if !withBodies {
		named := s.named(p, asts(files))
		for written := range follows {
			if !named[written] {
				delete(follows, written)
			}
		}
	}
	if err := s.follow(ctx, follows); err != nil {
		return c, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	n := newSessionIn(s.world(p, follows), p)
	fit, left, _ := sortOut(n.known(files))
	r := n.check(p, fit, left, func(string) syntax.Doubt { return syntax.Doubt{} }, withBodies)
	c.Index = n.indexOf(r).data
	return c, nil
}

// View is the package with its types, which nobody else has.
func (s *Sources) View(ctx context.Context, p *metadata.Package, files []*syntax.Tree, sight Sight) (v *View, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("checking "+p.ID, e)
		}
	}()
	follows := s.all(p)
	if err := s.follow(ctx, follows); err != nil {
		return nil, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	w := s.world(p, follows)
	if w.packages == nil {
		w.packages = map[string]*types.Package{}
		for _, n := range s.nodes {
			if n.pkg != nil {
				w.packages[n.pkg.Path()] = n.pkg
			}
		}
	}
	return newView(p, w, files, sight)
}

// all are the packages that a package imports: paths as written, and IDs.
func (s *Sources) all(p *metadata.Package) map[string]string {
	follows := map[string]string{}
	for i := range p.Imports {
		if id := p.Imports[i].Checked(); id != "" {
			follows[p.Imports[i].Import] = id
		}
	}
	return follows
}

func asts(trees []*syntax.Tree) (files []*ast.File) {
	for _, t := range trees {
		files = append(files, t.AST)
	}
	return files
}

// world is what a package sees of those that it imports. What is not followed is there by its name
// alone.
func (s *Sources) world(p *metadata.Package, follows map[string]string) *world {
	w := &world{
		direct:   map[string]*types.Package{},
		problems: map[string]string{},
		paths:    map[*types.Package]map[types.Object]string{},
		tags:     map[*types.Package]map[types.Object]string{},
	}
	for i := range p.Imports {
		e := &p.Imports[i]
		if id, ok := follows[e.Import]; ok {
			w.direct[e.Import] = s.nodes[id].pkg
		} else if meant := s.build.Find(e.Checked()); meant != nil {
			w.direct[e.Import] = emptyPackage(meant)
		} else {
			w.problems[e.Import] = e.Problem
		}
	}
	return w
}

func emptyPackage(p *metadata.Package) *types.Package {
	pkg := types.NewPackage(p.Path, p.Name)
	pkg.MarkComplete()
	return pkg
}

// follow checks the declarations of packages and of all that these name. s.mu is held.
func (s *Sources) follow(ctx context.Context, follows map[string]string) error {
	var walk, wave []*sourceNode // that are not checked yet
	add := func(follows map[string]string) {
		for _, id := range follows {
			if n := s.nodes[id]; n == nil {
				n = &sourceNode{meta: s.build.Find(id)}
				s.nodes[id] = n
				wave = append(wave, n)
			}
		}
	}
	forget := func() { // what is not whole
		for _, n := range walk {
			if n.pkg == nil {
				delete(s.nodes, n.meta.ID)
			}
		}
	}
	defer forget()
	for add(follows); len(wave) > 0; {
		now := wave
		walk, wave = append(walk, now...), nil
		each(len(now), func(i int) { s.parse(ctx, now[i]) })
		for _, n := range now {
			if n.err != nil {
				return n.err
			}
		}
		for _, n := range now {
			add(n.follows)
		}
	}
	return s.checkAll(ctx, walk)
}

// checkAll checks packages, each when those that it names are checked.
func (s *Sources) checkAll(ctx context.Context, walk []*sourceNode) error {
	ready := make(chan *sourceNode, len(walk))
	for _, n := range walk {
		for _, id := range n.follows {
			if to := s.nodes[id]; to.pkg == nil {
				n.waits++
				to.users = append(to.users, n)
			}
		}
	}
	left := len(walk)
	for _, n := range walk {
		if n.waits == 0 {
			ready <- n
		}
	}
	if left == 0 {
		return nil
	}
	var (
		mu     sync.Mutex // guards waits and left
		failed atomic.Pointer[error]
	)
	done := func(n *sourceNode) {
		mu.Lock()
		defer mu.Unlock()
		for _, user := range n.users {
			if user.waits--; user.waits == 0 {
				ready <- user
			}
		}
		n.users = nil
		if left--; left == 0 {
			close(ready)
		}
	}
	// Nothing imports itself in the end (metadata.Build.Normalise), so the last is always done.
	each(goruntime.GOMAXPROCS(0), func(int) {
		for n := range ready {
			if failed.Load() == nil {
				err := ctx.Err()
				if err == nil {
					err = s.declare(n)
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
			done(n)
		}
	})
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// each calls f with 0 to n-1, on all processors.
func each(n int, f func(int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, goruntime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}

// parse reads the declarations of a package.
func (s *Sources) parse(ctx context.Context, n *sourceNode) {
	if n.err = ctx.Err(); n.err != nil {
		return
	}
	n.fset = token.NewFileSet()
	room := syntax.MaxCode
	for i, uri := range n.meta.Files {
		text, err := s.read(uri)
		if err != nil {
			n.err = fmt.Errorf("declarations of %s: %w", n.meta.ID, err)
			return
		}
		text = syntax.WithoutBodies(text)
		file, _ := parser.ParseFile(n.fset, fmt.Sprintf("%d.go", i), text, parser.SkipObjectResolution)
		if room -= len(text); room < 0 || file == nil || syntax.DeeperThan(file, syntax.MaxDepth) {
			n.err = fmt.Errorf("%w: %s", ErrTooMuch, n.meta.ID)
			return
		}
		n.files = append(n.files, file)
	}
	n.follows = map[string]string{}
	for written := range s.named(n.meta, n.files) {
		if e, ok := n.meta.Edge(written); ok && e.Faced() != "" {
			n.follows[written] = e.Faced()
		}
	}
}

// named are the imports of files that their declarations name.
func (s *Sources) named(p *metadata.Package, files []*ast.File) map[string]bool {
	out := map[string]bool{}
	for _, f := range files {
		qualifiers := map[string]bool{}
		for _, d := range f.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BlockStmt:
					return false
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok {
						qualifiers[x.Name] = true
					}
				}
				return true
			})
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.IMPORT {
				continue
			}
			for _, spec := range g.Specs {
				spec, ok := spec.(*ast.ImportSpec)
				if !ok {
					continue
				}
				written := syntax.ImportPath(spec)
				if name := s.nameOf(p, spec, written); name == "." || qualifiers[name] {
					out[written] = true
				}
			}
		}
	}
	return out
}

// nameOf is the name of an import in its file.
func (s *Sources) nameOf(p *metadata.Package, spec *ast.ImportSpec, written string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	if e, ok := p.Edge(written); ok {
		if meant := s.build.Find(e.Checked()); meant != nil {
			return meant.Name
		}
	}
	return path.Base(written)
}

// declare checks the declarations of a package whose imports are checked.
func (s *Sources) declare(n *sourceNode) (err error) {
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("declarations of "+n.meta.ID, e)
		}
	}()
	conf := types.Config{
		GoVersion:                n.meta.GoVersion,
		IgnoreFuncBodies:         true,
		FakeImportC:              true,
		DisableUnusedImportCheck: true,
		Error:                    func(error) {},
		Importer:                 s.world(n.meta, n.follows),
		Sizes:                    sizesFor(n.meta.Arch),
	}
	pkg, _ := conf.Check(n.meta.Path, n.fset, n.files, nil) // errors are for the check of the whole files
	n.files, n.pkg = nil, pkg
	return nil
}
