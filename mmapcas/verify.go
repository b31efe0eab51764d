package mmapcas

import (
	"context"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// verifyChunk is how many bytes are verified between two looks at the context and two reports of
// progress.
const verifyChunk = 4 << 20

// A VerifyReport says what Verify read and found.
type VerifyReport struct {
	Segments   int   `json:"segments"`
	Records    int64 `json:"records"`    // whole records read
	Bytes      int64 `json:"bytes"`      // of these
	Indexed    int64 `json:"indexed"`    // of these, found by their names
	Unindexed  int64 `json:"unindexed"`  // whole, but dropped by a collection, or a second copy, or the store's own
	Dangling   int64 `json:"dangling"`   // index entries that lead to no whole record of their name
	DamagedAll int64 `json:"damagedAll"` // damaged places
	// Damaged names the first of them, up to 100.
	Damaged []*CorruptError `json:"damaged"`
}

// damagedMax bounds the list in a report.
const damagedMax = 100

// OK reports whether nothing is wrong.
func (r *VerifyReport) OK() bool { return r.DamagedAll == 0 && r.Dangling == 0 }

func (r *VerifyReport) damaged(e *CorruptError) {
	r.DamagedAll++
	if len(r.Damaged) < damagedMax {
		r.Damaged = append(r.Damaged, e)
	}
}

// Verify reads the whole store: every header, every payload, every hash, and the index against the
// records. It changes nothing. progress, if not nil, hears how many bytes of how many are done.
// Damage is in the report; the error is the context's, or ErrClosed. Verify may run beside
// everything else, and says nothing about records put meanwhile.
func (s *Store) Verify(ctx context.Context, progress func(done, total int64)) (VerifyReport, error) {
	v := verifier{s: s, ctx: ctx, progress: progress}
	return v.run()
}

func (v *verifier) run() (VerifyReport, error) {
	segs := v.s.segments()
	for _, seg := range segs {
		v.total += seg.mem.Length()
	}
	for _, seg := range segs {
		if err := v.segment(seg); err != nil {
			return v.report, err
		}
	}
	err := v.index()
	return v.report, err
}

type verifier struct {
	s           *Store
	ctx         context.Context
	progress    func(done, total int64)
	done, total int64
	report      VerifyReport

	// bad hears about each damaged place; r is nil unless the record's header is whole. May be nil.
	bad func(seg *segment, off int64, r *record.Record)
	// dangling hears about each entry that leads to no record. May be nil.
	dangling func(e index.Entry)
}

func (v *verifier) damaged(seg *segment, off int64, r *record.Record, reason string, err error) {
	v.report.damaged(&CorruptError{File: seg.name, Segment: seg.number, Offset: off, Reason: reason, Err: err})
	if v.bad != nil {
		v.bad(seg, off, r)
	}
}

func (v *verifier) dangles(e index.Entry) {
	v.report.Dangling++
	if v.dangling != nil {
		v.dangling(e)
	}
}

// segment verifies one segment, in chunks, each under a pin of its own.
func (v *verifier) segment(seg *segment) error {
	v.report.Segments++
	w := v.s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	w.damaged = func(off int64, reason string, err error) { v.damaged(seg, off, nil, reason, err) }
	v.segmentHeader(seg)
	for from := int64(0); ; from = w.off {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		more, err := v.chunk(seg, &w)
		if err != nil {
			return err
		}
		v.done += w.off - from
		if v.progress != nil {
			v.progress(v.done, v.total)
		}
		if !more {
			return nil
		}
	}
}

func (v *verifier) segmentHeader(seg *segment) {
	g := v.s.epochs.Pin()
	defer g.Unpin()
	if v.s.closed.Load() || !v.s.mapped(seg) {
		return
	}
	err := v.s.arena.Confine(func() error {
		h, ok := parseSegmentHeader(seg.mem.Mem())
		if !ok || h.number != seg.number || h.identity != v.s.identity {
			v.damaged(seg, 0, nil, "segment header fails its checksum", nil)
		}
		return nil
	})
	if err != nil {
		v.damaged(seg, 0, nil, "cannot be read", err)
	}
}

func (v *verifier) chunk(seg *segment, w *scanner) (more bool, err error) {
	s := v.s
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return false, ErrClosed
	}
	if !s.mapped(seg) {
		return false, nil
	}
	for stop := w.off + verifyChunk; w.off < stop; {
		off, r, ok := w.next()
		if !ok {
			return false, nil
		}
		reason := ""
		indexed := false
		err := s.arena.Confine(func() error {
			switch {
			case !r.Intact():
				reason = "payload fails its checksum"
			case !r.Named():
				reason = "payload has another hash than its header says"
			}
			indexed = s.index.Find(r.Hash) == seg.mem.At(off)
			return nil
		})
		if err != nil {
			reason = "cannot be read"
		}
		if reason != "" {
			v.damaged(seg, off, &r, reason, err)
			continue
		}
		v.report.Records++
		v.report.Bytes += r.Extent()
		if indexed {
			v.report.Indexed++
		} else {
			v.report.Unindexed++
		}
	}
	return true, nil
}

// index verifies that every entry leads to a record which is found by its name.
func (v *verifier) index() error {
	for i := range index.Shards {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if err := v.shard(i); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) shard(i int) error {
	s := v.s
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return ErrClosed
	}
	s.index.Each(i, func(e index.Entry) {
		err := s.arena.Confine(func() error {
			// Payloads have been read by now. An entry that was moved meanwhile leads to a copy of
			// the same name.
			header, ok := s.headerAt(e.Addr)
			if (!ok || s.index.Find(header.Hash) == arena.Nil) && e.Current() {
				v.dangles(e)
			}
			return nil
		})
		if err != nil {
			v.dangles(e)
		}
	})
	return nil
}

// Prove compares the record named h with its name. Reading compares checksums only, which is quick
// and finds what decay does; bytes that were put there on purpose can have a right checksum. A
// record that is not what its name says is dropped, and the error is a *CorruptError; other errors
// are those of View.
func (s *Store) Prove(h Hash) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return ErrClosed
	}
	at := arena.Nil
	var proven error
	err := s.arena.Confine(func() error {
		at = s.index.Find(h)
		seg, off, r, err := s.lookupAt(h, at)
		if err != nil || r.Named() {
			proven = err
			return nil
		}
		s.drop(h, at, r.Extent())
		proven = s.damage(seg, off, "is not what its name says", nil)
		return nil
	})
	if err != nil {
		return s.readError(h, at, err)
	}
	return proven
}
