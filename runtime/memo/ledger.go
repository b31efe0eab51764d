package memo

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// ledgerKey is where the ledger is in the trace partition. No key of a trace is like it: those have
// a separator.
const ledgerKey = "ledger"

// A moved is a key of a partition that changed, or all of them.
type moved struct {
	gen   uint64
	part  db.PartID
	print uint32
	what  movedHow
}

type movedHow uint8

const (
	movedRecord movedHow = iota // another record is at the key
	movedCame                   // the key came or went
	movedAll                    // any key of the partition may have changed
)

// A ledger is what changed lately, by key, for traces that nothing is linked to. See "After a
// restart".
type ledger struct {
	now atomic.Pointer[ledgerPage] // written under markMu; nil: nothing is known

	answered atomic.Uint64 // how often it could answer once more for a trace that is linked soon (R15)

	at      int    // guarded by markMu: how many were left when what repeats was last dropped
	written uint64 // guarded by flushMu: the generation after the last of which the stored one tells; 0: none is
}

// A ledgerPage is what a ledger says at a time. Immutable, but for what is behind its end.
type ledgerPage struct {
	from  uint64 // it has all that changed in generations after from
	began uint64 // it says nothing of snapshots before: other processes read them

	moves []moved // generations ascending
	gaps  []gap
}

// A gap is what is not known of a partition without a log: all of it went when a process ended,
// with what had come after that process's last word. What it held then is among the moves.
type gap struct {
	part      db.PartID
	after, to uint64 // the generations of the last word and of what is empty
}

const (
	movesMost   = 4096 // are kept
	movesLooked = 1024 // are looked at for one trace: more of them cost as much as a walk
	heldMost    = 256  // keys of a partition without a log are told one by one
	gapsMost    = 64
)

// unmoved reports whether what tr rests on is in a snapshot of generation gen as it was in since,
// of an earlier process (R13).
func (l *ledger) unmoved(tr *trace, since, gen uint64) bool {
	b := tr.basis.Load()
	if b == nil {
		return false
	}
	page := l.now.Load()
	if page == nil || gen < page.began || since < page.from {
		return false
	}
	parts, looked := tr.readParts(), 0
	for i := len(page.moves) - 1; i >= 0 && page.moves[i].gen > since; i-- {
		if looked++; looked > movesLooked || b.touchedBy(&page.moves[i], parts) {
			return false
		}
	}
	for _, g := range page.gaps {
		if g.after < since && since < g.to && parts&partBit(g.part) != 0 {
			return false
		}
	}
	return true
}

// open begins the ledger of this process behind that of one before. The caller holds markMu.
func (l *ledger) open(page *ledgerPage) {
	l.now.Store(page)
	l.at = len(page.moves)
}

// lose says that what changed up to gen is not known. The caller holds markMu.
func (l *ledger) lose(gen uint64) {
	if page := l.now.Load(); page != nil {
		l.open(&ledgerPage{from: gen, began: page.began, gaps: page.gaps})
	}
}

// note takes down what generations changed, in their order. The caller holds markMu.
func (l *ledger) note(noted []db.Noted) {
	old := l.now.Load()
	if old == nil {
		return
	}
	page := *old
	for i := range noted {
		gen, changes := noted[i].Gen, noted[i].Changes
		if len(changes) > movesMost/4 {
			page.from, page.moves = gen, nil
			continue
		}
		for j := range changes {
			c := &changes[j]
			what := movedRecord
			if c.Old.IsZero() || c.New.IsZero() {
				what = movedCame
			}
			page.moves = append(page.moves, moved{gen, c.Part, printOf(c.Part, c.Key), what})
		}
		if len(page.moves) > max(2*l.at, 64) {
			page.tidy()
			l.at = len(page.moves)
		}
	}
	l.now.Store(&page)
}

