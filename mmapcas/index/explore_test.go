package index

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The model below is the protocol of the package comment as small steps over one plain state: one
// shard of two tables, names in it, and threads that put, change, drop, grow and look up. The
// search visits every interleaving. Each broken variant must be found: that shows that the search
// can see the mistake the real order prevents.

const (
	modelSlots  = 4 // of each of the two tables
	modelBucket = 2 // slots of a bucket, whose words a lookup loads before it acts on one
	modelNames  = 2 // 0 is put, changed and dropped; 1 was there before
	modelTasks  = 4
)

// Words of a slot; from wordEntry on they are addresses of records.
const (
	wordEmpty uint8 = iota
	wordDead
	wordFrozen
	wordEntry
)

// An address of the model is a record of a name.
func nameAt(word uint8) uint8 { return (word - wordEntry) % modelNames }

func entryOf(name, copyNumber uint8) uint8 { return wordEntry + name + copyNumber*modelNames }

// A modelState is everything, program counters included.
type modelState struct {
	tables  [2][modelSlots]uint8
	freed   [2]bool
	current uint8 // the published table
	holder  uint8 // thread that holds the shard's mutex, plus one

	// What the index should say of name 0: its address, 0 for none; and for each thread the answers
	// that were right at some moment since its call began, as bits.
	truth uint8
	right [modelTasks]uint16

	pc    [modelTasks]uint8
	table [modelTasks]uint8 // the table that a thread has loaded
	at    [modelTasks]uint8 // its slot
	word  [modelTasks]uint8 // what it has loaded from there
	hint  [modelTasks]uint8 // slots of the bucket that may be it, as bits
	bad   string
}

// A task is what a thread of the model does.
type task struct {
	does func(m *model, s *modelState, th int) bool
	name uint8
	copy uint8 // which record of the name is put, or changed to
	from uint8 // the record whose entry is changed or dropped
}

// A model is tasks from a starting point, and at most one mistake.
type model struct {
	init  modelState
	tasks []task

	reuseDead     bool // S0: an insert takes a dead slot
	dropEmpties   bool // S0: a drop makes the slot empty
	loserGoesOn   bool // S1: the loser of a compare-and-swap does not look at the slot again
	frozenIsEmpty bool // an insert takes a frozen slot
	copyFirst     bool // the grower copies the entries before it freezes the table
	publishFirst  bool // the new table is published before the entries are in it
	freeAtOnce    bool // the old table is freed while readers may be in it
	unlocked      bool // a change does not take the mutex
	stopsAtDead   bool // a lookup ends at a dead slot
}

// answer notes that a thread was told something about name 0.
func (s *modelState) answer(th int, word uint8) {
	if s.right[th]&(1<<word) == 0 {
		s.bad = fmt.Sprintf("thread %d is told %d, which was not so while it asked", th, word)
	}
}

// becomes is the moment at which name 0 gets another address, or none.
func (s *modelState) becomes(word uint8) {
	s.truth = word
	for th := range s.right {
		s.right[th] |= 1 << word
	}
}

func (s *modelState) load(th int) uint8 {
	t := s.table[th]
	if s.freed[t] {
		s.bad = fmt.Sprintf("thread %d reads a table that was freed", th)
	}
	return s.tables[t][s.at[th]]
}

// begin is the first step of a call: it loads the published table.
func (s *modelState) begin(th int) {
	s.right[th] = 1 << s.truth
	s.table[th], s.at[th] = s.current, 0
}

const ended = 255

