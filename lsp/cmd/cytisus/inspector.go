package main

import (
	"context"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// An inspector looks at what lies in a store; what the workspace looks like now plays no part. It
// has two forms: an engine of its own (local) and the process that holds the store (remote).
type inspector interface {
	dbStats(ctx context.Context, p server.DBStatsParams) (server.DBStats, error)
	records(ctx context.Context, p server.QueryRecordsParams, fn func(inspect.Record) error) error
	stats(ctx context.Context) (runtime.Stats, error)
	memory(ctx context.Context) (server.Memory, error)
	close() error
}

func (l *local) dbStats(_ context.Context, p server.DBStatsParams) (server.DBStats, error) {
	return server.ReadDBStats(l.eng, p)
}

func (l *local) stats(context.Context) (runtime.Stats, error) { return l.eng.Stats(), nil }

func (r *remote) stats(ctx context.Context) (runtime.Stats, error) {
	st, err := r.client.Stats(ctx)
	return st.Engine, localError(err)
}

func (l *local) memory(context.Context) (m server.Memory, err error) {
	m.Account, err = inspect.Memory(l.eng)
	m.Clients = []server.ClientMemory{}
	return m, err
}

func (r *remote) memory(ctx context.Context) (m server.Memory, err error) {
	return m, r.callPlain(ctx, server.MethodMemory, nil, &m)
}

func (l *local) records(ctx context.Context, p server.QueryRecordsParams, fn func(inspect.Record) error) error {
	return server.ReadRecords(l.eng, p, func(r inspect.Record) error {
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
func (r *remote) records(ctx context.Context, p server.QueryRecordsParams, fn func(inspect.Record) error) error {
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

// A noPartitionError is inspect.NoPartitionError from the other process. It matches
// runtime.ErrNotFound.
type noPartitionError struct{ says string }

func (e *noPartitionError) Error() string { return e.says }

// Is reports whether target is runtime.ErrNotFound.
func (e *noPartitionError) Is(target error) bool { return target == runtime.ErrNotFound }
