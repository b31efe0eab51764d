package server

import (
	"context"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// MethodMemory asks who holds the memory of the host's process. It is for tools of the same user.
const MethodMemory = "cytisus/memory"

// A Memory is the answer to cytisus/memory.
type Memory struct {
	account.Account
	Clients []ClientMemory `json:"clients"`
}

// A ClientMemory is what is in memory, of "heap", for one client alone.
type ClientMemory struct {
	ID        uint64 `json:"id"`
	Client    string `json:"client"`
	Documents int    `json:"documents"` // open ones
	Bytes     int64  `json:"bytes"`     // of their texts
}

// Memory says who holds the memory of the process, and what of it is there for each client.
func (h *Host) Memory() (m Memory, err error) {
	if m.Account, err = inspect.Memory(h.eng); err != nil {
		return m, err
	}
	m.Clients = []ClientMemory{}
	for _, s := range h.allSessions() {
		c := ClientMemory{ID: s.id}
		if a := s.agreed.Load(); a != nil {
			c.Client = a.client
			for _, d := range a.docs.All() {
				c.Documents++
				c.Bytes += int64(len(d.Text()))
			}
		}
		m.Clients = append(m.Clients, c)
	}
	return m, nil
}

// memory answers cytisus/memory.
func (s *session) memory(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	return dispatch.Later(func(ctx context.Context) (any, error) {
		m, err := s.host.Memory()
		if err != nil {
			return nil, s.wireError(ctx, MethodMemory, err)
		}
		return plainJSON(m)
	}), nil
}
