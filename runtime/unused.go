package runtime

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Traces are roots of a collection, and one is replaced by the next run of its query for its key.
// That never comes for a query that the program has no more. So each collection of everything
// notes, in gcPartition, which queries with stored traces this program lacks, and since when; a
// process that has one takes its note away, at its start and at each collection. What was lacking
// for Options.UnusedFor without a break is forgotten, and freed by the collection that follows.
//
// Traces are a cache, so a query that comes back after that costs a run for each key.

// unusedPrefix begins the keys of these notes; the query's name follows. The value is the time in
// seconds since 1970, in eight bytes.
const unusedPrefix = "unused/"

// unusedFor is the default of Options.UnusedFor.
const unusedFor = 30 * 24 * time.Hour

// unusedNotes returns since when queries are lacking.
func (e *Engine) unusedNotes() (map[string]time.Time, error) {
	notes := map[string]time.Time{}
	end := unusedPrefix[:len(unusedPrefix)-1] + "0" // '0' comes after '/'
	err := e.db.LatestRange(e.gcPart, unusedPrefix, end, false, func(key string, h db.Hash) bool {
		_ = e.store.View(h, func(_ mmapcas.Kind, p []byte) error { // one that cannot be read begins anew
			if len(p) == 8 {
				notes[strings.TrimPrefix(key, unusedPrefix)] = time.Unix(int64(binary.LittleEndian.Uint64(p)), 0)
			}
			return nil
		})
		return true
	})
	return notes, err
}

// keepUsed takes away the notes of queries that the program has.
func (e *Engine) keepUsed(ctx context.Context) error {
	notes, err := e.unusedNotes()
	if err != nil || len(notes) == 0 {
		return err
	}
	_, err = e.db.Commit(ctx, e.usedOps(notes))
	return err
}

func (e *Engine) usedOps(notes map[string]time.Time) (ops []db.Op) {
	for name := range notes {
		if e.defines(name) {
			ops = append(ops, db.Op{Part: e.gcPart, Key: unusedPrefix + name, Verb: db.Delete})
		}
	}
	return ops
}

// forgetUnused notes which queries the program lacks, and forgets what it has lacked for long.
func (e *Engine) forgetUnused(ctx context.Context, now time.Time) error {
	if e.o.UnusedFor < 0 {
		return nil
	}
	names, err := e.memo.StoredQueries()
	if err != nil {
		return err
	}
	notes, err := e.unusedNotes()
	if err != nil {
		return err
	}
	defer e.gc.Session()()
	ops := e.usedOps(notes)
	for _, name := range names {
		if e.defines(name) {
			continue
		}
		since, noted := notes[name]
		switch {
		case noted && now.Sub(since) >= e.o.UnusedFor:
			ops = append(ops, e.memo.ForgottenBy(name)...)
			ops = append(ops, db.Op{Part: e.gcPart, Key: unusedPrefix + name, Verb: db.Delete})
			e.o.Logger.Info("runtime: the answers of a query that no program has are forgotten", "query", name, "since", since)
		case !noted:
			h, _, err := e.store.Put(kindValue, binary.LittleEndian.AppendUint64(nil, uint64(now.Unix())))
			if err != nil {
				return err
			}
			e.gc.Shade(h)
			ops = append(ops, db.Op{Part: e.gcPart, Key: unusedPrefix + name, Verb: db.Put, Hash: h})
		}
	}
	if len(ops) == 0 {
		return nil
	}
	if _, err := e.db.Commit(ctx, ops); err != nil {
		return fmt.Errorf("runtime: noting which queries are not used: %w", err)
	}
	return nil
}

// defines reports whether the program has a query of this name, in whatever version, or several.
func (e *Engine) defines(name string) bool {
	_, met := e.queries.Load(name)
	return met || allQueries.has(name)
}
