package queue

// NewMPMCAt is NewMPMC with both counters at start, a multiple of the capacity or not.
func NewMPMCAt[T any](capacity int, start uint64) *MPMC[T] {
	r := NewMPMC[T](capacity)
	for i := range uint64(r.Cap()) {
		c, lap := r.at(start + i)
		c.turn.pass(lap)
	}
	r.tail.Store(start)
	r.head.Store(start)
	return r
}

// NewSPSCAt is NewSPSC with both counters at start.
func NewSPSCAt[T any](capacity int, start uint64) *SPSC[T] {
	r := NewSPSC[T](capacity)
	r.tail.Store(start)
	r.head.Store(start)
	r.headSeen, r.tailSeen = start, start
	return r
}

// PushSlowly is TryPush with something done inside the claim window: after the ticket is taken,
// before the cell is filled.
func (r *MPMC[T]) PushSlowly(v T, meanwhile func()) bool {
	_, ok := r.pushSlowly(v, meanwhile)
	return ok
}

func (r *MPMC[T]) pushSlowly(v T, meanwhile func()) (ticket uint64, ok bool) {
	for {
		t := r.tail.Load()
		c, lap := r.at(t)
		switch d := int64(c.turn.load() - lap); {
		case d < 0:
			return 0, false
		case d == 0 && r.tail.CompareAndSwap(t, t+1):
			meanwhile()
			c.val = v
			c.turn.pass(lap + 1)
			return t, true
		}
	}
}

// PopSlowly is TryPop with something done inside the claim window.
func (r *MPMC[T]) PopSlowly(meanwhile func()) (v T, ok bool) {
	for {
		h := r.head.Load()
		c, lap := r.at(h)
		switch d := int64(c.turn.load() - (lap + 1)); {
		case d < 0:
			return v, false
		case d == 0 && r.head.CompareAndSwap(h, h+1):
			meanwhile()
			return r.take(c, lap), true
		}
	}
}

// PushSlowly is TryPush with something done while the place is filled and not yet handed over.
func (r *SPSC[T]) PushSlowly(v T, meanwhile func()) bool {
	t := r.tail.Load()
	if r.room(t) == 0 {
		return false
	}
	r.vals[t&r.mask] = v
	meanwhile()
	r.tail.Store(t + 1)
	return true
}

// PopSlowly is TryPop with something done while the place is emptied and not yet handed back.
func (r *SPSC[T]) PopSlowly(meanwhile func()) (v T, ok bool) {
	h := r.head.Load()
	if r.items(h) == 0 {
		return v, false
	}
	var zero T
	v, r.vals[h&r.mask] = r.vals[h&r.mask], zero
	meanwhile()
	r.head.Store(h + 1)
	return v, true
}

// PopSCSlowly is TryPopSC with something done in both parts of the claim window: before and after
// the ticket is taken.
func (r *MPMC[T]) PopSCSlowly(meanwhile func()) (v T, ok bool) {
	r.only.enter("TryPopSC")
	defer r.only.leave()
	h := r.head.Load()
	c, lap := r.at(h)
	if c.turn.load() != lap+1 {
		return v, false
	}
	meanwhile()
	r.only.advance(&r.head, h, "TryPopSC")
	meanwhile()
	return r.take(c, lap), true
}

// Ring returns the ring of a lane.
func (l *Lanes[T]) Ring(lane int) *MPMC[T] { return &l.lanes[lane].ring }

// Overflow returns the length of a lane's overflow list.
func (l *Lanes[T]) Overflow(lane int) int { return int(l.lanes[lane].overflow.Load()) }

// Crowd returns how many submitters wait for room in a lane.
func (l *Lanes[T]) Crowd(lane int) int {
	q := &l.lanes[lane]
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.crowd)
}

// SetLaneCounters makes the ring of an empty lane start at the given ticket.
func (l *Lanes[T]) SetLaneCounters(lane int, start uint64) {
	r := &l.lanes[lane].ring
	for i := range uint64(r.Cap()) {
		c, lap := r.at(start + i)
		c.turn.pass(lap)
	}
	r.tail.Store(start)
	r.head.Store(start)
}

// Searching returns the number of searchers.
func (x *Idle) Searching() int { return int(x.searching.Load()) }

// HasToken reports whether worker w has a token that it has not noticed.
func (x *Idle) HasToken(w int) bool { return x.seats[w].parker.core.state.Load() == token }

// PushSlowly is Push with something done inside the claim window, if the item goes to the ring.
func (l *Lanes[T]) PushSlowly(lane int, v T, meanwhile func()) {
	q := &l.lanes[lane]
	ticket, ok := uint64(0), false
	if q.overflow.Load() == 0 {
		ticket, ok = q.ring.pushSlowly(v, meanwhile)
	}
	if !ok {
		q.pushListed(v)
	} else if q.overtaking.alarms.Load() != 0 {
		q.settle(ticket)
	}
	l.occupy(lane)
}

// OvertakeAtOnce is Overtake without a grace.
func (l *Lanes[T]) OvertakeAtOnce(lane int) {
	l.Overtake(1 << lane)
	l.lanes[lane].overtaking.grace = 0
}

// Alarms returns how many pops of a lane decide, and how many of its pushes are late.
func (l *Lanes[T]) Alarms(lane int) int { return int(l.lanes[lane].overtaking.alarms.Load()) }

// PopSlowly is Pop of one lane with something done inside the claim window, if the item comes from
// the ring.
func (l *Lanes[T]) PopSlowly(lane int, meanwhile func()) (v T, ok bool) {
	q := &l.lanes[lane]
	if v, ok = q.ring.PopSlowly(meanwhile); !ok {
		v, ok = q.popListed()
	}
	if ok {
		l.left(lane)
	}
	return v, ok
}
