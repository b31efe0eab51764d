package check

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp/golang/check/bodies"
	"github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A session is what is kept of a package between its checks while it is edited: the parts of its
// units, and what is needed to check one of them alone.
type session struct {
	*partMaker
	id      string
	pkg     *bodies.Package[*part]
	checked []*syntax.Tree
	bytes   int // of the text of checked, and as many as its world weighs like

	prepared bool // nothing can be done ahead of the next edit

	imports []Import               // that the world was decoded from
	tables  map[string]names.Table // by path: of imports as they are in the world
	newer   map[string]newerTable  // by path: of imports as they were last
}

// A newerTable is that of a face which another one of the session's world stands for.
type newerTable struct {
	face  string
	table names.Table
}

func newSession(p *metadata.Package, imports []Import) (*session, error) {
	w, err := Worlds.take(imports)
	if err != nil {
		return nil, err
	}
	s := newSessionIn(w, p)
	s.imports = imports
	return s, nil
}

// renewedMax is how many faces may be others than those of a session's world.
const renewedMax = 4

// renewed returns the imports whose faces are others than those of the session's world. It reports
// false if the session is of no use for these imports.
func (s *session) renewed(imports []Import) (changed []Import, ok bool) {
	if len(imports) != len(s.imports) {
		return nil, false
	}
	for i, f := range imports {
		was := &s.imports[i]
		switch {
		case f.Written != was.Written || f.Path != was.Path || f.Problem != was.Problem:
			return nil, false
		case f.Face == was.Face:
		case f.Face == "" || was.Face == "" || s.world.direct[f.Written] == nil || len(changed) == renewedMax:
			return nil, false
		default:
			changed = append(changed, f)
		}
	}
	return changed, true
}

// sees reports whether all that a check has looked at in some imports is in their faces as it is in
// the session's world, so that it comes to the same with them (K8).
func (s *session) sees(looked Looks, changed []Import) (bool, error) {
	for _, f := range changed {
		rows := looked[f.Path]
		if rows == nil {
			return false, nil
		}
		if s.tables == nil {
			s.tables, s.newer = map[string]names.Table{}, map[string]newerTable{}
		}
		if s.tables[f.Path] == nil {
			s.tables[f.Path] = names.Of(s.world.direct[f.Written], s.world.objectPath)
		}
		if s.newer[f.Path].face != f.Face {
			export, err := f.Export()
			if err != nil {
				return false, fmt.Errorf("export data of %s: %w", f.Path, err)
			}
			s.newer[f.Path] = newerTable{f.Face, Names(f.Path, export)}
		}
		was, now := s.tables[f.Path], s.newer[f.Path].table
		for _, row := range rows {
			if was[row] != now[row] {
				return false, nil
			}
		}
	}
	return true, nil
}

// newSessionIn makes a session of a package that imports from w.
func newSessionIn(w *world, p *metadata.Package) *session {
	s := &session{partMaker: newPartMaker(), id: p.ID}
	s.pkg, s.world = bodies.New(s.make), w
	return s
}