// tidy leaves of each key the newest change, and the newest by which it came or went, and of all
// the newest movesMost, in a copy.
func (p *ledgerPage) tidy() {
	type key struct {
		part  db.PartID
		print uint32
		all   bool
	}
	newer := make(map[key]movedHow, len(p.moves)) // the most that a newer change says
	kept := make([]moved, 0, len(p.moves))
	for i := len(p.moves) - 1; i >= 0; i-- {
		m := p.moves[i]
		k := key{m.part, m.print, m.what == movedAll}
		if what, there := newer[k]; there && what >= m.what {
			continue
		}
		newer[k] = m.what
		kept = append(kept, m)
	}
	if len(kept) > movesMost {
		p.from = max(p.from, kept[movesMost].gen)
		kept = kept[:movesMost]
	}
	slices.Reverse(kept)
	p.moves = kept
}

// A told is a ledger as it is stored.
type told struct {
	from, upto uint64
	moves      []moved
	gaps       []gap
	held       []heldPart
}

// A heldPart is a partition without a log, with prints of what was in it.
type heldPart struct {
	part   db.PartID
	prints []uint32
}

// The form of a ledger record (uvarints, and prints of 4 bytes, little endian): format, from, upto;
// the number of moves, then for each the generations since the one before, partition, how (1 byte),
// print; the number of gaps, then for each the partition, after, to; the number of partitions
// without a log, then for each the partition, the number of prints, and these.
const ledgerFormat = 1

func (l *told) encode() []byte {
	b := []byte{ledgerFormat}
	b = binary.AppendUvarint(b, l.from)
	b = binary.AppendUvarint(b, l.upto)
	b = binary.AppendUvarint(b, uint64(len(l.moves)))
	last := uint64(0)
	for _, m := range l.moves {
		b = binary.AppendUvarint(b, m.gen-last)
		b = binary.AppendUvarint(b, uint64(m.part))
		b = append(b, byte(m.what))
		b = binary.LittleEndian.AppendUint32(b, m.print)
		last = m.gen
	}
	b = binary.AppendUvarint(b, uint64(len(l.gaps)))
	for _, g := range l.gaps {
		b = binary.AppendUvarint(b, uint64(g.part))
		b = binary.AppendUvarint(b, g.after)
		b = binary.AppendUvarint(b, g.to)
	}
	b = binary.AppendUvarint(b, uint64(len(l.held)))
	for _, h := range l.held {
		b = binary.AppendUvarint(b, uint64(h.part))
		b = binary.AppendUvarint(b, uint64(len(h.prints)))
		for _, p := range h.prints {
			b = binary.LittleEndian.AppendUint32(b, p)
		}
	}
	return b
}

// decodeLedger is the inverse of encode. It accepts any input.
func decodeLedger(p []byte) (*told, error) {
	d := decoder{rest: p}
	if f := d.byte(); f != ledgerFormat {
		return nil, fmt.Errorf("%w: ledger of format %d", ErrCorruptTrace, f)
	}
	l := &told{from: d.uvarint(), upto: d.uvarint()}
	last := uint64(0)
	for range d.count(7) {
		m := moved{gen: last + d.uvarint(), part: db.PartID(d.uvarint()), what: movedHow(d.byte()), print: d.uint32()}
		if m.gen < last || m.gen > l.upto || m.what > movedAll {
			d.fail("a change that cannot be")
		}
		last = m.gen
		l.moves = append(l.moves, m)
	}
	for range d.count(3) {
		l.gaps = append(l.gaps, gap{db.PartID(d.uvarint()), d.uvarint(), d.uvarint()})
	}
	for range d.count(2) {
		h := heldPart{part: db.PartID(d.uvarint()), prints: make([]uint32, d.count(4))}
		for i := range h.prints {
			h.prints[i] = d.uint32()
		}
		l.held = append(l.held, h)
	}
	if d.err == nil && (len(d.rest) != 0 || l.from > l.upto) {
		d.fail("bytes after the end, or an end before the beginning")
	}
	return l, d.err
}

