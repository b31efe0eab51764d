package memo

import (
	"fmt"
	"testing"
	"time"
)

// A hand is a clock that moves when it is told to, and in each look at it that many nanoseconds.
type hand struct {
	at   time.Time
	step time.Duration
}

func (h *hand) now() time.Time {
	h.at = h.at.Add(h.step)
	return h.at
}

// A measuredRig has a query that others read, in which computing and loading take what the clock
// says.
type measuredRig struct {
	*rig
	clock     hand
	own, load time.Duration
	ran       map[string]int
	keys      int
}

func newMeasuredRig(t *testing.T) *measuredRig {
	m := &measuredRig{own: time.Microsecond, load: 10 * time.Microsecond, ran: map[string]int{}}
	m.rig = newRig(t, 1, m.options())
	m.keepsTiny = true
	m.newTable(m.options())
	p := m.partition("p")
	m.query("leaf", func(f *Frame, key string) (string, error) {
		m.ran["leaf"]++
		m.clock.at = m.clock.at.Add(m.own)
		return m.text(f, p, key)
	})
	m.query("above", func(f *Frame, key string) (string, error) {
		m.ran["above"]++
		m.clock.at = m.clock.at.Add(m.own)
		return m.get(f, "leaf", key)
	})
	return m
}

func (m *measuredRig) options() Options { return Options{Now: m.clock.now, MeasuredFrom: 16} }

func (m *measuredRig) key() string { return fmt.Sprint("k", m.keys) }

// flushed is stored, in which loading takes what it takes.
func (m *measuredRig) flushed() uint64 {
	m.clock.step = m.load
	defer func() { m.clock.step = 0 }()
	return m.stored()
}

// unstored asks for new keys, and returns of how many the answers of each query stay in memory.
func (m *measuredRig) unstored(times int, text string) (leaf, above int) {
	m.t.Helper()
	var (
		count  = func(query string) int { return int(m.queries[query].Counts.Unstored.Load()) }
		before = m.flushed()
		l, a   = count("leaf"), count("above")
	)
	for range times {
		m.keys++
		m.put(m.partition("p"), m.key(), text)
		m.want("above", m.key(), text)
		m.flushed()
	}
	leaf, above = count("leaf")-l, count("above")-a
	if got := int(m.flushed() - before); got != 2*times-leaf-above {
		m.t.Errorf("%d keys came to the store, want %d less %d and %d", got, 2*times, leaf, above)
	}
	return leaf, above
}

const smallText = "a small text"

// Small answers of a query of which nothing is said are not stored once computing them is measured
// to be much quicker than loading them, and one slow run does not change that.
func TestAnswersMeasuredToBeCheapAreNotStored(t *testing.T) {
	m := newMeasuredRig(t)
	step := func(what string, times int, text string, wantLeaf int) {
		t.Helper()
		leaf, above := m.unstored(times, text)
		if leaf != wantLeaf || above != 0 {
			t.Errorf("%s: %d of %d and %d are not stored, want %d and 0; %+v, %+v", what, leaf, times, above,
				wantLeaf, m.queries["leaf"].Costs(), m.queries["above"].Costs())
		}
	}
	step("too few to tell", 15, smallText, 0)
	m.unstored(100, smallText)
	step("quicker to compute", 10, smallText, 10)
	step("large", 10, "a text for which a trace is no place, as it is too large for that", 0)
	m.queries["leaf"].ran(ranFor{own: time.Second, known: true}, 16)
	step("after one slow run", 10, smallText, 10)
	m.own = time.Millisecond
	m.unstored(500, smallText)
	step("slower to compute", 10, smallText, 0)
}

// What rests on answers that were measured to be cheap holds after a restart, and is verified by
// computing them when they may have changed.
func TestWhatRestsOnUnstoredAnswers(t *testing.T) {
	m := newMeasuredRig(t)
	m.unstored(200, smallText)
	if leaf, _ := m.unstored(1, smallText); leaf != 1 {
		t.Fatalf("the answer is stored: %+v", m.queries["leaf"].Costs())
	}
	for _, step := range []struct {
		what        string
		text        string
		leaf, above int
	}{
		{"nothing changed", "", 0, 0},
		{"another result", "another text", 1, 1},
		{"undone", smallText, 0, 0}, // a process that has not measured stores what it computes
	} {
		m.newTable(m.options())
		clear(m.ran)
		want := smallText
		if step.text != "" {
			want = step.text
			m.put(m.partition("p"), m.key(), want)
		}
		if m.want("above", m.key(), want); m.ran["leaf"] != step.leaf || m.ran["above"] != step.above {
			t.Errorf("%s: %v ran, want %d and %d", step.what, m.ran, step.leaf, step.above)
		}
		m.want("leaf", m.key(), want)
		m.flushed()
	}
}

// A query whose own work is little is stored if what it reads takes longer to bring back.
func TestWhatIsReadCounts(t *testing.T) {
	r := newRig(t, 1, Options{})
	r.copies("copy")
	q := r.queries["copy"]
	for _, step := range []struct {
		what  string
		below time.Duration
		known bool
		cheap bool
	}{
		{"it is not known what it reads takes", 0, false, false},
		{"that takes little", time.Microsecond, true, true},
		{"and more", 3 * time.Microsecond, true, true},
		{"as much as loading", 9 * time.Microsecond, true, false},
		{"and less", 3 * time.Microsecond, true, false},
		{"and little", time.Microsecond, true, true},
	} {
		for range 200 {
			q.Counts.Ran.Add(1)
			q.ran(ranFor{own: time.Microsecond, below: step.below, known: step.known}, 1)
			q.loaded(10*time.Microsecond, 1)
		}
		if of := q.Costs(); of.Cheap != step.cheap {
			t.Errorf("%s: cheap is %v, want %v: %+v", step.what, of.Cheap, step.cheap, of)
		}
	}
}
