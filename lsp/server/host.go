package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// ErrClosed is returned by a host that is closed.
var ErrClosed = errors.New("server: host is closed")

// A Host serves clients from one engine. All methods may be called from any goroutine.
type Host struct {
	eng      *runtime.Engine
	lang     lsp.Language
	o        Options
	started  time.Time
	clientID atomic.Uint64 // last one given out
	overlays overlays
	answered answerTimes

	stopWatch func()

	mu       sync.Mutex
	roots    []*root             // guarded by mu: longest path first
	sessions map[uint64]*session // guarded by mu
	closed   bool                // guarded by mu
}

// NewHost returns a host over an engine, which stays the caller's to close, after the host.
func NewHost(eng *runtime.Engine, lang lsp.Language, o Options) (*Host, error) {
	h := &Host{eng: eng, lang: lang, o: o.filled(), started: time.Now(), sessions: make(map[uint64]*session)}
	h.overlays.init()
	stop, err := eng.Watch(partition.Diagnostics.Untyped(), runtime.All(), h.diagnosticsChanged, runtime.Named("lsp diagnostics"))
	if err != nil {
		return nil, fmt.Errorf("server: watching diagnostics: %w", err)
	}
	stopJudged, err := eng.Watch(partition.Judgements, runtime.All(), h.judged, runtime.Named("lsp judged"))
	if err != nil {
		stop()
		return nil, fmt.Errorf("server: watching judgements: %w", err)
	}
	stopWatches, err := eng.Watch(partition.Watches, runtime.All(), h.watchesChanged, runtime.Named("lsp watches"))
	if err != nil {
		stop()
		stopJudged()
		return nil, fmt.Errorf("server: watching watches: %w", err)
	}
	h.stopWatch = func() { stop(); stopJudged(); stopWatches() }
	return h, nil
}

// Serve serves one client until it exits, goes away or ctx ends, and closes rw. It returns
// the exit code that the protocol asks for, and an error unless the end was orderly.
func (h *Host) Serve(ctx context.Context, rw io.ReadWriteCloser) (code int, err error) {
	s := newSession(h, h.clientID.Add(1))
	s.conn = dispatch.New(rw, s.handlers(), s.dispatchOptions())
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return 1, errors.Join(ErrClosed, rw.Close())
	}
	h.sessions[s.id] = s
	h.mu.Unlock()
	code, err = s.conn.Run(ctx)
	s.end()
	h.mu.Lock()
	delete(h.sessions, s.id)
	h.mu.Unlock()
	return code, err
}

// storeFailed reports whether an error is the end of the host.
func (h *Host) storeFailed(err error) bool {
	return err != nil && h.o.StoreFailed != nil && h.o.StoreFailed(err)
}

// Sessions returns how many clients are connected.
func (h *Host) Sessions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

func (h *Host) allSessions() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*session, 0, len(h.sessions))
	for _, s := range h.sessions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	return all
}

// Open opens dir as a workspace, or returns the one that is open, and keeps it until the
// host is closed.
func (h *Host) Open(ctx context.Context, dir string) (lsp.Workspace, error) {
	r, err := h.acquire(ctx, dir)
	if err != nil {
		return nil, err
	}
	return r.ws, nil
}

// Index brings the workspace over dir up to date; an index that is going on already is
// joined. Every session that works on dir is shown its progress.
func (h *Host) Index(ctx context.Context, dir string) (lsp.Summary, error) {
	r, err := h.acquire(ctx, dir)
	if err != nil {
		return lsp.Summary{}, err
	}
	defer h.release(r)
	return r.index.run(ctx)
}

// openRoots returns the roots that are open, each of which may be closed meanwhile.
func (h *Host) openRoots() []*root {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.roots)
}

// acquire returns the root that dir lies in, or opens it. The caller must release it.
func (h *Host) acquire(ctx context.Context, dir string) (*root, error) {
	if !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("server: workspace directory %q is not absolute", dir)
	}
	dir = filepath.Clean(dir)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if r := h.rootOfLocked(dirURI(dir)); r != nil {
		r.users++
		return r, nil
	}
	ws, err := h.lang.Open(ctx, h.eng, dir, h.o.Workspace)
	if err != nil {
		return nil, fmt.Errorf("server: opening workspace %s: %w", dir, err)
	}
	// The language may have resolved symbolic links on the way.
	if r := h.rootOfLocked(dirURI(ws.Root())); r != nil {
		r.users++
		return r, ws.Close()
	}
	r := newRoot(h, dir, ws)
	r.users = 1
	h.roots = append(h.roots, r)
	slices.SortStableFunc(h.roots, func(a, b *root) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return r, nil
}

// release gives a root up; the last user closes it.
func (h *Host) release(r *root) {
	h.mu.Lock()
	r.users--
	last := r.users == 0 && !h.closed
	if last {
		h.roots = slices.DeleteFunc(h.roots, func(o *root) bool { return o == r })
	}
	h.mu.Unlock()
	if last {
		r.close()
	}
}

// rootOfLocked returns the innermost root that a URI lies in. h.mu must be held.
func (h *Host) rootOfLocked(u string) *root {
	for _, r := range h.roots {
		if strings.HasPrefix(u, r.prefix) || strings.HasPrefix(u, r.given) {
			return r
		}
	}
	return nil
}

// Close ends what the host does in the background and closes its workspaces. Sessions must
// have ended, or end with their contexts; Close does not wait for them.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	roots := h.roots
	h.roots = nil
	h.mu.Unlock()
	h.stopWatch()
	var errs []error
	for _, r := range roots {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// dirURI returns a directory's URI with a slash at its end, the prefix of all in it.
func dirURI(dir string) string {
	u := string(uri.File(dir))
	if !strings.HasSuffix(u, "/") {
		u += "/"
	}
	return u
}
