package main

import (
	"context"
	"encoding/json"
	"fmt"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

// An inspector looks at what lies in a store; what the workspace looks like now plays no part. It has two forms: an engine of its own (local) and the
// process that holds the store (remote).
type inspector interface {
	dbStats(ctx context.Context, p server.DBStatsParams) (server.DBStats, error)
	records(ctx context.Context, p server.QueryRecordsParams, fn func(runtime.RawRecord) error) error
	close() error
}

// openInspector opens the store around a directory, which must be there, or asks the process that has it open. It returns where the store is, too.
func (a *app) openInspector(ctx context.Context, from, what string) (in inspector, store string, err error) {
	root, store, err := a.storeOf(from)
	if err != nil {
		return nil, "", err
	}
	if store == "" {
		return nil, "", &usageError{fmt.Errorf("%s needs a store: --memory keeps none", what)}
	}
	if !exists(store) {
		return nil, "", noStoreError(store)
	}
	a.onlyLooks = true
	var l *local
	conn, err := a.openOrDial(ctx, store, "cytisus "+what, dialFor, func() (err error) {
		l, err = a.openEngine(root, store, what)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if conn == nil {
		return l, store, nil
	}
	r, err := newRemote(ctx, conn, "")
	if err != nil {
		return nil, "", err
	}
	return r, store, nil
}

func (l *local) dbStats(_ context.Context, p server.DBStatsParams) (server.DBStats, error) {
	return server.ReadDBStats(l.eng, p)
}

func (l *local) records(ctx context.Context, p server.QueryRecordsParams, fn func(runtime.RawRecord) error) error {
	return server.ReadRecords(l.eng, p, func(r runtime.RawRecord) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return fn(r)
	})
}

func (r *remote) dbStats(ctx context.Context, p server.DBStatsParams) (st server.DBStats, err error) {
	return st, r.callPlain(ctx, server.MethodDBStats, p, &st)
}

// records asks for one answer after the other; each is of the newest generation when it is given.
func (r *remote) records(ctx context.Context, p server.QueryRecordsParams, fn func(runtime.RawRecord) error) error {
	for limited := p.Limit > 0; ; {
		var page server.QueryRecordsResult
		if err := r.callPlain(ctx, server.MethodQueryRecords, p, &page); err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := fn(rec); err != nil {
				return err
			}
		}
		if limited {
			p.Limit -= len(page.Records)
		}
		if page.Next.IsZero() || limited && p.Limit <= 0 {
			return nil
		}
		p.After = page.Next
	}
}

// callPlain is call for what is not of the protocol: the standard library has a form for all of it.
func (r *remote) callPlain(ctx context.Context, method string, params, result any) error {
	p, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encoding %T: %w", params, err)
	}
	var raw protocol.LSPAny
	if err := r.call(ctx, method, json.RawMessage(p), &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fmt.Errorf("decoding the answer to %s: %w", method, err)
	}
	return nil
}

// A noPartitionError is runtime.NoPartitionError from the other process. It matches runtime.ErrNotFound.
type noPartitionError struct{ says string }

func (e *noPartitionError) Error() string { return e.says }

// Is reports whether target is runtime.ErrNotFound.
func (e *noPartitionError) Is(target error) bool { return target == runtime.ErrNotFound }
