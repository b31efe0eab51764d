package server

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
)

const (
	MethodStats   = "cytisus/stats"
	MethodReindex = "cytisus/reindex"
)

// ReindexParams are the parameters of cytisus/reindex; there may be none.
type ReindexParams struct {
	Tidy          bool                   `json:"tidy,omitempty"` // write and collect afterwards, as the command does
	WorkDoneToken protocol.ProgressToken `json:"workDoneToken,omitempty"`
}

// ReindexResult is what cytisus/reindex answers for each folder.
type ReindexResult struct {
	Root    string      `json:"root"`
	Summary lsp.Summary `json:"summary"`
}

// Stats is the answer to cytisus/stats.
type Stats struct {
	PID      int            `json:"pid"`
	Started  time.Time      `json:"started"`
	Engine   runtime.Stats  `json:"engine"`
	Roots    []RootStats    `json:"roots"`
	Sessions []SessionStats `json:"sessions"`
	Requests []RequestStats `json:"requests"` // by method, of all clients since the process began
}

// RootStats describes an open workspace.
type RootStats struct {
	Root      string      `json:"root"`
	Users     int         `json:"users"`   // sessions and others that hold it
	Indexes   int         `json:"indexes"` // that have succeeded
	Indexing  bool        `json:"indexing"`
	LastIndex lsp.Summary `json:"lastIndex"`
}

// SessionStats describes a connected client.
type SessionStats struct {
	ID          uint64         `json:"id"`
	Client      string         `json:"client"`
	Encoding    string         `json:"encoding"`
	Diagnostics string         `json:"diagnostics"`
	Documents   int            `json:"documents"` // open ones
	Connection  dispatch.Stats `json:"connection"`
}

// Stats describes the host, its engine and its clients.
func (h *Host) Stats() Stats {
	out := Stats{PID: os.Getpid(), Started: h.started, Engine: h.eng.Stats(), Roots: []RootStats{}, Sessions: []SessionStats{}, Requests: h.answered.stats()}
	h.mu.Lock()
	roots := make([]*root, len(h.roots))
	copy(roots, h.roots)
	users := make([]int, len(roots))
	for i, r := range roots {
		users[i] = r.users
	}
	h.mu.Unlock()
	for i, r := range roots {
		last, runs, going := r.index.state()
		out.Roots = append(out.Roots, RootStats{Root: r.ws.Root(), Users: users[i], Indexes: runs, Indexing: going, LastIndex: last})
	}
	for _, s := range h.allSessions() {
		st := SessionStats{ID: s.id, Connection: s.conn.Stats()}
		if a := s.agreed.Load(); a != nil {
			st.Client, st.Encoding, st.Diagnostics, st.Documents = a.client, a.encoding.String(), string(a.mode), len(a.docs.All())
		}
		out.Sessions = append(out.Sessions, st)
	}
	return out
}

// stats answers cytisus/stats.
func (s *session) stats(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	return dispatch.Later(func(context.Context) (any, error) { return plainJSON(s.host.Stats()) }), nil
}

// reindex answers cytisus/reindex: it indexes the session's folders, as the disk is now, and
// returns their summaries.
func (s *session) reindex(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p ReindexParams
	if len(r.Params) > 0 {
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
	}
	roots := s.roots()
	work := func(ctx context.Context) (any, error) {
		out := []ReindexResult{}
		for _, r := range roots {
			sum, err := r.index.renew(ctx)
			if err != nil {
				return nil, s.wireError(ctx, MethodReindex, err)
			}
			out = append(out, ReindexResult{r.ws.Root(), sum})
		}
		if p.Tidy {
			for _, step := range []func(context.Context) error{s.host.eng.Checkpoint, s.host.eng.Tidy} {
				if err := step(ctx); err != nil {
					return nil, s.wireError(ctx, MethodReindex, err)
				}
			}
		}
		return plainJSON(out)
	}
	if len(roots) > 0 {
		work = s.withProgress(p.WorkDoneToken, "Indexing", roots[0], work)
	}
	return dispatch.Later(work), nil
}

// plainJSON encodes what is not of the protocol with the standard library, which has a form
// for everything, durations included.
func plainJSON(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "encoding %T: %v", v, err)
	}
	return raw, nil
}
