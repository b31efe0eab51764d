package mmapcas

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/hash"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Put stores a record and returns its name. fresh reports whether it was not there before; it says
// nothing about the records this one refers to (G0). The payload is copied. Any goroutine may call
// it.
func (s *Store) Put(kind Kind, payload []byte) (h Hash, fresh bool, err error) {
	if err := s.mayPut(len(payload)); err != nil {
		return Hash{}, false, err
	}
	h = HashOf(kind, payload)
	content := record.Plain(payload)
	if s.compresses(kind, len(payload)) && !s.Has(h) {
		// Outside of any pin: nothing is given back while one is held.
		room := frames.Get().(*[]byte)
		defer frames.Put(room)
		content = record.Compress(payload, room)
	}
	fresh, err = s.putNamed(kind, h, content)
	if err != nil {
		return Hash{}, false, err
	}
	return h, fresh, nil
}

// PutNew is Put for a caller that expects the record not to be there, and is as right if it is. It
// is quicker than Put if the caller is right: the record is written while its place in the index is
// on its way from memory, and is not looked for before that.
func (s *Store) PutNew(kind Kind, payload []byte) (h Hash, fresh bool, err error) {
	if err := s.mayPut(len(payload)); err != nil {
		return Hash{}, false, err
	}
	h = HashOf(kind, payload)
	s.index.Expect(h)
	content := record.Plain(payload)
	if s.compresses(kind, len(payload)) {
		room := frames.Get().(*[]byte)
		defer frames.Put(room)
		content = record.Compress(payload, room)
	}
	fresh, err = s.put(kind, h, content, true)
	if err != nil {
		return Hash{}, false, err
	}
	return h, fresh, nil
}

// PutBatch stores records of one kind and appends their names to out, in order. On an error it
// returns out as it was; some of the records may have been stored.
func (s *Store) PutBatch(kind Kind, payloads [][]byte, out []Hash) ([]Hash, error) {
	for _, p := range payloads {
		if err := s.mayPut(len(p)); err != nil {
			return out, err
		}
	}
	names := hash.Batch(uint8(kind), payloads, out)
	fresh := names[len(out):]
	for len(payloads) > 0 {
		n := min(len(payloads), index.BatchNames)
		if err := s.putCompressed(kind, fresh[:n], payloads[:n]); err != nil {
			return out, err
		}
		fresh, payloads = fresh[n:], payloads[n:]
	}
	return names, nil
}

// putCompressed is putGroup of the payloads, of which those are compressed that are worth it.
func (s *Store) putCompressed(kind Kind, names []Hash, payloads [][]byte) error {
	var contents [index.BatchNames]record.Stored
	for i, p := range payloads {
		contents[i] = record.Plain(p)
		if s.compresses(kind, len(p)) && !s.Has(names[i]) {
			room := frames.Get().(*[]byte)
			defer frames.Put(room)
			contents[i] = record.Compress(p, room)
		}
	}
	return s.putGroup(kind, names, contents[:len(payloads)])
}

