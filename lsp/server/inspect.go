package server

import (
	"context"
	"errors"

	"go.lsp.dev/jsonrpc2"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// MethodDBStats and MethodQueryRecords show what lies in the store of the host. They are for tools
// of the same user; no editor asks for them.
const (
	MethodDBStats      = "cytisus/dbStats"
	MethodQueryRecords = "cytisus/queryRecords"
)

// DBStatsParams are the parameters of cytisus/dbStats.
type DBStatsParams struct {
	Bytes   bool `json:"bytes,omitempty"`   // read all values and add up their sizes
	Queries bool `json:"queries,omitempty"` // read all answers, and say what those of each query take
}

// DBStats is the answer to cytisus/dbStats.
type DBStats struct {
	Store       string           `json:"store"` // set by whoever knows where it is
	Generation  uint64           `json:"generation"`
	Records     uint64           `json:"records"`
	LiveBytes   int64            `json:"liveBytes"`
	StoredBytes int64            `json:"storedBytes"`
	Partitions  []PartitionStats `json:"partitions"`

	Queries []inspect.AnswersOf `json:"queries,omitempty"` // only if asked for
}

// PartitionStats describes one partition.
type PartitionStats struct {
	inspect.Partition
	Bytes *int64 `json:"bytes,omitempty"` // of the values; only if asked for
}

// ReadDBStats describes the partitions of an engine's store.
func ReadDBStats(eng *runtime.Engine, p DBStatsParams) (DBStats, error) {
	st := eng.Stats()
	out := DBStats{
		Generation: st.Generation, Records: uint64(st.Store.Records), LiveBytes: st.Store.LiveBytes, StoredBytes: st.Store.StoredBytes,
		Partitions: []PartitionStats{},
	}
	all, err := inspect.Partitions(eng)
	if err != nil {
		return DBStats{}, err
	}
	for _, info := range all {
		ps := PartitionStats{Partition: info}
		if p.Bytes {
			n, err := inspect.Bytes(eng, info.Name)
			if err != nil {
				return DBStats{}, err
			}
			ps.Bytes = &n
		}
		out.Partitions = append(out.Partitions, ps)
	}
	if p.Queries {
		out.Queries, err = inspect.Answers(eng)
	}
	return out, err
}

// QueryRecordsParams are the parameters of cytisus/queryRecords.
type QueryRecordsParams struct {
	Partition string         `json:"partition"`
	Prefix    string         `json:"prefix,omitempty"` // of keys
	Limit     int            `json:"limit,omitempty"`  // most records; 0: no bound
	Latest    bool           `json:"latest,omitempty"` // from the greatest key down
	After     runtime.Cursor `json:"after,omitzero"`   // what the answer before says in Next
}

// QueryRecordsResult is the answer to cytisus/queryRecords: as much as fits into one.
type QueryRecordsResult struct {
	Records []inspect.Record `json:"records"`
	Next    runtime.Cursor   `json:"next,omitzero"` // zero: there is no more
}

// An answer holds no more records than this, and ends with the one that makes it larger than so
// many bytes.
const (
	recordsMax      = 4096
	recordsBytesMax = 1 << 20
)

// ReadRecords calls fn for records of an engine's store until it returns an error.
func ReadRecords(eng *runtime.Engine, p QueryRecordsParams, fn func(inspect.Record) error) error {
	opts := []runtime.ReadOption{runtime.Limit(p.Limit), runtime.After(p.After)}
	if p.Latest {
		opts = append(opts, runtime.Backward())
	}
	return inspect.Records(eng, p.Partition, runtime.Prefix(p.Prefix), fn, opts...)
}

// dbStats answers cytisus/dbStats.
func (s *session) dbStats(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p DBStatsParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(func(ctx context.Context) (any, error) {
		st, err := ReadDBStats(s.host.eng, p)
		if err != nil {
			return nil, s.wireError(ctx, MethodDBStats, err)
		}
		return plainJSON(st)
	}), nil
}

// queryRecords answers cytisus/queryRecords.
func (s *session) queryRecords(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p QueryRecordsParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	if p.Limit < 0 {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: limit is %d, want 0 (no limit) or more", MethodQueryRecords, p.Limit)
	}
	return dispatch.Later(func(ctx context.Context) (any, error) {
		full := errors.New("full")
		out, bytes := QueryRecordsResult{Records: []inspect.Record{}}, 0
		err := ReadRecords(s.host.eng, p, func(rec inspect.Record) error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if len(out.Records) == recordsMax || bytes > recordsBytesMax {
				out.Next = out.Records[len(out.Records)-1].Cursor()
				return full
			}
			out.Records = append(out.Records, rec)
			bytes += len(rec.Key) + len(rec.Value) + 100
			return nil
		})
		if errors.Is(err, runtime.ErrNotFound) {
			return nil, jsonrpc2.Errorf(NoSuchPartition, "%v", err)
		}
		if err != nil && !errors.Is(err, full) {
			return nil, s.wireError(ctx, MethodQueryRecords, err)
		}
		return plainJSON(out)
	}), nil
}

// UnknownFile is the code of the error that a question about a file gives if there is no such
// file in the workspace (lsp.ErrUnknownFile).
const UnknownFile jsonrpc2.Code = -32951

// NoSuchPartition is the code of the error that cytisus/queryRecords gives for a partition that the
// store does not have.
const NoSuchPartition jsonrpc2.Code = -32950