// put is Insert of a record.
func put(m *model, s *modelState, th int) bool {
	t := m.tasks[th]
	mine := entryOf(t.name, t.copy)
	switch s.pc[th] {
	case 0:
		s.begin(th)
		s.pc[th] = 1
	case 1: // a slot
		w := s.load(th)
		s.word[th] = w
		switch {
		case w == wordEmpty, m.reuseDead && w == wordDead, m.frozenIsEmpty && w == wordFrozen:
			s.pc[th] = 2
		case w == wordFrozen:
			s.pc[th] = 3
		case w >= wordEntry && nameAt(w) == t.name:
			if t.name == 0 {
				s.answer(th, w)
			}
			s.pc[th] = ended
		default:
			if s.at[th]++; s.at[th] == modelSlots {
				s.pc[th] = 3
			}
		}
	case 2: // the compare-and-swap
		slot := &s.tables[s.table[th]][s.at[th]]
		if *slot != s.word[th] {
			s.pc[th] = 1
			if m.loserGoesOn {
				if s.at[th]++; s.at[th] == modelSlots {
					s.pc[th] = 3
				}
			}
			break
		}
		*slot = mine
		if t.name == 0 {
			if s.truth != 0 {
				s.bad = fmt.Sprintf("thread %d enters a second entry", th)
			}
			s.becomes(mine)
		}
		s.pc[th] = ended
	case 3: // full or frozen: the mutex says when there is another table
		if s.holder != 0 {
			return false
		}
		if s.current == s.table[th] {
			return false // the grower of this model comes, or there is room for all
		}
		// The same call goes on: what was right since it began still counts.
		s.table[th], s.at[th], s.pc[th] = s.current, 0, 1
	default:
		return false
	}
	return true
}

// change is Change of name 0 to another record, and drop to none.
func change(m *model, s *modelState, th int) bool { return m.changes(s, th, false) }
func drop(m *model, s *modelState, th int) bool   { return m.changes(s, th, true) }

func (m *model) changes(s *modelState, th int, drops bool) bool {
	t := m.tasks[th]
	old, with := entryOf(t.name, t.from), entryOf(t.name, t.copy)
	if drops {
		with = wordDead
		if m.dropEmpties {
			with = wordEmpty
		}
	}
	switch s.pc[th] {
	case 0:
		if !m.unlocked {
			if s.holder != 0 {
				return false
			}
			s.holder = uint8(th + 1)
		}
		s.begin(th)
		s.pc[th] = 1
	case 1:
		w := s.load(th)
		switch {
		case w == old:
			s.pc[th] = 2
		case w == wordEmpty, w == wordFrozen:
			s.pc[th] = 3
		default:
			if s.at[th]++; s.at[th] == modelSlots {
				s.pc[th] = 3
			}
		}
	case 2:
		s.tables[s.table[th]][s.at[th]] = with
		if t.name == 0 {
			if s.truth != old {
				s.bad = "a change of what is not there"
			}
			if drops {
				with = 0
			}
			s.becomes(with)
		}
		s.pc[th] = 3
	case 3:
		if s.holder == uint8(th+1) {
			s.holder = 0
		}
		s.pc[th] = ended
	default:
		return false
	}
	return true
}

// grow freezes the first table, copies its entries to the second, publishes that, and frees the
// first when no reader is left in it.
func grow(m *model, s *modelState, th int) bool {
	freeze, copying, publish := uint8(1), uint8(2), uint8(3)
	switch {
	case m.copyFirst:
		freeze, copying = 2, 1
	case m.publishFirst:
		copying, publish = 3, 2
	}
	last := func() bool {
		s.at[th]++
		if s.at[th] < modelSlots {
			return false
		}
		s.at[th] = 0
		return true
	}
	switch s.pc[th] {
	case 0:
		if s.holder != 0 {
			return false
		}
		s.holder, s.pc[th] = uint8(th+1), 1
	case freeze:
		if w := &s.tables[0][s.at[th]]; *w == wordEmpty {
			*w = wordFrozen
		}
		if last() {
			s.pc[th]++
		}
	case copying:
		if w := s.tables[0][s.at[th]]; w >= wordEntry {
			for i := range s.tables[1] {
				if to := &s.tables[1][i]; *to == wordEmpty {
					*to = w
					break
				}
			}
		}
		if last() {
			s.pc[th]++
		}
	case publish:
		s.current = 1
		s.pc[th]++
	case 4:
		s.holder = 0
		s.pc[th] = 5
	case 5: // what the epochs do
		for other := range m.tasks {
			inside := s.pc[other] != 0 && s.pc[other] != ended && s.table[other] == 0
			if other != th && inside && !m.freeAtOnce {
				return false
			}
		}
		s.freed[0] = true
		s.pc[th] = ended
	default:
		return false
	}
	return true
}