// known puts the trees of the last check in the place of others of the same text: what is kept
// knows files by their positions.
func (s *session) known(files []*syntax.Tree) []*syntax.Tree {
	out := slices.Clone(files)
	for i, t := range out {
		if n := slices.IndexFunc(s.checked, func(c *syntax.Tree) bool { return c.URI == t.URI }); n >= 0 {
			if c := s.checked[n]; c == t || bytes.Equal(c.Text, t.Text) {
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
	r := s.pkg.Check(bodies.Config{
		Path: p.Path, Name: p.Name, GoVersion: p.GoVersion, Sizes: sizesFor(p.Arch), Importer: s.world,
		Cgo: p.Cgo, FacesOnly: !withBodies,
	}, list)
	if r.Whole {
		s.prepared = !s.pkg.Keeps() // then there is nothing to prepare
	}
	return r
}

// prepare does ahead what the first check of a body takes: the faces are checked, and what was kept
// of the whole check for the making of parts is let go.
func (s *session) prepare() {
	if faces := s.pkg.Prepare(); faces != nil {
		s.look(faces)
	}
	s.prepared = true
}

// Bounds of what is kept of packages that are edited.
const (
	SessionsBytes = 24 << 20 // of their text

	// SessionWeight is how many bytes a session takes for each byte of text, trees included and its
	// world not: 13 to 19, measured on packages of the standard library.
	SessionWeight = 19
)

// A SessionPool keeps the sessions of packages that are edited.
type SessionPool struct {
	mu    sync.Mutex
	open  map[string]int           // how often files are open, by URI; guarded by mu
	taken map[string]chan struct{} // by ID: packages that are reserved; closed when they are not any more; guarded by mu
	idle  []*session               // latest last; guarded by mu
	bytes int                      // guarded by mu
	most  int                      // bytes; guarded by mu
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

// Edited reports whether an editor has a file of a package.
func (pool *SessionPool) Edited(p *metadata.Package) bool {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return len(pool.open) > 0 && slices.ContainsFunc(p.Files, func(uri string) bool { return pool.open[uri] > 0 })
}

// Reserve keeps others from checking a package while an editor has a file of it, so that they find
// its session when they do, until its session is given back or release is called. If somebody has
// reserved it, busy is not nil: it is closed when it is worth another attempt.
func (pool *SessionPool) Reserve(p *metadata.Package) (release func(), busy <-chan struct{}) {
	if !pool.Edited(p) {
		return func() {}, nil
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if other := pool.taken[p.ID]; other != nil {
		return nil, other
	}
	if pool.taken == nil {
		pool.taken = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	pool.taken[p.ID] = done
	return func() {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		if pool.taken[p.ID] == done {
			pool.free(p.ID)
		}
	}, nil
}

// free ends the reservation of a package, if there is one. The lock is held.
func (pool *SessionPool) free(id string) {
	if done := pool.taken[id]; done != nil {
		delete(pool.taken, id)
		close(done)
	}
}

// A SessionState says what is kept of a package.
type SessionState uint8

// States of a package that an editor has a file of; of others there is nothing.
const (
	NoSession SessionState = iota
	Session                // what it takes to check what differs, if that is possible
	Prepared               // and nothing can be done ahead of the next edit
)

// State says what is kept of a package. A check may do without it, so no answer depends on it.
func (pool *SessionPool) State(p *metadata.Package) SessionState {
	if !pool.Edited(p) {
		return NoSession
	}
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.taken[p.ID] != nil {
		return Session
	}
	i := slices.IndexFunc(pool.idle, func(s *session) bool { return s.id == p.ID })
	switch {
	case i < 0:
		return NoSession
	case pool.idle[i].prepared:
		return Prepared
	}
	return Session
}

// HasRoom reports whether a session of so many bytes of text takes the place of no other.
func (pool *SessionPool) HasRoom(bytes int) bool {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return pool.bytes+2*bytes <= pool.most // its world weighs about as much
}

// take gives the caller the session of a package, in the state that it was left in if what it
// imports is the same, but for some faces, which it returns.
func (pool *SessionPool) take(p *metadata.Package, imports []Import) (s *session, changed []Import, err error) {
	key := importKey(imports)
	pool.mu.Lock()
	if i := slices.IndexFunc(pool.idle, func(s *session) bool { return s.id == p.ID }); i >= 0 {
		s = pool.idle[i]
		pool.idle = slices.Delete(pool.idle, i, i+1)
		pool.bytes -= s.bytes
	}
	pool.mu.Unlock()
	if s != nil && s.world.key == key {
		return s, nil, nil
	}
	if s != nil {
		if changed, ok := s.renewed(imports); ok {
			return s, changed, nil
		}
	}
	s, err = newSession(p, imports)
	return s, nil, err
}

// put gives a session back, and ends the reservation of its package. One that a panic went through
// must not be.
func (pool *SessionPool) put(s *session) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	pool.idle = slices.DeleteFunc(pool.idle, func(o *session) bool {
		if o.id == s.id {
			pool.bytes -= o.bytes
		}
		return o.id == s.id
	})
	pool.idle = append(pool.idle, s)
	pool.bytes += s.bytes
	pool.makeRoom()
	pool.free(s.id)
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

// holdings are the world and the trees that the session of a package has, which do not change.
// There are none while a check has the session.
func (pool *SessionPool) holdings(id string) (*world, []*syntax.Tree) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	i := slices.IndexFunc(pool.idle, func(s *session) bool { return s.id == id })
	if i < 0 {
		return nil, nil
	}
	return pool.idle[i].world, pool.idle[i].checked
}

// makeRoom forgets what was used longest ago. The lock is held.
func (pool *SessionPool) makeRoom() {
	for pool.bytes > pool.most && len(pool.idle) > 0 {
		pool.bytes -= pool.idle[0].bytes
		pool.idle = slices.Delete(pool.idle, 0, 1)
	}
}