// Resume goes on with the ledger of the process before, if there is one. It is called once, when
// what opening changes has been committed, and before anything else is. A ledger that cannot be
// read costs walks.
func (t *Table) Resume() {
	l, err := t.stored()
	if err != nil {
		t.o.Logger.Warn("memo: what changed lately cannot be read; answers are verified", "err", err)
	}
	if l == nil || err != nil {
		return
	}
	t.markMu.Lock()
	defer t.markMu.Unlock()
	if t.journal != nil {
		return
	}
	began := t.beginJournal()
	if l.upto > began {
		return
	}
	page := &ledgerPage{from: l.from, began: began, moves: l.moves, gaps: l.gaps}
	snap := t.o.DB.Snapshot()
	defer snap.Release()
	for _, p := range t.o.DB.Stats().Partitions {
		changed := snap.LastChanged(p.ID)
		if changed <= l.upto {
			continue
		}
		at := slices.IndexFunc(l.held, func(h heldPart) bool { return h.part == p.ID })
		if n, err := snap.Count(p.ID, "", ""); at < 0 || n != 0 || err != nil || len(page.gaps) >= gapsMost {
			page.moves = append(page.moves, moved{gen: changed, part: p.ID, what: movedAll})
			continue
		}
		if changed > l.upto+1 { // or there is no generation between
			page.gaps = append(page.gaps, gap{p.ID, l.upto, changed})
		}
		for _, print := range l.held[at].prints {
			page.moves = append(page.moves, moved{changed, p.ID, print, movedCame})
		}
	}
	slices.SortStableFunc(page.moves, func(a, b moved) int { return cmp.Compare(a.gen, b.gen) })
	t.ledger.open(page)
}

// stored returns the ledger that is in the store, nil if there is none.
func (t *Table) stored() (l *told, err error) {
	h, ok, err := t.o.DB.Latest(t.part, ledgerKey)
	if err != nil || !ok {
		return nil, err
	}
	err = t.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		if kind != KindLedger {
			return fmt.Errorf("%w: kind %d where a ledger belongs", ErrCorruptTrace, kind)
		}
		l, err = decodeLedger(payload)
		return err
	})
	return l, err
}

// keepLedger stores the ledger, if that can be done: it spares work to the process behind this one,
// and no answer rests on it. The caller holds flushMu, and is inside a session.
func (t *Table) keepLedger(ctx context.Context, last bool) {
	if err := t.writeLedger(ctx, last); err != nil && last {
		t.o.Logger.Warn("memo: what changed lately is not stored; answers will be verified", "err", err)
	}
}

// movesOften is how many changes a ledger may have that is written with each Flush.
const movesOften = 256

// writeLedger stores the ledger. A longer one is stored if it is to be the last only.
func (t *Table) writeLedger(ctx context.Context, last bool) error {
	if t.ledger.now.Load() == nil {
		return nil
	}
	snap := t.o.DB.Snapshot()
	defer snap.Release()
	l := &told{upto: snap.Gen()}
	if l.upto+1 == t.ledger.written {
		return nil
	}
	t.catchUp(l.upto)
	page := t.ledger.now.Load()
	if len(page.moves) > movesOften && !last {
		return nil
	}
	if l.from, l.gaps = page.from, page.gaps; l.from > l.upto {
		return nil
	}
	for _, m := range page.moves {
		if m.gen <= l.upto {
			l.moves = append(l.moves, m)
		}
	}
	for _, part := range t.o.DB.Unlogged() {
		if n, err := snap.Count(part, "", ""); err != nil || n > heldMost {
			continue // all of it will have changed
		}
		prints := []uint32{}
		err := snap.Range(part, "", "", false, func(key string, _ mmapcas.Hash) bool {
			prints = append(prints, printOf(part, key))
			return true
		})
		if err == nil {
			l.held = append(l.held, heldPart{part, prints})
		}
	}
	h, _, err := t.o.Store.Put(KindLedger, l.encode())
	if err != nil {
		return fmt.Errorf("memo: storing what changed lately: %w", err)
	}
	t.o.Shade(h)
	op := db.Op{Part: t.part, Key: ledgerKey, Verb: db.Put, Hash: h}
	if _, err := t.o.DB.Commit(ctx, []db.Op{op}); err != nil {
		return fmt.Errorf("memo: storing what changed lately: %w", err)
	}
	t.ledger.written = l.upto + 1
	return nil
}
