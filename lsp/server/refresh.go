package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// A refresher asks a client to ask anew for answers of one kind: one request at a time, at
// intervals that leave it time to do so.
type refresher struct {
	s      *session
	method string

	mu    sync.Mutex
	going bool // guarded by mu: the client is being asked
	again bool // guarded by mu: and has to be asked once more
}

func (r *refresher) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.going {
		r.again = true
		return
	}
	r.going = true
	r.s.begin(func(ctx context.Context) {
		for {
			if err := r.s.conn.Call(ctx, r.method, nil, nil); err != nil && ctx.Err() == nil {
				r.s.log.Warn("server: asking the client to ask again", "method", r.method, "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(r.s.host.o.RefreshInterval):
			}
			r.mu.Lock()
			if !r.again {
				r.going = false
				r.mu.Unlock()
				return
			}
			r.again = false
			r.mu.Unlock()
		}
	})
}

// derived are answers that a client keeps beside a document, and that may be others although the
// document is the same: the request that asks for them, and the one to ask again.
var derived = []struct{ question, refresh string }{
	{protocol.MethodTextDocumentSemanticTokensFull, protocol.MethodWorkspaceSemanticTokensRefresh},
	{protocol.MethodTextDocumentInlayHint, protocol.MethodWorkspaceInlayHintRefresh},
	{protocol.MethodTextDocumentCodeLens, protocol.MethodWorkspaceCodeLensRefresh},
	{protocol.MethodTextDocumentFoldingRange, protocol.MethodWorkspaceFoldingRangeRefresh},
}

// initRefreshers makes the refreshers of what is served and what the client can ask for again.
func (s *session) initRefreshers(can []string, served map[string]dispatch.Handler) {
	for _, d := range derived {
		if served[d.question] != nil && slices.Contains(can, d.refresh) {
			s.derived = append(s.derived, &refresher{s: s, method: d.refresh})
		}
	}
}

// readRefreshes lists the requests to ask again that a client understands.
func readRefreshes(w *protocol.WorkspaceClientCapabilities) (can []string) {
	if w.SemanticTokens != nil && is(w.SemanticTokens.RefreshSupport) {
		can = append(can, protocol.MethodWorkspaceSemanticTokensRefresh)
	}
	if w.InlayHint != nil && is(w.InlayHint.RefreshSupport) {
		can = append(can, protocol.MethodWorkspaceInlayHintRefresh)
	}
	if w.CodeLens != nil && is(w.CodeLens.RefreshSupport) {
		can = append(can, protocol.MethodWorkspaceCodeLensRefresh)
	}
	if w.FoldingRange != nil && is(w.FoldingRange.RefreshSupport) {
		can = append(can, protocol.MethodWorkspaceFoldingRangeRefresh)
	}
	return can
}

// refreshDerived has the clients of a root ask again for what may have changed without a change of
// their documents: after other files, an index, or settings.
func (h *Host) refreshDerived(r *root) {
	for _, s := range h.allSessions() {
		if s.live.Load() && slices.Contains(s.roots(), r) {
			for _, d := range s.derived {
				d.refresh()
			}
		}
	}
}
