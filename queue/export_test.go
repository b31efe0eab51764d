package queue

// NewMPMCAt is NewMPMC with both counters at start, a multiple of the capacity or not.
func NewMPMCAt[T any](capacity int, start uint64) *MPMC[T] {
	r := NewMPMC[T](capacity)
	for i := range uint64(len(r.cells)) {
		c, lap := r.at(start + i)
		c.turn.Store(lap)
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

// PushSlowly is TryPush with something done inside the claim window: after the ticket is taken, before the cell is
// filled.
func (r *MPMC[T]) PushSlowly(v T, meanwhile func()) bool {
	for {
		t := r.tail.Load()
		c, lap := r.at(t)
		switch d := int64(c.turn.Load() - lap); {
		case d < 0:
			return false
		case d == 0 && r.tail.CompareAndSwap(t, t+1):
			meanwhile()
			r.fill(t, v)
			return true
		}
	}
}

// PopSlowly is TryPop with something done inside the claim window.
func (r *MPMC[T]) PopSlowly(meanwhile func()) (v T, ok bool) {
	for {
		h := r.head.Load()
		c, lap := r.at(h)
		switch d := int64(c.turn.Load() - (lap + 1)); {
		case d < 0:
			return v, false
		case d == 0 && r.head.CompareAndSwap(h, h+1):
			meanwhile()
			return r.take(h), true
		}
	}
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
	for i := range uint64(len(r.cells)) {
		c, lap := r.at(start + i)
		c.turn.Store(lap)
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
	if q := &l.lanes[lane]; q.overflow.Load() != 0 || !q.ring.PushSlowly(v, meanwhile) {
		q.push(v)
	}
	l.occupy(lane)
}
