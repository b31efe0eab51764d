package db

import (
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// namingKind is the kind of values that refer to one record, by its name.
const namingKind mmapcas.Kind = 33

// namingRefs is Options.Refs of values of namingKind.
func namingRefs(kind mmapcas.Kind, payload []byte) []Hash {
	if kind != namingKind {
		return nil
	}
	return []Hash{Hash(payload)}
}

// naming puts a record and a value that refers to it, and returns the names of both.
func (b *bench) naming(content string) (value, of Hash) {
	b.t.Helper()
	of, _, err := b.st.Put(32, []byte(content))
	if err == nil {
		value, _, err = b.st.Put(namingKind, of[:])
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return value, of
}

func (b *bench) latest(part PartID, key string) Hash {
	b.t.Helper()
	h, _, err := b.Latest(part, key)
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// R1: a commit of which a power cut has taken what its value refers to is not replayed, nor are
// those behind it.
func TestCommitWithoutWhatItsValueRefersToEndsTheLog(t *testing.T) {
	o := Options{Refs: namingRefs}
	b := newBench(t, o)
	first, _ := b.naming("first")
	second, lost := b.naming("second")
	over, _, err := b.st.Put(namingKind, second[:]) // two steps away from what is lost
	if err != nil {
		t.Fatal(err)
	}
	b.commit(Op{b.p, "k", Put, first})
	b.commit(Op{b.p, "k", Put, over})
	b.commit(b.put("z", "later"))

	whole := reopenBench(t, b.st.crash(), o)
	if h := whole.latest(whole.p, "k"); h != over {
		t.Errorf("after a kill k is %v, want %v", h, over)
	}
	cut := b.st.crash()
	cut.damage(lost, true)
	again := reopenBench(t, cut, o)
	if h := again.latest(again.p, "k"); h != first {
		t.Errorf("k is %v, want what it was before the commit that is not whole, %v", h, first)
	}
	if h := again.latest(again.p, "z"); !h.IsZero() {
		t.Error("a commit behind the one that is not whole was replayed")
	}
	if n := again.Stats().LostChunks; n != 2 {
		t.Errorf("%d chunks are said to be lost, want 2", n)
	}
}

// R1 claims nothing of what a Commit of the store has covered: there it is damage, which is met by
// those who come to it.
func TestDamageBelowACoveredValueCostsNoCommit(t *testing.T) {
	o := Options{Refs: namingRefs, Durable: true}
	b := newBench(t, o)
	value, lost := b.naming("text")
	b.commit(Op{b.p, "k", Put, value})
	b.commit(b.put("z", "later"))
	cut := b.st.crash()
	cut.damage(lost, true)
	again := reopenBench(t, cut, o)
	if h := again.latest(again.p, "k"); h != value {
		t.Errorf("k is %v, want %v", h, value)
	}
	if h := again.latest(again.p, "z"); h.IsZero() {
		t.Error("a commit that was durable is lost")
	}
}

// R2: a key of a side partition whose value is not whole is absent, and nothing else is lost.
func TestSideValueThatIsNotWholeIsAbsent(t *testing.T) {
	for _, itself := range []bool{false, true} {
		o := Options{Refs: namingRefs}
		b := newBench(t, o)
		value, lost := b.naming("answer")
		if itself {
			lost = value
		}
		b.commit(Op{b.s, "k", Put, value}, Op{b.s, "same", Put, value}, b.put("a", "A"))
		b.commit(b.put("z", "later"))
		cut := b.st.crash()
		cut.damage(lost, true)
		for range 2 { // the second opening finds what the first has left
			again := reopenBench(t, cut, o)
			again.want(again.p, "a=A z=later")
			for _, key := range []string{"k", "same"} {
				if h := again.latest(again.s, key); !h.IsZero() {
					t.Errorf("itself %v: %s is %v, which is not whole", itself, key, h)
				}
			}
			if n := again.Stats().LostChunks; n != 0 {
				t.Errorf("itself %v: %d chunks are said to be lost", itself, n)
			}
			cut = again.st.crash()
		}
	}
}

// A root in the crash tail counts only if all values in its trees are whole.
func TestRootOfTheTailNeedsWholeValues(t *testing.T) {
	o := Options{Refs: namingRefs}
	b := newBench(t, o)
	first, _ := b.naming("first")
	b.commit(Op{b.p, "k", Put, first})
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	covered, floor := b.st.note, b.st.floor
	second, lost := b.naming("second")
	b.commit(Op{b.p, "k", Put, second})
	chunks := b.st.only(KindChunk)
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []Hash{lost, {}} {
		cut := b.st.crash() // the power went before the second checkpoint had its note
		cut.note, cut.floor = covered, floor
		cut.damage(chunks[len(chunks)-1], true)
		want := second
		if !gone.IsZero() {
			cut.damage(gone, true)
			want = first
		}
		again := reopenBench(t, cut, o)
		if h := again.latest(again.p, "k"); h != want {
			t.Errorf("k is %v, want %v", h, want)
		}
	}
}
