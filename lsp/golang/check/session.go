package check

import (
	"bytes"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A session is what is kept of a package between its checks while it is edited: the parts of its
// units, and what is needed to check one of them alone. Its world is its own (K1).
type session struct {
	*partMaker
	id      string
	pkg     *bodies.Package[*part]
	checked []*syntax.Tree
	bytes   int // of the text of checked, and as many as its world weighs like
}

func newSession(p *metadata.Package, imports []Import) (s *session, err error) {
	s = &session{partMaker: newPartMaker(), id: p.ID}
	s.pkg = bodies.New(s.make)
	s.world, err = Worlds.take(imports)
	return s, err
}

// known puts the trees of the last check in the place of others of the same text: what is kept
// knows files by their positions.
func (s *session) known(files []*syntax.Tree) []*syntax.Tree {
	out := slices.Clone(files)
	for i, t := range out {
		if n := slices.IndexFunc(s.checked, func(c *syntax.Tree) bool { return c.URI == t.URI }); n >= 0 {
			if c := s.checked[n]; bytes.Equal(c.Text, t.Text) {
				out[i] = c
			}
		}
	}
	s.checked, s.bytes = out, s.world.bytes*WorldWeight/SessionWeight
	for _, t := range out {
		s.bytes += len(t.Text)
	}
	return out
}

// release lets go of all that an index is not made of: of a large package the trees and the types
// are most of what its check has in memory. The session is for indexOf only then.
func (s *session) release() {
	s.partMaker.release()
	s.pkg, s.checked = nil, nil
}

// check checks the files of the package that are fit to be.
func (s *session) check(
	p *metadata.Package, fit, left []*syntax.Tree, doubtOf func(path string) syntax.Doubt, withBodies bool,
) bodies.Result[*part] {
	s.begin(p, s.world, fit, left, doubtOf)
	list := make([]bodies.File, len(fit))
	for i, t := range fit {
		list[i] = bodies.File{Name: t.URI, Text: t.Source, Syntax: t.AST, Tokens: t.Pos}
	}
	return s.pkg.Check(bodies.Config{
		Path: p.Path, Name: p.Name, GoVersion: p.GoVersion, Sizes: sizesFor(p.Arch), Importer: s.world,
		Cgo: p.Cgo, FacesOnly: !withBodies,
	}, list)
}

// Bounds of what is kept of packages that are edited.
const (
	sessionsMax   = 6
	SessionsBytes = 8 << 20 // of their text

	// SessionWeight is how many bytes a session takes for each byte of text, trees included and its
	// world not: 13 to 19, measured on packages of the standard library.
	SessionWeight = 19
)

// A SessionPool keeps the sessions of packages that are edited.
type SessionPool struct {
	mu    sync.Mutex
	open  map[string]int // how often files are open, by URI; guarded by mu
	idle  []*session     // latest last; guarded by mu
	bytes int            // guarded by mu
	most  int            // bytes; guarded by mu
}

// Sessions are those of the process.
var Sessions = SessionPool{most: SessionsBytes}

// Open says that an editor has a file: packages that it belongs to are checked with a session.
func (pool *SessionPool) Open(uri string) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.open == nil {
		pool.open = map[string]int{}
	}
	pool.open[uri]++
}

// Close takes an Open back.
func (pool *SessionPool) Close(uri string) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.open[uri]--; pool.open[uri] <= 0 {
		delete(pool.open, uri)
	}
}

// edited reports whether an editor has a file of a package.
func (pool *SessionPool) edited(p *metadata.Package) bool {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return len(pool.open) > 0 && slices.ContainsFunc(p.Files, func(uri string) bool { return pool.open[uri] > 0 })
}

// take gives the caller the session of a package, in the state that it was left in if what it
// imports is the same.
func (pool *SessionPool) take(p *metadata.Package, imports []Import) (*session, error) {
	key := importKey(imports)
	pool.mu.Lock()
	var s *session
	if i := slices.IndexFunc(pool.idle, func(s *session) bool { return s.id == p.ID }); i >= 0 {
		s = pool.idle[i]
		pool.idle = slices.Delete(pool.idle, i, i+1)
		pool.bytes -= s.bytes
	}
	pool.mu.Unlock()
	if s != nil && s.world.key == key {
		return s, nil
	}
	return newSession(p, imports)
}

// put gives a session back. One that a panic went through must not be.
func (pool *SessionPool) put(s *session) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.idle = append(pool.idle, s)
	pool.bytes += s.bytes
	pool.makeRoom()
}

// Held is how many bytes of text have sessions here.
func (pool *SessionPool) Held() int64 {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return int64(pool.bytes)
}

// Bound sets how many bytes of text may have sessions here.
func (pool *SessionPool) Bound(most int) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.most = most
	pool.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (pool *SessionPool) makeRoom() {
	for len(pool.idle) > sessionsMax || pool.bytes > pool.most && len(pool.idle) > 0 {
		pool.bytes -= pool.idle[0].bytes
		pool.idle = slices.Delete(pool.idle, 0, 1)
	}
}
