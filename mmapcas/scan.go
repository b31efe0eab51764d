package mmapcas

import (
	"errors"
	"os"

	"github.com/cytisus/cytisus/arena"
)

// A scanner walks the records of a segment in the order of their places.
type scanner struct {
	arena  *arena.Arena
	seg    *arena.Segment
	packed *packed // nil for a plain segment
	off    int64   // of the next record
	end    int64   // where to stop
	// payloads says to check payloads too, and to stop at the first record that fails: what a tail needs. Otherwise
	// headers alone are checked, and damage is skipped.
	payloads bool
	// damaged hears about each damaged place. May be nil.
	damaged func(off int64, reason string, err error)
}

// scan returns a scanner over the records of a segment from one offset to another. Those of a packed segment come without payloads (fill).
func (s *Store) scan(seg *segment, from, to int64) scanner {
	w := scanner{arena: s.arena, seg: seg.mem, packed: seg.packed, off: from, end: to}
	if p := seg.packed; p != nil {
		w.off, w.end = max(from, p.headersAt), min(to, p.headersEnd())
	}
	return w
}

// next returns the next record and where it starts. It reports false at the end. The record's bytes are the mapping's:
// reading them may fault, next itself does not.
func (w *scanner) next() (off int64, r rec, ok bool) {
	for w.off < w.end {
		err := w.arena.Confine(func() error {
			off, r, ok = w.step()
			return nil
		})
		if err == nil {
			return off, r, ok
		}
		var fault *arena.FaultError
		errors.As(err, &fault)
		w.report(fault.Offset, "cannot be read", err)
		if w.payloads {
			w.end = w.off
			return 0, rec{}, false
		}
		// The rest of the page is lost with it.
		page := int64(os.Getpagesize())
		w.off = (max(fault.Offset, w.off) + page) &^ (page - 1)
		w.resync()
	}
	return 0, rec{}, false
}

func (w *scanner) step() (int64, rec, bool) {
	if w.packed != nil {
		return w.stepPacked()
	}
	off := w.off
	mem := w.seg.Mem()[:w.end]
	r, ok := parseRecord(mem[off:])
	if w.payloads {
		if !ok || !r.intact() {
			w.end = off
			return 0, rec{}, false
		}
	} else if !ok {
		w.report(off, "header fails its checksum", nil)
		w.off += arena.Unit
		if !w.resync() {
			return 0, rec{}, false
		}
		off = w.off
		r, _ = parseRecord(mem[off:])
	}
	w.off = off + r.extent()
	return off, r, true
}

// stepPacked is step for a packed segment, where headers lie side by side.
func (w *scanner) stepPacked() (int64, rec, bool) {
	for w.off < w.end {
		off := w.off
		r, _, _, ok := parsePacked(w.seg.Mem()[off:])
		w.off += headerBytes
		if ok {
			return off, r, true
		}
		w.report(off, "header fails its checksum", nil)
	}
	return 0, rec{}, false
}

// resync moves to the next place where a whole record passes both checksums, or to the end.
func (w *scanner) resync() (found bool) {
	if w.packed != nil {
		return w.off < w.end
	}
	for w.off < w.end {
		err := w.arena.Confine(func() error {
			mem := w.seg.Mem()[:w.end]
			for ; w.off < w.end; w.off += arena.Unit {
				if r, ok := parseRecord(mem[w.off:]); ok && r.intact() {
					found = true
					return nil
				}
			}
			return nil
		})
		if err == nil {
			break
		}
		// Some candidate reaches into an unreadable page: it is no record.
		w.off += arena.Unit
	}
	return found
}

func (w *scanner) report(off int64, reason string, err error) {
	if w.damaged != nil {
		w.damaged(off, reason, err)
	}
}
