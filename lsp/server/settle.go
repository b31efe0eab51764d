package server

import (
	"context"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

const methodSettle = "cytisus/settle"

// settle answers cytisus/settle: null, once everything that the client sent before has had
// its effect on what workspace/diagnostic answers. Indexes have ended, files that were
// reported as changed have been looked at, and diagnostics follow from them. Programs that
// drive an editor wait with it for a state that does not change by itself.
func (s *session) settle(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	roots := s.roots()
	return dispatch.Later(func(ctx context.Context) (any, error) {
		for _, r := range roots {
			if err := r.settle(ctx); err != nil {
				return nil, s.wireError(ctx, methodSettle, err)
			}
		}
		return nil, nil
	}), nil
}

// settle waits for what the root does in the background.
func (r *root) settle(ctx context.Context) error {
	if run := r.index.going(); run != nil {
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
	return r.ws.Settle(ctx)
}