// find is a lookup: the words of a bucket make a hint, the hinted slots are loaded again, and the
// last slot of the bucket says whether the probe ends.
func find(m *model, s *modelState, th int) bool {
	name := m.tasks[th].name
	is := func(w uint8) bool { return w >= wordEntry && nameAt(w) == name }
	found := func(w uint8) {
		if name == 0 {
			s.answer(th, w)
		} else if w == 0 {
			s.bad = "an entry that was there all the time is not found"
		}
		s.pc[th] = ended
	}
	bucket := s.at[th] / modelBucket * modelBucket
	switch s.pc[th] {
	case 0:
		s.begin(th)
		s.pc[th], s.hint[th] = 1, 0
	case 1: // the words of a bucket, one after the other
		w := s.load(th)
		if m.stopsAtDead && w == wordDead {
			found(0)
			break
		}
		if is(w) {
			s.hint[th] |= 1 << (s.at[th] - bucket)
		}
		if s.at[th]++; s.at[th]%modelBucket == 0 {
			s.at[th] = bucket
			s.pc[th] = 2
		}
	case 2: // a hinted slot once more
		i := uint8(0)
		for i < modelBucket && s.hint[th]&(1<<i) == 0 {
			i++
		}
		if i == modelBucket {
			s.pc[th] = 3
			break
		}
		s.hint[th] &^= 1 << i
		s.at[th] = bucket + i
		w := s.load(th)
		s.at[th] = bucket
		if is(w) {
			found(w)
		}
	case 3: // the end of the bucket
		s.at[th] = bucket + modelBucket - 1
		w := s.load(th)
		s.pc[th] = 1
		if s.at[th]++; w == wordEmpty || w == wordFrozen || s.at[th] == modelSlots {
			found(0)
		}
	default:
		return false
	}
	return true
}

func (m *model) check(s modelState) error {
	if s.bad != "" {
		return errors.New(s.bad)
	}
	return nil
}

// settled must hold where no thread can move: all have ended, and the published table holds what it
// should.
func (m *model) settled(s modelState) error {
	for th := range m.tasks {
		if s.pc[th] != ended {
			return fmt.Errorf("thread %d never ends", th)
		}
	}
	entries := 0
	for _, w := range s.tables[s.current] {
		if w >= wordEntry && nameAt(w) == 0 {
			entries++
			if w != s.truth {
				return fmt.Errorf("the entry leads to %d, not to %d", w, s.truth)
			}
		}
	}
	if want := min(s.truth, 1); entries != int(want) {
		return fmt.Errorf("%d entries of the name, want %d (S1)", entries, want)
	}
	return nil
}

const statesMax = 5_000_000

// explore visits every reachable state, and returns how many there are and the first broken
// condition with the way to it.
func (m *model) explore() (int, error) {
	from := map[modelState]modelState{m.init: m.init}
	todo := []modelState{m.init}
	fail := func(s modelState, err error) (int, error) {
		var way []string
		for ; from[s] != s; s = from[s] {
			way = append([]string{fmt.Sprintf("%+v", s)}, way...)
		}
		return len(from), fmt.Errorf("%w, by way of\n%s", err, strings.Join(way, "\n"))
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if err := m.check(s); err != nil {
			return fail(s, err)
		}
		stuck := true
		for th, t := range m.tasks {
			next := s
			if !t.does(m, &next, th) {
				continue
			}
			stuck = false
			if _, seen := from[next]; !seen {
				from[next] = s
				todo = append(todo, next)
			}
		}
		if stuck {
			if err := m.settled(s); err != nil {
				return fail(s, err)
			}
		}
		if len(from) > statesMax {
			return len(from), fmt.Errorf("more than %d states", statesMax)
		}
	}
	return len(from), nil
}

