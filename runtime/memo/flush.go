package memo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Dirty returns how many keys have traces that were not flushed.
func (t *Table) Dirty() int {
	t.dirtyMu.Lock()
	defer t.dirtyMu.Unlock()
	return len(t.dirty)
}

// Flush writes all traces that are not in the store yet, and then makes room if there are too many
// in memory. On an error of the store as a whole those that were not written stay dirty, and the
// next Flush tries again. Traces that the store refuses for what they are are set aside.
func (t *Table) Flush(ctx context.Context) error { return t.flush(ctx, false) }

// Close is the last Flush. Nothing is asked and nothing committed any more.
func (t *Table) Close(ctx context.Context) error { return t.flush(ctx, true) }

func (t *Table) flush(ctx context.Context, last bool) error {
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	defer t.sweep()
	defer t.trim()
	t.full = false
	if t.partDamaged.Swap(false) {
		t.rewrite()
	}
	if !last {
		t.tryBroughtBack()
	}
	t.shadeAside()
	t.dirtyMu.Lock()
	batch := t.dirty
	t.dirty = nil
	t.dirtyMu.Unlock()
	if len(batch) == 0 {
		t.clean()
		if last {
			defer t.o.Session()()
			t.keepLedger(ctx, last)
		}
		return nil
	}
	left, err := t.write(ctx, batch, last)
	if err == nil {
		t.clean()
		return nil
	}
	t.full = true
	for _, e := range left {
		e.mu.Lock()
		e.dirty = true // it goes back on the list; use must not add it twice
		e.mu.Unlock()
	}
	t.dirtyMu.Lock()
	t.dirty = append(left, t.dirty...)
	t.dirtyMu.Unlock()
	if errors.Is(err, db.ErrDamaged) {
		t.partDamaged.Store(true)
	}
	return fmt.Errorf("memo: writing the traces of %d keys: %w", len(left), err)
}

// Unwritten returns the results of traces that Flush has not written yet: nothing in the store
// refers to them.
func (t *Table) Unwritten() []mmapcas.Hash {
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	t.dirtyMu.Lock()
	dirty := slices.Clone(t.dirty)
	t.dirtyMu.Unlock()
	var results []mmapcas.Hash
	for _, e := range dirty {
		e.mu.Lock()
		if tr := e.traces; tr != nil && !isTiny(tr.result) {
			results = append(results, tr.result)
		}
		e.mu.Unlock()
	}
	return results
}

// A record is a trace record to be written.
type record struct {
	entry   *entry
	payload []byte
}

const (
	payloadsTogether = 1 << 18 // bytes of payloads that share a piece of memory, about
	payloadBytes     = 192     // of one, about
)

// write writes the traces of a batch, and the ledger. With an error it returns the entries that
// were not written.
func (t *Table) write(ctx context.Context, batch []*entry, last bool) (left []*entry, err error) {
	defer t.o.Session()()
	by := making{program: t.o.Program()}
	records := make([]record, 0, len(batch))
	var buf []byte // payloads, one behind the other
	s := settling{t: t, most: mmapcas.MaxPayloadBytes}
	var stored []*trace
	for _, e := range batch {
		e.mu.Lock()
		stored = e.appendStored(stored[:0])
		if len(stored) == 0 && e.traces != nil {
			e.dirty = false
			e.mu.Unlock()
			continue
		}
		if len(stored) > 0 && s.settle(stored[0].result) != nil {
			left = append(left, e) // or it would name what is in no store
			e.mu.Unlock()
			continue
		}
		e.dirty = false
		for _, tr := range stored {
			t.extend(e, tr)
		}
		by.version = e.query.Version
		if len(buf) >= payloadsTogether || buf == nil {
			buf = make([]byte, 0, min((len(batch)-len(records))*payloadBytes, payloadsTogether))
		}
		at := len(buf)
		for settled := false; !settled; { // or an interval has come of which the basis knows nothing
			var of []interval
			for _, tr := range stored {
				of = append(of, t.basisSettled(tr))
			}
			buf = encodeTraces(buf[:at], by, stored)
			settled = true
			for i, tr := range stored {
				settled = settled && tr.newest() == of[i]
			}
		}
		records = append(records, record{e, buf[at:len(buf):len(buf)]})
		for _, tr := range stored[:min(len(stored), 1)] {
			t.shadeResult(tr.result)
		}
		e.mu.Unlock()
	}
	if len(records) == 0 {
		return left, s.err
	}
	more, err := t.store(ctx, records)
	if err == nil {
		t.keepLedger(ctx, last)
	}
	return append(left, more...), errors.Join(s.err, err)
}

// store puts records and commits them. A record that the store refuses for what it is is set aside,
// and found by halving, so that the others cost a logarithm of commits for each.
func (t *Table) store(ctx context.Context, records []record) (left []*entry, err error) {
	err = t.commit(ctx, records)
	switch {
	case err == nil:
		written := make([]*entry, len(records))
		for i, r := range records {
			written[i] = r.entry
			t.asides.stored(r.entry)
		}
		t.tryLoads(written)
		return nil, nil
	case !refused(err):
		for _, r := range records {
			left = append(left, r.entry)
		}
		return left, err
	case len(records) == 1:
		t.setAside(records[0].entry, err)
		return nil, nil
	}
	half := len(records) / 2
	left, err = t.store(ctx, records[:half])
	more, errMore := t.store(ctx, records[half:])
	return append(left, more...), errors.Join(err, errMore)
}

// commit puts records and refers to them from the trace partition.
func (t *Table) commit(ctx context.Context, records []record) error {
	payloads := make([][]byte, len(records))
	for i, r := range records {
		payloads[i] = r.payload
	}
	hashes, err := t.o.Store.PutBatch(KindTrace, payloads, make([]mmapcas.Hash, 0, len(records)))
	if err != nil {
		return err
	}
	ops := make([]db.Op, len(records))
	size := 0
	for _, r := range records {
		size += len(r.entry.query.Name) + len(keySeparator) + len(r.entry.key())
	}
	var keys strings.Builder // one piece of memory for all
	keys.Grow(size)
	for i, r := range records {
		t.o.Shade(hashes[i])
		from := keys.Len()
		keys.WriteString(r.entry.query.Name)
		keys.WriteString(keySeparator)
		keys.WriteString(r.entry.key())
		ops[i] = db.Op{Part: t.part, Key: keys.String()[from:], Verb: db.Put, Hash: hashes[i]}
	}
	_, err = t.o.DB.Commit(ctx, ops)
	return err
}

// refused reports whether an error of writing is about what was to be written, and not about the
// store.
func refused(err error) bool {
	for _, about := range []error{mmapcas.ErrTooLarge, db.ErrKeyTooLong, db.ErrBadOp, db.ErrDangling} {
		if errors.Is(err, about) {
			return true
		}
	}
	return false
}
