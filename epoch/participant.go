package epoch

import (
	"math"

	"github.com/cytisus/cytisus/affinity"
)

// A Participant is a reader with a slot of its own, for threads that read all the time. It is used
// by one goroutine at a time; handing it over needs the caller's own synchronisation.
type Participant struct {
	slot   slot
	domain *Domain // immutable
	label  string  // immutable; names it in stall reports
	depth  int     // plain, owned by the user: how often it was entered, or closedDepth
}

// closedDepth is the depth of a closed participant: no number of wrong calls brings it back to 0.
const closedDepth = math.MinInt / 2

// Register adds a participant. The label appears in stall reports. [Participant.Close] removes it;
// a participant that is dropped while inside stops all freeing for ever.
func (d *Domain) Register(label string) *Participant {
	p := &Participant{domain: d, label: label}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := *d.participants.Load()
	list := append(old[:len(old):len(old)], p)
	d.participants.Store(&list)
	affinity.WantRemoteFences()
	return p
}

// Enter pins the participant. Calls nest; only the outermost pair stores.
func (p *Participant) Enter() {
	if p.depth++; p.depth != 1 {
		p.entered()
		return
	}
	p.slot.enter(inside(p.domain.global.Load())) // R1 of the package comment
}

// entered is the end of an Enter that was not the outermost one.
func (p *Participant) entered() {
	if p.depth < 0 {
		// No scan visits it any more, so its pin would protect nothing.
		p.depth = closedDepth
		panic("epoch: E3: Enter after Close by " + p.label)
	}
}

// Leave undoes one Enter. After the outermost one, nothing read since may be used.
func (p *Participant) Leave() {
	if p.depth--; p.depth != 0 {
		p.left()
		return
	}
	p.slot.leave()
}

// left is the end of a Leave that was not the outermost one.
func (p *Participant) left() {
	if p.depth < 0 {
		p.depth++
		panic("epoch: E3: Leave without Enter by " + p.label)
	}
}

// Refresh moves the pin to the current epoch, for long loops that hold no reference between rounds.
// It costs a few loads while the epoch has not moved. Everything read before becomes invalid.
// Inside a nested Enter it does nothing, because the outer one may still hold references.
func (p *Participant) Refresh() {
	if w := inside(p.domain.global.Load()); w != p.slot.word.Load() {
		p.refresh(w)
	}
}

// refresh is the end of a Refresh that found another epoch in the slot, or none.
func (p *Participant) refresh(w uint64) {
	if p.depth == 1 {
		p.slot.enter(w)
	}
}

// Pinned reports whether the participant is inside.
func (p *Participant) Pinned() bool { return p.depth > 0 }

// Close leaves and removes the participant from its domain. It may be called more than once.
func (p *Participant) Close() {
	if p.depth <= closedDepth {
		return
	}
	p.depth = closedDepth
	p.slot.leave()
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
