package server

import (
	"context"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// MethodSettle waits for what goes on in the background.
const MethodSettle = "cytisus/settle"

// SettleParams are the parameters of cytisus/settle; there may be none.
type SettleParams struct {
	Files bool `json:"files,omitempty"` // wait for the look at changed files only
}

// settle answers cytisus/settle: null, once everything that the client sent before has had
// its effect on what workspace/diagnostic answers. Indexes have ended, files that were
// reported as changed have been looked at, and diagnostics follow from them. Programs that
// drive an editor wait with it for a state that does not change by itself.
func (s *session) settle(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p SettleParams
	if len(r.Params) > 0 {
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
	}
	roots := s.roots()
	return dispatch.Later(func(ctx context.Context) (any, error) {
		if err := s.configured(ctx); err != nil {
			return nil, s.wireError(ctx, MethodSettle, err)
		}
		for _, r := range roots {
			if err := r.settle(ctx, p.Files); err != nil {
				return nil, s.wireError(ctx, MethodSettle, err)
			}
		}
		return nil, nil
	}), nil
}

// settle waits for what the root does in the background.
func (r *root) settle(ctx context.Context, files bool) error {
	if run := r.index.going(); run != nil && !files {
		select {
		case <-run.done: // an index that failed has ended, too
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	r.mu.Lock()
	looked := r.looked
	r.mu.Unlock()
	if looked != nil {
		select {
		case <-looked:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if files {
		return nil
	}
	return r.ws.Settle(ctx)
}