// slots is a first table; name 0 is where its word says, if it is there.
func slots(words ...uint8) (s modelState) {
	copy(s.tables[0][:], words)
	for _, w := range words {
		if w >= wordEntry && nameAt(w) == 0 {
			s.truth = w
		}
	}
	return s
}

func TestExplore(t *testing.T) {
	if raceEnabled {
		t.Skip("a search in one thread, which the race detector makes slow and can say nothing about")
	}
	other, mine := entryOf(1, 0), entryOf(0, 0)
	scenes := map[string]model{
		"two put": {
			init:  slots(wordDead, other),
			tasks: []task{{does: put, copy: 1}, {does: put, copy: 2}, {does: find}, {does: find, name: 1}},
		},
		"two put while the table grows": {
			init:  slots(wordDead, other),
			tasks: []task{{does: put, copy: 1}, {does: put, copy: 2}, {does: grow}, {does: find}},
		},
		"change while the table grows": {
			init:  slots(other, mine),
			tasks: []task{{does: change, copy: 1}, {does: put, copy: 2}, {does: grow}, {does: find}},
		},
		"drop while it is put again": {
			init:  slots(wordDead, mine),
			tasks: []task{{does: drop}, {does: put, copy: 1}, {does: put, copy: 2}, {does: find}},
		},
		"drop while it is put again and the table grows": {
			init:  slots(mine, other),
			tasks: []task{{does: drop}, {does: put, copy: 1}, {does: grow}, {does: find}},
		},
		"drop before another": {
			init:  slots(wordDead, mine, other),
			tasks: []task{{does: drop}, {does: put, copy: 1}, {does: find}, {does: find, name: 1}},
		},
		"look up two while the table grows": {
			init:  slots(wordDead, mine, other),
			tasks: []task{{does: find}, {does: find, name: 1}, {does: grow}, {does: change, copy: 1}},
		},
		"two in the second bucket": {
			init:  slots(wordDead, wordDead, wordEmpty, wordEmpty),
			tasks: []task{{does: put, copy: 1}, {does: put, copy: 2}, {does: find}, {does: find}},
		},
	}
	for name, m := range scenes {
		t.Run(name, func(t *testing.T) {
			n, err := m.explore()
			t.Logf("%d states", n)
			if err != nil {
				t.Error(err)
			}
		})
	}
	mistakes := map[string]func(*model){
		"S0: a put takes a dead slot":                       func(m *model) { m.reuseDead = true },
		"S0: a drop makes the slot empty":                   func(m *model) { m.dropEmpties = true },
		"S1: the loser does not look again":                 func(m *model) { m.loserGoesOn = true },
		"a put takes a frozen slot":                         func(m *model) { m.frozenIsEmpty = true },
		"the grower copies before it freezes":               func(m *model) { m.copyFirst = true },
		"the grower publishes before it copies":             func(m *model) { m.publishFirst = true },
		"the old table is freed while readers may be in it": func(m *model) { m.freeAtOnce = true },
		"a change takes no mutex":                           func(m *model) { m.unlocked = true },
		"a lookup ends at a dead slot":                      func(m *model) { m.stopsAtDead = true },
	}
	for name, plant := range mistakes {
		t.Run(name, func(t *testing.T) {
			for scene, m := range scenes {
				plant(&m)
				if _, err := m.explore(); err != nil {
					first, _, _ := strings.Cut(err.Error(), "\n")
					t.Logf("found in %q: %s", scene, first)
					return
				}
			}
			t.Error("no scene finds it")
		})
	}
}
