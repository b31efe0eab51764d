package mmapcas

import (
	"cmp"
	"slices"
)

// garbageShare is how much garbage a sweep may leave in segments that it keeps, in percent of what
// is live. Lower costs more copying, higher more disk.
const garbageShare = 10

// shortShare: a short cycle empties a segment only where at least this part of it is garbage, so
// that what it copies is in proportion to what it frees.
const shortShare = 4

// A chore is what the sweep does with one segment.
type chore struct {
	seg *segment
	// move: the segment is emptied, its records up to end copied. Otherwise those up to end are
	// only looked at, and dropped if need be.
	move bool
	end  int64
	// ours: the segment is open, was taken from the appenders, and is given back if it is not
	// emptied after all.
	ours bool
}

// plan decides which segments are emptied: those with the largest share of garbage first, until
// what is left of garbage in all others together is small. It takes the open ones among them from
// the appenders, so that they grow no more; what was put there since the cycle began is kept, and
// is copied with the rest.
func (c *Cycle) plan() {
	s, w := c.s, &c.sweep
	w.planned = true
	type content struct {
		chore
		used, live int64
	}
	var (
		all           []content
		live, garbage int64
	)
	s.commitMu.Lock() // for what is committed
	defer s.commitMu.Unlock()
	s.pool.exclusive(func(appenders []*appender) {
		for _, seg := range w.segs {
			k, end := seg.marks.Load(), seg.mem.Length()
			x := content{chore: chore{seg: seg, end: k.bornBlack}, used: seg.used()}
			x.live = k.live.Load() + end - k.bornBlack
			if k.elders > 0 {
				x.live += k.elders - segmentHeaderBytes
			}
			live += x.live
			w.live += k.live.Load()
			garbage += x.used - x.live
			all = append(all, x)
		}
		// What gives most space back for the least copying comes first, and makes room for the
		// copies of others.
		slices.SortStableFunc(all, func(a, b content) int {
			return cmp.Compare(float64(a.live)*float64(b.used), float64(b.live)*float64(a.used))
		})
		for i := range all {
			x := &all[i]
			if x.used == 0 {
				x.move = x.seg.mem.Sealed()
				continue
			}
			if w.only != nil && !w.only[x.seg] || w.only == nil && (garbage*100 <= live*garbageShare || x.used == x.live) {
				continue
			}
			if c.short && (x.used-x.live)*shortShare < x.used {
				continue
			}
			garbage -= x.used - x.live
			x.move, x.end = true, x.seg.mem.Length()
			x.ours = s.takeOpen(x.seg, appenders)
		}
	})
	for _, x := range all {
		if k := x.seg.marks.Load(); x.move || k.elders < x.end || !c.short {
			w.todo = append(w.todo, x.chore)
		}
	}
	w.batch = max(live/emptiedShare, 1)
	w.segs = nil
}
