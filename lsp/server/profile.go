package server

import (
	"context"
	"errors"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/profile"
)

// MethodProfile asks for a profile of the host's process. It is for tools of the same user; no
// editor asks for it.
const MethodProfile = "cytisus/profile"

// ProfileParams are the parameters of cytisus/profile.
type ProfileParams struct {
	Kind    profile.Kind `json:"kind"`
	Seconds float64      `json:"seconds,omitempty"` // kinds of a moment do not use it
}

// Over is how long to profile. What is no number of nanoseconds is no time that profile.Check
// takes.
func (p ProfileParams) Over() time.Duration { return time.Duration(p.Seconds * float64(time.Second)) }

// ProfileResult is the answer to cytisus/profile.
type ProfileResult struct {
	Data    []byte            `json:"data"`    // as a file has it
	Clients map[uint64]string `json:"clients"` // what the clients call themselves, by the numbers in labels
}

// profileBytesMax bounds a profile, so that an answer is below what a connection takes at once.
// Traces come near to it, some megabytes a second of a busy process.
const profileBytesMax = 64 << 20

// profile answers cytisus/profile.
func (s *session) profile(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p ProfileParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	if err := profile.Check(p.Kind, p.Over()); err != nil {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%v", err)
	}
	return dispatch.Later(func(ctx context.Context) (any, error) {
		raw, err := profile.Take(ctx, s.host.eng, p.Kind, p.Over())
		switch {
		case errors.Is(err, profile.ErrBusy), errors.Is(err, profile.ErrNoFlight):
			return nil, jsonrpc2.Errorf(dispatch.RequestFailed, "%v", err)
		case err != nil:
			return nil, s.wireError(ctx, MethodProfile, err)
		case len(raw) > profileBytesMax:
			return nil, jsonrpc2.Errorf(dispatch.RequestFailed, "the %s has %d MiB, and at most %d can be sent; ask for fewer seconds", p.Kind, len(raw)>>20, profileBytesMax>>20)
		}
		result := ProfileResult{raw, map[uint64]string{}}
		for _, other := range s.host.allSessions() {
			if a := other.agreed.Load(); a != nil {
				result.Clients[other.id] = a.client
			}
		}
		return plainJSON(result)
	}), nil
}
