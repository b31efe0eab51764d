package golang

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	goversion "go/version"
	"maps"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/load"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// firstAnswers are made while a workspace that no store knows is indexed for the first time. A
// question about one file needs the declarations of some hundred packages then, and no input, no
// query and no listing: package load says which packages, and check.Sources what they declare.
//
//   - F1: an answer is the one that the queries will give of the same texts, or there is none and
//     the question waits for them. Where package load has a doubt there is none.
//   - F2: nothing of it is stored, and nothing is told that no question was about.
//   - F3: once the queries know the check of a package, they answer for its files.
//   - F4: one answer is made at a time. Indexing lets it go first, for a bounded time.
//   - F5: what it takes of memory is counted by nobody, so there is none under a tight limit.
type firstAnswers struct {
	w    *workspace
	warm map[string]bool // roots of builds that an earlier process has left inputs of; immutable

	turn  chan struct{}                // holds a token while an answer is made
	envs  map[string]*disk.Environment // by root; whoever has the turn
	state *firstState                  // of the package that was asked about last; whoever has the turn

	mu    sync.Mutex
	under int           // answers that are asked for; guarded by mu
	idle  chan struct{} // closed when under is zero again; guarded by mu
}

// beginFirst has questions answered at once while the workspace is indexed for the first time.
func (w *workspace) beginFirst() (*firstAnswers, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	roots, err := environments.Keys(snap, runtime.All())
	if err != nil {
		return nil, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	a := &firstAnswers{w: w, warm: map[string]bool{}, turn: make(chan struct{}, 1), envs: map[string]*disk.Environment{}}
	for _, root := range roots {
		a.warm[root] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first != nil {
		return nil, nil // those of another index that is under way
	}
	w.first = a
	return a, nil
}

// end has questions wait for the queries from now on.
func (a *firstAnswers) end() {
	if a == nil {
		return
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.first = nil
}

// firstOf answers a question about a file at once if that can be done; done is false if it has to
// wait.
func (w *workspace) firstOf(t *runtime.Task, uri string, question func(source) error) (done bool, err error) {
	w.mu.Lock()
	a := w.first
	w.mu.Unlock()
	path, ok := files.Path(uri)
	if a == nil || !ok || !files.Inside(w.root, path) || !syntax.IsGoFile(uri) || debug.SetMemoryLimit(-1) < firstMemory {
		return false, nil
	}
	b := w.buildOf(path)
	if b.Plain || a.warm[b.Root] || a.known(t, b.Root, uri) {
		return false, nil
	}
	defer a.begin()()
	err = t.Blocking(func() error {
		select {
		case a.turn <- struct{}{}:
		case <-t.Context().Done():
			return context.Cause(t.Context())
		}
		defer func() { <-a.turn }()
		src, err := a.source(t.Context(), b, path)
		if err != nil {
			return err
		}
		return question(src)
	})
	if err == nil || errors.Is(err, lsp.ErrNoSymbol) || errors.Is(err, lsp.ErrOutOfRange) {
		return true, err
	}
	w.log.Debug("golang: a question waits for the index", "file", path, "because", err)
	return false, nil
}

// firstMemory is the least memory limit of Go with which there are first answers. The process had
// 240 MB with the 340 packages behind prometheus' web/web.go, garbage included.
const firstMemory = 768 << 20

// known reports whether the queries have checked a package of a file (F3).
func (a *firstAnswers) known(t *runtime.Task, root, uri string) bool {
	m, ok, err := metadatas.Peek(t, root)
	if err != nil || !ok {
		return false
	}
	owners := m.Owners(uri)
	if len(owners) == 0 {
		return false
	}
	_, ok, err = checks.Peek(t, pkgKey{root, owners[0].ID})
	return err == nil && ok
}

// begin says that an answer is asked for, until the returned function is called.
func (a *firstAnswers) begin() (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.under++; a.under == 1 {
		a.idle = make(chan struct{})
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.under--; a.under == 0 {
			close(a.idle)
		}
	}
}

// firstGoes is how long indexing waits for answers at most, at each of its steps.
const firstGoes = time.Second

// letFirst has indexing wait while somebody waits for a first answer (F4).
func (w *workspace) letFirst(ctx context.Context) {
	w.mu.Lock()
	a := w.first
	w.mu.Unlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	idle := a.idle
	a.mu.Unlock()
	if idle == nil {
		return
	}
	limit := time.NewTimer(firstGoes)
	defer limit.Stop()
	select {
	case <-idle:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// errNotFirst is the error for questions that are not answered first.
var errNotFirst = errors.New("golang: not without the index")

// A firstState is one package and all that it imports, as some texts have them.
type firstState struct {
	env    *disk.Environment
	build  *buildUnit
	dir    string
	tests  bool              // with the tests of the package
	opened map[string][]byte // unsaved texts, by URI

	meta    *metadata.Build
	sources *check.Sources
	indexes map[string]firstIndex // by ID
}

type firstIndex struct {
	of     lsp.Digest // of the texts
	bodies bool
	*index.Index
}

// source is what answers about a file are made from. The caller has the turn.
func (a *firstAnswers) source(ctx context.Context, b *buildUnit, path string) (source, error) {
	a.w.mu.Lock()
	opened := maps.Clone(a.w.opened)
	a.w.mu.Unlock()
	dir, tests := filepath.Dir(path), syntax.IsTestFile(path)
	if s := a.state; s == nil || s.build != b || s.dir != dir || s.tests != tests || !s.holds(opened) {
		s, err := a.load(ctx, b, dir, tests, opened)
		if err != nil {
			return nil, err
		}
		a.state = s
	}
	a.state.opened = opened
	if len(a.state.meta.Owners(files.URI(path))) == 0 {
		return nil, fmt.Errorf("%w: the build leaves %s out", errNotFirst, path)
	}
	return firstSource{ctx, a.state}, nil
}

// holds reports whether the state is that of some unsaved texts, too: equal ones outside of its
// directory, and the same imports in it.
func (s *firstState) holds(opened map[string][]byte) bool {
	if len(s.opened) != len(opened) {
		return false
	}
	for uri, text := range opened {
		before, ok := s.opened[uri]
		if !ok {
			return false
		}
		if path, _ := files.Path(uri); filepath.Dir(path) == s.dir {
			if syntax.HeaderText(before) != syntax.HeaderText(text) {
				return false
			}
		} else if !bytes.Equal(before, text) {
			return false
		}
	}
	return true
}

// load finds out what a package imports.
func (a *firstAnswers) load(ctx context.Context, b *buildUnit, dir string, tests bool, opened map[string][]byte) (*firstState, error) {
	env := a.envs[b.Root]
	if env == nil {
		e, err := disk.ReadEnvironment(ctx, &b.Definition, a.w.o.Tests, a.w.o.BuildTags, a.w.o.Env)
		if err != nil {
			return nil, err
		}
		env = &e
		a.envs[b.Root] = env
	}
	if tests && !env.Tests {
		return nil, fmt.Errorf("%w: it is without tests", errNotFirst)
	}
	c, err := loadConfig(env)
	if err != nil {
		return nil, err
	}
	c.Tests, c.Overlay = tests, map[string][]byte{}
	for uri, text := range opened {
		if path, ok := files.Path(uri); ok && syntax.IsGoFile(uri) { // an unsaved module file is not in force
			c.Overlay[path] = text
		}
	}
	packages, err := load.Directory(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	listed := make([]disk.Listed, len(packages))
	for i := range packages {
		p := &packages[i]
		listed[i] = disk.Listed{
			ImportPath: p.ImportPath, Dir: p.Dir, Name: p.Name, ForTest: p.ForTest, Standard: p.Standard, DepOnly: p.DepOnly,
			GoFiles: p.GoFiles, CgoFiles: p.CgoFiles, Imports: p.Imports, ImportMap: p.ImportMap, Module: (*disk.ListedModule)(p.Module),
		}
	}
	m, failed := disk.Assemble(env, disk.NewPlacer(env, nil), listed, nil)
	if failed {
		return nil, errNotFirst
	}
	s := &firstState{env: env, build: b, dir: dir, tests: tests, opened: opened, meta: m, indexes: map[string]firstIndex{}}
	s.sources = check.NewSources(m, func(uri string) ([]byte, error) { return readFirst(opened, uri) })
	return s, nil
}

// loadConfig is what package load has to know of an environment.
func loadConfig(env *disk.Environment) (load.Config, error) {
	c := load.Config{
		GoRoot: env.GoRoot, GoVersion: env.GoVersion, GoOS: env.GoOS, GoArch: env.GoArch, Cgo: env.CgoEnabled == "1",
		Tags: env.Tags, ModCache: env.GoModCache, GoMod: env.GoMod, GoWork: env.GoWork,
	}
	switch {
	case env.Problem != "", env.Plain, env.Module111 == "off", env.GoRootAs != "", env.Experiment != "":
		return c, fmt.Errorf("%w: the environment is unusual", errNotFirst)
	case goversion.Lang(env.GoVersion) != goversion.Lang(goruntime.Version()):
		return c, fmt.Errorf("%w: the toolchain is %s", errNotFirst, env.GoVersion)
	}
	for flag := range strings.FieldsSeq(env.GoFlags) {
		name, value, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		switch name {
		case "mod":
			c.Mod = value
		case "tags":
			c.Tags = append(c.Tags[:len(c.Tags):len(c.Tags)], strings.Split(value, ",")...)
		case "trimpath", "buildvcs", "modcacherw", "v", "x", "p":
		default:
			return c, fmt.Errorf("%w: GOFLAGS has %s", errNotFirst, flag)
		}
	}
	return c, nil
}

// readFirst reads a text as an editor has it, or else from the disk.
func readFirst(opened map[string][]byte, uri string) ([]byte, error) {
	if text, ok := opened[uri]; ok {
		return text, nil
	}
	path, ok := files.Path(uri)
	if !ok {
		return nil, &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return disk.ReadInput(path)
}

// A firstSource answers from files.
type firstSource struct {
	ctx context.Context
	*firstState
}

func (s firstSource) metadata() (*metadata.Build, error) { return s.meta, nil }

func (s firstSource) find(id string) (*metadata.Package, error) { return s.meta.Find(id), nil }

func (s firstSource) strayOwner(string) (*metadata.Package, error) { return nil, errNotFirst }

func (s firstSource) text(uri string) ([]byte, error) { return readFirst(s.opened, uri) }

func (s firstSource) checked(p *metadata.Package) (*index.Index, error) { return s.index(p, true) }

func (s firstSource) names(p *metadata.Package, _ string) (*index.Index, error) {
	return s.index(p, true)
}

func (s firstSource) declared(p *metadata.Package) (*index.Index, error) { return s.index(p, false) }

func (s firstSource) types(p *metadata.Package, sight check.Sight, fn func(v *check.View) error) error {
	trees, _, err := s.trees(p)
	if err != nil {
		return err
	}
	v, err := s.sources.View(s.ctx, p, trees, sight)
	if err != nil {
		return err
	}
	return fn(v)
}

func (s firstSource) environment() (*disk.Environment, error) { return s.env, nil }

// trees are the files of a package, with the digest of their texts.
func (s firstSource) trees(p *metadata.Package) (trees []*syntax.Tree, of lsp.Digest, err error) {
	var digest []byte
	for _, uri := range p.Files {
		text, err := s.text(uri)
		if err != nil {
			return nil, of, err
		}
		trees = append(trees, syntax.Trees.Get(uri, text))
		one := lsp.DigestOf(text)
		digest = append(digest, one[:]...)
	}
	return trees, lsp.DigestOf(digest), nil
}

// index is the index of a package, with what its function bodies name if that is asked for.
func (s firstSource) index(p *metadata.Package, bodies bool) (*index.Index, error) {
	trees, of, err := s.trees(p)
	if err != nil {
		return nil, err
	}
	if known, ok := s.indexes[p.ID]; ok && known.of == of && (known.bodies || !bodies) {
		return known.Index, nil
	}
	c, err := s.sources.Package(s.ctx, p, trees, bodies)
	if err != nil {
		return nil, err
	}
	x, err := index.Open(c.Index)
	if err != nil {
		return nil, err
	}
	s.indexes[p.ID] = firstIndex{of, bodies, x}
	return x, nil
}