// putGroup stores up to batchNames records. It looks for all of them first, side by side, and
// appends those that are not there with one appender. The rest, and those that another call puts
// meanwhile, go one by one.
func (s *Store) putGroup(kind Kind, names []Hash, contents []record.Stored) error {
	if s.opts.Sync == SyncEvery {
		return s.putEach(kind, names, contents)
	}
	g := s.epochs.Pin()
	if s.closed.Load() {
		g.Unpin()
		return ErrClosed
	}
	var at [index.BatchNames]arena.Addr
	err := s.arena.Confine(func() error {
		s.index.FindGroup(names, &at)
		return nil
	})
	if err == nil {
		err = s.appendGroup(kind, names, contents, &at)
	}
	g.Unpin()
	switch {
	case elsewhere(err), errors.Is(err, ErrNoSpace):
		// An entry on the way leads to memory that failed, or the segment's did: one by one, it is
		// found out which. Or the disk is full: one by one, small ones may take from the reserve.
		return s.putEach(kind, names, contents)
	case err != nil:
		return err
	}
	for i := range names {
		if at[i] != appended {
			if _, err := s.putNamed(kind, names[i], contents[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) putEach(kind Kind, names []Hash, contents []record.Stored) error {
	for i := range names {
		if _, err := s.putNamed(kind, names[i], contents[i]); err != nil {
			return err
		}
	}
	return nil
}

// appended stands for the address of a record that this call has stored. It is no place of a
// record.
const appended = arena.Addr(1)

// appendGroup appends those records whose address is Nil, unless they are there after all, and
// makes it appended. The caller holds a pin.
func (s *Store) appendGroup(kind Kind, names []Hash, contents []record.Stored, at *[index.BatchNames]arena.Addr) error {
	if !slices.Contains(at[:len(names)], arena.Nil) {
		return nil
	}
	a := s.pool.lease()
	defer s.pool.giveBack(a)
	if s.closed.Load() {
		return ErrClosed
	}
	var stored, bytes int64
	defer func() {
		s.counters.puts.Add(stored)
		s.counters.live.Add(bytes)
	}()
	for i := 0; i < len(names); {
		err := s.arena.Confine(func() error {
			for ; i < len(names); i++ {
				n := contents[i].Extent()
				if at[i] != arena.Nil || n > s.arena.SegmentBytes()/4 {
					continue // a large one by itself
				}
				if a.Room() < n || s.inLost(a) {
					return arena.ErrFull
				}
				addr, b, err := a.Reserve(n)
				if err != nil {
					a.leave(err)
					return classify(err)
				}
				record.Write(b, kind, names[i], contents[i], &a.scratch)
				other, err := s.index.Insert(names[i], addr)
				if err != nil || other != arena.Nil {
					a.Rollback()
					if err != nil {
						return err
					}
					at[i] = other
					continue
				}
				a.Commit()
				at[i] = appended
				stored++
				bytes += n
			}
			return nil
		})
		if fault, ok := errors.AsType[*arena.FaultError](err); ok {
			seg := a.Segment()
			a.Abandon()
			return s.faultError(seg, fault)
		}
		if err == arena.ErrFull {
			err = s.nextSegment(a, contents[i].Extent())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) mayPut(payloadBytes int) error {
	switch {
	case s.closed.Load():
		return ErrClosed
	case s.opts.ReadOnly:
		return fmt.Errorf("%w: %s was opened so", ErrReadOnly, s.dir)
	case payloadBytes > MaxPayloadBytes:
		return fmt.Errorf("%w: payload of %d bytes, limit is %d", ErrTooLarge, payloadBytes, MaxPayloadBytes)
	}
	return nil
}

func (s *Store) putNamed(kind Kind, h Hash, content record.Stored) (fresh bool, err error) {
	return s.put(kind, h, content, false)
}

// put stores a record unless it is there. Of one that is expected to be new an entry is first
// looked for where its own is made.
func (s *Store) put(kind Kind, h Hash, content record.Stored, expectedNew bool) (fresh bool, err error) {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return false, ErrClosed
	}
	s.counters.puts.Add(1)
	var at arena.Addr
	for look := !expectedNew; ; look = true {
		if look {
			at, err = s.existing(h)
			if err != nil {
				return false, err
			}
			if at != arena.Nil {
				s.counters.dedupHits.Add(1)
				break
			}
		}
		at, fresh, err = s.appendSomewhere(kind, h, content)
		if errors.Is(err, ErrNoSpace) && len(content.Bytes) <= reserveSmall && s.useReserve(false) {
			continue
		}
		if err != nil {
			return false, err
		}
		if fresh {
			break
		}
		// The record is there already, or somebody else was quicker; whether that one is sound and
		// survives is for existing to say.
	}
	if s.opts.Sync == SyncEvery {
		seg := s.segmentOf(at)
		if err := s.syncSegment(seg, seg.mem.Offset(at)+content.Extent()); err != nil {
			return false, err
		}
	}
	return fresh, nil
}

// existing returns the address of a sound record of this name which the running cycle, if any, will
// keep, and Nil if there is none. The caller holds a pin.
func (s *Store) existing(h Hash) (at arena.Addr, err error) {
	for faults := 0; ; {
		at, again, err := s.existingIn(s.cycle.Load(), h)
		switch {
		case errors.Is(err, arena.ErrFault):
			// The memory failed, not the search: without that entry the record is simply absent. A
			// second failure may be another entry's; many are not.
			err = s.unreadable(h, at, err)
			if faults++; faults > faultTries {
				return arena.Nil, err
			}
		case err != nil || !again:
			return at, err
		}
	}
}

// existingIn is one try of existing, in the cycle that ran before it; see shade. again says that
// this cycle has ended since, and may have swept what was found.
func (s *Store) existingIn(c *Cycle, h Hash) (at arena.Addr, again bool, err error) {
	err = s.arena.Confine(func() error {
		at = s.index.Find(h)
		if at == arena.Nil {
			return nil
		}
		seg, off, extent, reason := s.check(at)
		if reason != "" {
			s.drop(h, at, extent)
			_ = s.damage(seg, off, reason, nil)
			at = arena.Nil
			return nil
		}
		if off < seg.elders.Load() {
			s.elders.again(h, at) // before the cycle is asked: see Cycle.Again
		}
		if c == nil {
			return nil
		}
		switch c.shade(seg, off, h, extent) {
		case condemned:
			// The sweeper is about to drop it. Doing that here as well keeps the put from waiting
			// (G3).
			s.drop(h, at, extent)
			at = arena.Nil
		case stale:
			again = true
		}
		return nil
	})
	return at, again, err
}

// faultTries bounds how many entries of memory that faults one lookup drops: several may look like
// that of one name, and many are not.
const faultTries = 8

// appendTries is in how many segments a record is tried whose memory fails: a file was cut short,
// or its disk fails.
const appendTries = 8

// appendSomewhere is append, in another segment if the memory of one fails, which is not appended
// to any more then.
func (s *Store) appendSomewhere(kind Kind, h Hash, content record.Stored) (at arena.Addr, fresh bool, err error) {
	for range appendTries {
		at, fresh, err = s.append(kind, h, content)
		if !elsewhere(err) {
			break
		}
	}
	return at, fresh, err
}

// elsewhere reports whether err says that a segment cannot be appended to, and others may.
func elsewhere(err error) bool { return errors.Is(err, arena.ErrFault) || errors.Is(err, errCutShort) }

// leave seals the appender's segment if err says that its file was cut.
func (a *appender) leave(err error) {
	if !errors.Is(err, errCutShort) {
		return
	}
	if m := a.Detach(); m != nil {
		m.Seal()
	}
}

// append writes a record and enters it in the index. fresh=false says that another put of the same
// record was quicker; at is where that one lies.
func (s *Store) append(kind Kind, h Hash, content record.Stored) (at arena.Addr, fresh bool, err error) {
	a := s.pool.lease()
	defer s.pool.giveBack(a)
	if s.closed.Load() {
		return arena.Nil, false, ErrClosed
	}
	n := content.Extent()
	if a.Room() < n || s.inLost(a) {
		if n > s.arena.SegmentBytes()/4 {
			return s.appendAlone(a, kind, h, content) // rather than leave the rest of a segment unused
		}
		if err := s.nextSegment(a, n); err != nil {
			return arena.Nil, false, err
		}
	}
	return s.appendTo(a, kind, h, content)
}

func (s *Store) appendTo(a *appender, kind Kind, h Hash, content record.Stored) (at arena.Addr, fresh bool, err error) {
	err = s.arena.Confine(func() error {
		addr, b, err := a.Reserve(content.Extent())
		if err != nil {
			a.leave(err)
			return classify(err)
		}
		record.Write(b, kind, h, content, &a.scratch)
		other, err := s.index.Insert(h, addr)
		if err != nil || other != arena.Nil {
			a.Rollback()
			at = other
			return err
		}
		a.Commit()
		at, fresh = addr, true
		return nil
	})
	if err != nil {
		if fault, ok := errors.AsType[*arena.FaultError](err); ok {
			seg := a.Segment()
			a.Abandon()
			return arena.Nil, false, s.faultError(seg, fault)
		}
		return arena.Nil, false, err
	}
	if fresh {
		s.counters.live.Add(content.Extent())
	}
	return at, fresh, nil
}

// appendAlone writes a record to a segment of its own, and leaves a with the segment it has.
func (s *Store) appendAlone(a *appender, kind Kind, h Hash, content record.Stored) (at arena.Addr, fresh bool, err error) {
	const round = allocateBytesMin
	seg, err := s.newSegment((segmentHeaderBytes + content.Extent() + round - 1) &^ (round - 1))
	if err != nil {
		return arena.Nil, false, err
	}
	if old := a.Detach(); old != nil {
		defer func() { err = errors.Join(err, a.Attach(old)) }()
	}
	if err := a.Attach(seg.mem); err != nil {
		return arena.Nil, false, err
	}
	at, fresh, err = s.appendTo(a, kind, h, content)
	a.Detach()
	seg.mem.Seal()
	if !fresh {
		s.retire(seg)
	}
	return at, fresh, err
}
