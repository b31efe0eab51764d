package sched

import "math/bits"

// Stretch calls fn, a part of the task that computes for long, for milliseconds and more, and makes
// no call of the scheduler meanwhile. What is more urgent goes first, now and while fn runs: then
// another thread stands in at once, which does nothing else (see "Stretches" in the package
// comment). Fn may wait, but is then interrupted like any other code. One stretch in another is
// part of that.
//
// Stretch may wait before it calls fn, so views of memory that the epochs protect are invalid in
// fn. It returns what fn does.
func (t *Task) Stretch(fn func() error) error {
	if t.beginStretch() {
		defer t.endStretch()
	}
	return fn()
}

// beginStretch reports whether the task is now in a stretch that it was not in.
func (t *Task) beginStretch() bool {
	p, l, above := t.pool, t.loop, uint32(1)<<t.lane-1
	if above == 0 || l.stretch.Load() != 0 {
		return false
	}
	if t.giveWay(above); p.lookout == nil {
		return false
	}
	l.stretch.Store(above)
	p.stretches.Add(1) // T1
	p.pressed()        // T2
	return true
}

func (t *Task) endStretch() {
	t.loop.stretch.Store(0)
	t.pool.stretches.Add(-1)
}

// giveWay lets what waits on the lanes above go first. A task on a siding goes home, so that there
// is one stretch for each worker.
func (t *Task) giveWay(above uint32) {
	t.unwindIfTold()
	t.mustNotLock()
	t.mustBeOwner()
	t.point() // and not below, where nothing keeps a stand-in from coming before the stretch begins
	switch w := t.loop.enter(); {
	case w.siding:
		w.goHome(t)
	case w.waitsAbove(above):
		w.yield(t)
	}
	t.loop.exit()
}

// waitsAbove reports whether w could take something up on the lanes above.
func (w *worker) waitsAbove(above uint32) bool {
	w.takeResumes()
	if w.ready.mask&above != 0 {
		return true
	}
	return w.mayStart() && (w.own.mask&above != 0 || w.pool.queuedOn(above))
}

// queuedOn reports whether one of the lanes above holds a task.
func (p *Pool) queuedOn(above uint32) bool {
	for todo := p.occupied() & above; todo != 0; todo &= todo - 1 {
		if p.lanes.Len(p.ring(bits.TrailingZeros32(todo))) > 0 {
			return true
		}
	}
	return false
}

// pickAbove is pick of a worker whose thread stands in for a stretch.
func (w *worker) pickAbove() *Task {
	w.takeResumes()
	best := bits.TrailingZeros32(w.ready.mask & w.above) // 32 if there is none
	if w.mayStart() {
		if t := w.popStart(w.above & (1<<best - 1)); t != nil {
			return w.started(t)
		}
	}
	if best < 32 {
		return w.ready.pop(best)
	}
	return nil
}

// pressed follows whatever gives a worker something to do (P2, R2).
func (p *Pool) pressed() {
	if p.stretches.Load() != 0 && p.sim == nil {
		p.lookout.press()
	}
}

// press has a thread stand in for a stretch that keeps something more urgent waiting: what only its
// worker can take up, or what any could, if none is at rest. Any goroutine may call it.
func (k *lookout) press() {
	shared := !k.someRest()
	for _, w := range k.pool.workers {
		l := w.on.load()
		if l == nil {
			continue
		}
		above := l.stretch.Load()
		if above == 0 || w.resumes.empty() && !(shared && k.pool.queuedOn(above)) {
			continue
		}
		if user := l.user.load(); user%2 == 0 {
			k.poke() // it is in a call, which may end before it sees what waits
		} else if k.standIn(w, l, user, above) {
			shared = false
		}
	}
}

// someRest reports whether a worker is at rest, which looks for what is queued before it sleeps.
func (k *lookout) someRest() bool {
	for _, w := range k.pool.workers {
		if !w.busy.Load() {
			return true
		}
	}
	return false
}

// takeBack gives the worker back to the thread that a stretch holds, whose siding is free then. The
// thread that calls it is to end; it has left all coroutines. It reports false if the task is not
// there any more, or calls the scheduler just now: then the thread goes on, as any stand-in.
func (w *worker) takeBack() bool {
	k := w.pool.lookout
	k.mu.Lock() // K1
	l := w.aside
	w.aside, w.above = nil, 0
	s := l.worker()
	if !l.inside() || !s.siding || s.home != w || s.on.load() != l { // K2
		w.settle()
		k.mu.Unlock()
		return false
	}
	l.moves.Add(1) // K3
	if w.part != nil {
		w.part.Close()
	}
	w.part, w.th, w.paused = s.part, s.th, s.paused
	w.th.w = w
	w.settle()
	w.current.store(s.current.load())
	w.on.store(l)
	l.w.Store(w)
	l.claim.And(^stoodIn)
	s.part, s.th, s.paused = nil, nil, nil
	s.current.store(nil)
	s.on.store(nil)
	k.free = append(k.free, s)
	k.mu.Unlock()
	w.pool.alive.Done() // not the last: the thread of the stretch is there
	w.pool.pressed()    // K4
	return true
}
