package mmapcas

import (
	"errors"
	"os"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A scanner walks the records of a segment in the order of their places.
type scanner struct {
	arena *arena.Arena
	seg   *arena.Segment
	off   int64 // of the next record
	end   int64 // where to stop
	// cooled is up to where pages were given back, while memory is short.
	cooled int64
	// payloads says to check payloads too, and to end where no whole record follows: what a tail
	// needs. Otherwise headers alone are checked. Damage with a whole record behind it is skipped
	// in both cases.
	payloads bool
	// doubt: the walk has lost its way once. What it took up again may lie in the payload of a
	// record whose header is damaged, and such bytes may be made up: from here on a record counts
	// if its name is that of its content.
	doubt bool
	// fill, if not nil, is asked to make something whole of what lies between two records, and
	// reports whether it has.
	fill func(from, to int64) bool
	// damaged hears about each damaged place. May be nil.
	damaged func(off int64, reason string, err error)
}

// scan returns a scanner over the records of a segment from one offset to another.
func (s *Store) scan(seg *segment, from, to int64) scanner {
	return scanner{arena: s.arena, seg: seg.mem, off: from, end: to, cooled: from}
}

// coolEvery is how many bytes a scanner walks over between two times that it gives pages back.
const coolEvery = 1 << 20

// cool gives back the pages behind the scanner, if memory is short and they are some, or the walk
// has ended.
func (w *scanner) cool(ended bool) {
	if (ended || w.off-w.cooled >= coolEvery) && w.arena.Frugal() {
		w.seg.DropBetween(w.cooled, w.off)
		w.cooled = w.off
	}
}

// next returns the next record and where it starts. It reports false at the end. The record's bytes
// are the mapping's: reading them may fault, next itself does not.
func (w *scanner) next() (off int64, r record.Record, ok bool) {
	w.cool(false)
	for w.off < w.end {
		start := w.off
		err := w.arena.Confine(func() error {
			off, ok = w.step(&r)
			return nil
		})
		if err == nil && ok {
			return off, r, true
		}
		if err == nil {
			break
		}
		var fault *arena.FaultError
		errors.As(err, &fault)
		w.report(fault.Offset, "cannot be read", err)
		// The rest of the page is lost with it.
		page := int64(os.Getpagesize())
		w.off = (max(fault.Offset, w.off) + page) &^ (page - 1)
		if !w.resync() && w.payloads {
			w.off, w.end = start, start
		}
	}
	w.cool(true)
	return 0, record.Record{}, false
}

// A spot is where a scan found a record, and what its header says.
type spot struct {
	off    int64
	extent int64
	hash   Hash
}

// spots is next for as many records as found has room for behind its length, at less than the cost
// of a call for each, and without their payloads. It returns found with them; with none at the end.
func (w *scanner) spots(found []spot) []spot {
	w.cool(false)
	n := len(found)
	room := found[:cap(found)]
	err := w.arena.Confine(func() (_ error) {
		for n < len(room) && w.off < w.end {
			if !w.nextSpot(&room[n]) {
				return
			}
			n++
		}
		return
	})
	if err != nil && n == len(found) {
		if off, r, ok := w.next(); ok { // which finds out about the page
			room[n] = spot{off, r.Extent(), r.Hash}
			n++
		}
	}
	if n == 0 {
		w.cool(true)
	}
	return room[:n]
}

// nextSpot is step for who needs no more than a spot. A header that is whole, where the walk has
// not lost its way, is all that has to be looked at.
func (w *scanner) nextSpot(at *spot) bool {
	if !w.payloads && !w.doubt {
		h, ok := record.ParseHeader(w.seg.Mem()[w.off:w.end])
		if extent := h.Extent(); ok && extent <= w.end-w.off {
			*at = spot{w.off, extent, h.Hash}
			w.off += extent
			return true
		}
	}
	var r record.Record
	off, ok := w.step(&r)
	*at = spot{off, r.Extent(), r.Hash}
	return ok
}

// step is next, confined by its caller, with the record put into r.
func (w *scanner) step(r *record.Record) (int64, bool) {
	off := w.off
	mem := w.seg.Mem()[:w.end]
	ok := r.Read(mem[off:])
	reason, skip := "header fails its checksum", int64(arena.Unit)
	if ok {
		reason, skip = "", r.Extent()
	}
	switch {
	case !ok:
	case w.payloads && !r.Intact():
		reason = "payload fails its checksum" // the header, which is whole, says where the next one is
	case w.doubt && r.Intact() && !r.Named():
		reason, skip = "no record, but looks like one", arena.Unit
	default:
		w.off = off + skip
		return off, true
	}
	w.off += skip
	found := w.resync()
	if !found && w.payloads {
		w.off, w.end = off, off // nothing was ever put here, or it never got here whole
		return 0, false
	}
	if !found || w.fill == nil || !w.fill(off, w.off) {
		w.report(off, reason, nil)
	}
	if !found {
		return 0, false
	}
	off = w.off
	r.Read(mem[off:])
	w.off = off + r.Extent()
	return off, true
}

// resync moves to the next place where a record is whole and has its own name, or to the end.
func (w *scanner) resync() (found bool) {
	w.doubt = true
	for w.off < w.end {
		err := w.arena.Confine(func() error {
			mem := w.seg.Mem()[:w.end]
			for ; w.off < w.end; w.off += arena.Unit {
				if r, ok := record.Parse(mem[w.off:]); ok && r.Intact() && r.Named() {
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
