package gc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Check has each phase of each cycle end with a walk over all that is needed, which compares the
// colours of the cycle with the invariant of the package comment ("Why nothing live is freed").
type Check struct {
	// Fail is told of what breaks the invariant, with the way to the record.
	Fail func(error)

	// Every has one slice in so many end with a walk, too. 0: none.
	Every int

	// Fine has a slice end with each record, so that others come in between.
	Fine bool
}

// A check is part of an errand, so no step is made, while others go on. The needed records are
// taken first and the queues after them. Meanwhile nothing leaves a queue and no mark goes, so the
// invariant, which held when the needed ones were taken, must be seen to hold.
type check struct {
	Check // Fail is nil where nothing is checked

	// strict: whoever refers to a record has put it, or holds it live. Callers of the engine need
	// not: a value may name a blob that is long gone. Without strict, what is not there counts only
	// if it was at an earlier check of the cycle.
	strict bool

	// more are needed records that the database knows nothing of, each with a reason. Nil: none.
	more func() map[mmapcas.Hash]string

	slices    int
	unwritten []mmapcas.Hash            // what Flush has returned in this cycle
	seen      map[mmapcas.Hash]struct{} // needed and there at an earlier check of this cycle
}

// begin is called when a cycle has taken its roots.
func (k *check) begin(unwritten []mmapcas.Hash) {
	if k.Fail != nil {
		k.unwritten, k.seen = unwritten, map[mmapcas.Hash]struct{}{}
	}
}

// due reports whether a slice is to end with a check.
func (k *check) due() bool {
	if k.Fail == nil {
		return false
	}
	k.slices++
	return k.Every > 0 && k.slices%k.Every == 0
}

// A visit is how a walk came to a record.
type visit struct {
	from mmapcas.Hash // zero: a root
	why  string       // of a root
}

// checked checks what a phase, or a slice of one, has left. over says that the cycle has ended. The
// caller has the errand.
func (c *Collector) checked(place string, over bool) {
	k := &c.check
	if k.Fail == nil {
		return
	}
	if err := c.checkNeeded(over); err != nil {
		k.Fail(fmt.Errorf("gc: broken invariant: %s of cycle %d: %w", place, c.began, err))
	}
	if over {
		k.seen, k.unwritten = nil, nil
	}
}

// afterSlice is an errand that checks what a slice has left; nil if none is due.
func (c *Collector) afterSlice() *errand {
	if !c.check.due() {
		return nil
	}
	place := fmt.Sprintf("a slice of %v", Phase(c.phase.Load()))
	return newErrand(func() error {
		c.checked(place, false)
		return nil
	})
}

func (c *Collector) checkNeeded(over bool) error {
	k := &c.check
	full, bare := map[mmapcas.Hash]visit{}, map[mmapcas.Hash]visit{}
	root := func(to map[mmapcas.Hash]visit, names []mmapcas.Hash, why string) {
		for _, h := range names {
			to[h] = visit{why: why}
		}
	}
	roots := c.o.DB.Roots()
	root(full, roots.Live, "a tree of the database")
	root(full, c.o.Store.Pinned(), "a lease")
	root(full, k.unwritten, "a trace that is in memory only")
	root(bare, roots.Bare, "the roots and the log of the database")
	if k.more != nil {
		for h, why := range k.more() {
			full[h] = visit{why: why}
		}
	}

	var grey, bones map[mmapcas.Hash]visit
	if !over {
		var err error
		if grey, bones, err = c.reached(); err != nil {
			return err
		}
	}
	err := c.spread(full, c.o.Refs, func(h mmapcas.Hash) (bool, error) {
		if _, ok := grey[h]; ok {
			return false, nil // and so is all that it refers to
		}
		return c.mustBeBlack(h, over)
	})
	if err != nil {
		return err
	}
	return c.spread(bare, db.BareRefs, func(h mmapcas.Hash) (bool, error) {
		if _, ok := grey[h]; ok {
			return false, nil
		}
		if _, ok := bones[h]; ok {
			return false, nil
		}
		return c.mustBeBlack(h, over)
	})
}

// reached returns what is grey, queued, or reached from such records: in full, and bare.
func (c *Collector) reached() (grey, bones map[mmapcas.Hash]visit, err error) {
	grey, bones = map[mmapcas.Hash]visit{}, map[mmapcas.Hash]visit{}
	c.greyMu.Lock()
	shaded := slices.Clone(c.shaded)
	c.greyMu.Unlock()
	for _, names := range [][]mmapcas.Hash{c.grey, c.found, shaded, c.cycle.Waiting()} {
		for _, h := range names {
			grey[h] = visit{}
		}
	}
	all := func(mmapcas.Hash) (bool, error) { return true, nil }
	if err := c.spread(grey, c.o.Refs, all); err != nil {
		return nil, nil, err
	}
	for _, names := range [][]mmapcas.Hash{c.bare, c.bones} {
		for _, h := range names {
			bones[h] = visit{}
		}
	}
	return grey, bones, c.spread(bones, db.BareRefs, all)
}

// mustBeBlack is an error if a needed record is not. It reports whether the record is there.
func (c *Collector) mustBeBlack(h mmapcas.Hash, over bool) (there bool, err error) {
	colour := mmapcas.Absent
	if over {
		if c.o.Store.Has(h) {
			colour = mmapcas.Marked
		}
	} else if colour, err = c.cycle.Colour(h); errors.Is(err, mmapcas.ErrCorrupt) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	_, seen := c.check.seen[h]
	switch colour {
	case mmapcas.Marked, mmapcas.Young, mmapcas.Elder:
		c.check.seen[h] = struct{}{}
		return true, nil
	case mmapcas.White:
		return true, fmt.Errorf("it is white, and reached from nothing grey")
	case mmapcas.Condemned, mmapcas.Absent:
		if seen || c.check.strict {
			if c.o.Store.Damaged() == 0 {
				return false, fmt.Errorf("it is %v", colour)
			}
		}
	}
	return false, nil
}

// spread adds to a set what it refers to, and so on, and asks of each whether to go on from it. Of
// an error it tells the way there.
func (c *Collector) spread(set map[mmapcas.Hash]visit, refs func(mmapcas.Kind, []byte) []mmapcas.Hash,
	goOn func(mmapcas.Hash) (bool, error),
) error {
	stack := make([]mmapcas.Hash, 0, len(set))
	for h := range set {
		stack = append(stack, h)
	}
	for len(stack) > 0 {
		h := pop(&stack)
		more, err := goOn(h)
		if err != nil {
			return fmt.Errorf("%s is needed: %w", c.way(set, h), err)
		}
		if !more {
			continue
		}
		err = c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
			for _, ref := range refs(kind, payload) {
				if _, known := set[ref]; !known {
					set[ref] = visit{from: h}
					stack = append(stack, ref)
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, mmapcas.ErrNotFound) && !errors.Is(err, mmapcas.ErrCorrupt) {
			return err
		}
	}
	return nil
}

// way tells how a walk came to a record.
func (c *Collector) way(set map[mmapcas.Hash]visit, h mmapcas.Hash) string {
	var steps []string
	for {
		kind := "?"
		_ = c.o.Store.View(h, func(k mmapcas.Kind, _ []byte) error {
			kind = fmt.Sprint(k)
			return nil
		})
		steps = append(steps, fmt.Sprintf("%v (kind %s)", h, kind))
		v := set[h]
		if v.from.IsZero() {
			steps = append(steps, v.why)
			break
		}
		h = v.from
	}
	slices.Reverse(steps)
	return strings.Join(steps, " -> ")
}
