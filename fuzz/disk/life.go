package disk

import (
	"fmt"
	"math/rand/v2"

	"github.com/cytisus/cytisus/fuzz/tape"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

const (
	recordsMax = 50 // beyond that a session collects
	workMax    = 20 // operations of a session
)

// Live runs a life of so many sessions and reports the first broken promise. Equal seeds live equal
// lives.
func Live(seed uint64, sessions int) error { return live(recorded(seed), sessions) }

// recorded is what decides about the life of a seed.
func recorded(seed uint64) *tape.Tape { return tape.Record(rand.NewPCG(seed, 0x6c696665)) }

// live is Live with choices of a tape, at whose end the life ends, too.
func live(choices *tape.Tape, sessions int) error {
	rng := rand.New(choices)
	mem, l := vfs.NewMem(), newLedger()
	syncs := []mmapcas.SyncMode{mmapcas.SyncGroup, mmapcas.SyncGroup, mmapcas.SyncEvery, mmapcas.SyncNone}
	syncs = syncs[:1+rng.IntN(len(syncs))] // half of the lives never leave a record to chance
	saves := []int64{0, 1, 40_000}[rng.IntN(3)]
	calls := int64(60)
	for i := range sessions {
		if choices.Over() {
			return nil
		}
		p := plan{save: saves, sync: syncs[rng.IntN(len(syncs))], end: ending(rng.IntN(int(endings))), seed: rng.Uint64()}
		if p.end != closed && rng.IntN(3) > 0 {
			p.endAt = 1 + rng.Int64N(calls)
		}
		if rng.IntN(3) == 0 {
			p.failAt, p.fails = 1+rng.Int64N(calls), 1+rng.Int64N(3)
			p.err = errs[rng.IntN(len(errs))]
		}
		if Trace != nil {
			Trace("session %d: %v", i, p)
		}
		next, n, err := run(l, mem, p, rng, func(s *session) { s.workAtRandom(choices.Over) })
		if err == nil {
			if err = healthy(l, next); err != nil {
				err = fmt.Errorf("%v: %w", p, err)
			}
		}
		if err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
		mem, calls = next, max(n, 20)
		l.forget()
	}
	return nil
}

// workAtRandom does a few operations chosen by the session's source, until that is at its end.
func (s *session) workAtRandom(atEnd func() bool) {
	for range s.rng.IntN(workMax) {
		if s.over() || atEnd() {
			return
		}
		if len(s.l.order) > recordsMax {
			s.collect(2)
			continue
		}
		switch s.rng.IntN(16) {
		case 0, 1, 2, 3, 4:
			s.put(s.l.fresh(s.rng))
		case 5, 6:
			batch := make([][]byte, 1+s.rng.IntN(12))
			for i := range batch {
				batch[i] = s.l.fresh(s.rng)
			}
			s.putBatch(batch)
		case 7, 8:
			if h, ok := s.known(); ok {
				s.put(s.l.records[h].payload)
			}
		case 9, 10:
			if h, ok := s.known(); ok {
				s.get(h)
			}
		case 11, 12, 13:
			s.commit()
		case 14:
			s.collect(1 + s.rng.IntN(8))
		case 15:
			s.verify()
		}
	}
}

// known picks a record of the ledger.
func (s *session) known() (h mmapcas.Hash, ok bool) {
	if len(s.l.order) == 0 {
		return h, false
	}
	return s.l.order[s.rng.IntN(len(s.l.order))], true
}

// script is a session that does everything once, in the same order each time.
func (s *session) script() {
	steps := []func(){
		func() { s.fill(30, 3000) },
		s.commit,
		func() { s.put(make([]byte, 100_000)) }, // a segment of its own
		func() { s.fill(12, 3000) },
		s.commit,
		func() { s.collect(3) },
		func() { s.fill(16, 3000) },
		s.commit,
		func() { s.collect(8) },
		func() { s.fill(4, 500) },
		s.commit,
		s.verify,
	}
	for _, step := range steps {
		if s.over() {
			return
		}
		step()
	}
}

// fill puts n new records of the size, half of them as a batch.
func (s *session) fill(n, size int) {
	var batch [][]byte
	for i := range n {
		p := s.l.payload(size, s.rng)
		if i%2 == 0 {
			batch = append(batch, p)
			continue
		}
		if s.put(p); s.over() {
			return
		}
	}
	s.putBatch(batch)
}
