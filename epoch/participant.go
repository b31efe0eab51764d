package epoch

// A Participant is a reader with a slot of its own, for threads that read all the time. It is used
// by one goroutine at a time; handing it over needs the caller's own synchronisation.
type Participant struct {
	slot   slot
	domain *Domain // immutable
	label  string  // immutable; names it in stall reports
	depth  int     // plain, owned by the user: how often it was entered
	closed bool    // plain, owned by the user
}

// Register adds a participant. The label appears in stall reports. [Participant.Close] removes it;
// a participant that is dropped while inside stops all freeing for ever.
func (d *Domain) Register(label string) *Participant {
	p := &Participant{domain: d, label: label}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := *d.participants.Load()
	list := append(old[:len(old):len(old)], p)
	d.participants.Store(&list)
	return p
}

// Enter pins the participant. Calls nest; only the outermost pair stores.
func (p *Participant) Enter() {
	p.depth++
	if p.depth > 1 {
		return
	}
	p.mustBeOpen()
	p.slot.word.Store(inside(p.domain.global.Load())) // E1 of the package comment
}

// Leave undoes one Enter. After the outermost one, nothing read since may be used.
func (p *Participant) Leave() {
	if p.depth <= 0 {
		panic("epoch: E3: Leave without Enter by " + p.label)
	}
	p.depth--
	if p.depth == 0 {
		p.slot.word.Store(0)
	}
}

// Refresh moves the pin to the current epoch, for long loops that hold no reference between rounds.
// It costs one load while the epoch has not moved. Everything read before becomes invalid. Inside a
// nested Enter it does nothing, because the outer one may still hold references.
func (p *Participant) Refresh() {
	if p.depth != 1 {
		return
	}
	if w := inside(p.domain.global.Load()); w != p.slot.word.Load() {
		p.slot.word.Store(w)
	}
}

// Pinned reports whether the participant is inside.
func (p *Participant) Pinned() bool { return p.depth > 0 }

// Close leaves and removes the participant from its domain. It may be called more than once.
func (p *Participant) Close() {
	if p.closed {
		return
	}
	p.closed = true
	p.depth = 0
	p.slot.word.Store(0)
	d := p.domain
	d.mu.Lock()
	defer d.mu.Unlock()
	old := *d.participants.Load()
	list := make([]*Participant, 0, len(old))
	for _, q := range old {
		if q != p {
			list = append(list, q)
		}
	}
	d.participants.Store(&list)
}

// mustBeOpen keeps a participant that no scan visits any more from pinning: it would protect nothing.
func (p *Participant) mustBeOpen() {
	if p.closed {
		panic("epoch: E3: Enter after Close by " + p.label)
	}
}
