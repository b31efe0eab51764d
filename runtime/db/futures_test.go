package db

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

func TestFuturesAreRemembered(t *testing.T) {
	var f futures
	if f.has(1) || f.among(0, 9) != 0 {
		t.Fatal("something is lost of nothing")
	}
	f = f.with(numberRange{3, 5}, numberRange{9, 9}, numberRange{7, 8})
	for seq, want := range []bool{false, false, false, false, true, true, false, false, true, false} {
		if f.has(uint64(seq)) != want {
			t.Errorf("%v has %d: %v", f, seq, !want)
		}
	}
	if n := f.among(4, 8); n != 2 {
		t.Errorf("%d numbers of %v after 4, up to 8", n, f)
	}
	if f = f.with(numberRange{4, 7}); !slices.Equal(f, futures{{3, 8}}) {
		t.Errorf("joined: %v", f)
	}
	for i := range uint64(2 * futuresMax) {
		f = f.with(numberRange{20 + 10*i, 25 + 10*i})
	}
	newest := uint64(20 + 10*(2*futuresMax-1))
	if len(f) != futuresMax || !f.has(5) || !f.has(19) || f.has(3) || !f.has(newest+1) || f.has(newest) {
		t.Errorf("many: %v", f)
	}
}

// join adds the records of another store that are not there.
func (s *fakeStore) join(o *fakeStore) {
	for _, h := range o.order {
		if _, ok := s.recs[h]; !ok {
			s.recs[h] = o.recs[h]
			s.order = append(s.order, h)
		}
	}
}

// A lostFuture is a database of which a future was lost, and that went on from there.
type lostFuture struct {
	*bench
	old    *fakeStore // with the future
	turned Hash       // the chunk with which the recovery ended
}

// loseFuture commits A, then B and C, which are lost, and goes on with D.
func loseFuture(t *testing.T) *lostFuture {
	b := newBench(t, Options{Durable: true})
	b.commit(b.put("k", "A"))
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("k", "B"))
	b.commit(b.put("k", "C"))
	old := b.st.crash()
	cut := old.crash()
	chunks := cut.only(KindChunk)
	for _, h := range chunks[len(chunks)-2:] {
		cut.damage(h, true)
	}
	again := reopenBench(t, cut, Options{Durable: true})
	again.want(again.p, "k=A")
	if n := again.Stats().LostChunks; n != 2 {
		t.Fatalf("%d chunks are said to be lost, want 2", n)
	}
	left := &lostFuture{again, old, again.last}
	for _, v := range []string{"D", "E"} { // so that both roots are of the new future
		again.commit(again.put("k", v))
		if err := again.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// back returns what a process finds after a kill if the lost future is readable again, and
// everything may lie in the crash tail, as after a repair.
func (l *lostFuture) back() *fakeStore {
	st := l.st.crash()
	st.join(l.old)
	st.floor = 0
	return st
}

// dropRoots removes the roots behind a chunk's number.
func dropRoots(t *testing.T, st *fakeStore, seq uint64) (n int) {
	for _, h := range st.only(KindRoot) {
		r, err := decodeRoot(st.record(h).payload)
		if err != nil {
			t.Fatal(err)
		}
		if r.seq > seq {
			st.damage(h, true)
			n++
		}
	}
	return n
}

// What a recovery has given up stays given up, also when it can be read again, and what came
// instead of it, or part of that, cannot.
func TestLostFutureDoesNotComeBack(t *testing.T) {
	l := loseFuture(t)
	fork, _ := decodeNote(l.old.note)
	for _, turn := range []bool{false, true} {
		t.Run(fmt.Sprint("turn damaged=", turn), func(t *testing.T) {
			st := l.back()
			if dropRoots(t, st, fork.seq) < 2 {
				t.Fatal("no roots to drop")
			}
			want, lost := "k=E", uint64(0)
			if turn {
				st.damage(l.turned, true)
				want, lost = "k=A", 3 // the chunk of the recovery, D and E
			}
			again := reopenBench(t, st, Options{})
			again.want(again.p, want)
			if n := again.Stats().LostChunks; n != lost {
				t.Errorf("%d chunks are said to be lost, want %d", n, lost)
			}
			third := reopenBench(t, again.st.crash(), Options{})
			third.want(third.p, want)
		})
	}
}

// A root of a lost future is none to go on from.
func TestRootOfALostFutureDoesNotComeBack(t *testing.T) {
	b := newBench(t, Options{Durable: true})
	b.commit(b.put("k", "A"))
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	fork := b.note
	b.commit(b.put("k", "B"))
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := b.st.crash()
	cut := old.crash()
	cut.damage(b.note.root, true)
	cut.damage(b.last, true)
	again := reopenBench(t, cut, Options{Durable: true})
	again.want(again.p, "k=A")
	l := &lostFuture{again, old, again.last}
	for _, v := range []string{"D", "E"} {
		again.commit(again.put("k", v))
		if err := again.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	st := l.back()
	for _, h := range st.only(KindRoot) {
		if h != b.note.root && h != fork.root {
			st.damage(h, true)
		}
	}
	st.damage(l.turned, true)
	third := reopenBench(t, st, Options{})
	third.want(third.p, "k=A")
}

// If the note is gone with what it says of lost futures, the roots say it.
func TestRootsRememberLostFutures(t *testing.T) {
	l := loseFuture(t)
	fork, _ := decodeNote(l.old.note)
	st := l.back()
	st.note = nil
	st.damage(l.turned, true)
	again := reopenBench(t, st, Options{})
	again.want(again.p, "k=E")
	st = again.st.crash()
	dropRoots(t, st, fork.seq)
	st.floor = 0
	third := reopenBench(t, st, Options{})
	third.want(third.p, "k=A")
}

// A note that is older than the lost future, since the newer ones are damaged, does not lead there
// as long as there is a newer root, all of which can be read.
func TestNewerRootThanTheNoteCounts(t *testing.T) {
	l := loseFuture(t)
	for _, whole := range []bool{true, false} {
		t.Run(fmt.Sprint("whole=", whole), func(t *testing.T) {
			st := l.back()
			st.note = l.old.note
			st.damage(l.turned, true)
			want := "k=E"
			if !whole { // neither of its value nor of the one before
				for _, v := range []string{"D", "E"} {
					st.damage(mmapcas.HashOf(32, []byte(v)), true)
				}
				want = "k=A"
			}
			again := reopenBench(t, st, Options{})
			again.want(again.p, want)
		})
	}
}

// A chunk that is damaged does not cost those before it, to which nothing else leads: it is what
// was committed last, and they are whole.
func TestChunksBeforeADamagedOneAreFound(t *testing.T) {
	b := newBench(t, Options{Durable: true})
	for _, k := range []string{"a", "b", "c", "d"} {
		b.commit(b.put(k, k))
	}
	for lost := range uint64(3) {
		cut := b.st.crash()
		chunks := cut.only(KindChunk)
		for i := range lost {
			cut.damage(chunks[len(chunks)-1-int(i)], true)
		}
		again := reopenBench(t, cut, Options{})
		again.want(again.p, "a=a b=b c=c d=d"[:15-4*lost])
		if n := again.Stats().LostChunks; n != lost {
			t.Errorf("%d chunks are said to be lost, want %d", n, lost)
		}
	}
}

// Where a log goes on in two ways, and the root behind that is damaged, it goes on as a recovery
// did, and of two recoveries as the one that the note knows, however far the other way leads.
func TestLogGoesOnAsARecoveryDid(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("k", "A"))
	left := b.st.crash()
	b.commit(b.put("k", "B"))
	torn := b.st.crash()
	torn.damage(mmapcas.HashOf(32, []byte("B")), true)
	b.commit(b.put("k", "C"))

	now := reopenBench(t, left.crash(), Options{})
	now.want(now.p, "k=A")
	for name, other := range map[string]*bench{
		"no recovery": b, "a recovery": reopenBench(t, torn, Options{}),
	} {
		t.Run(name, func(t *testing.T) {
			other.commit(other.put("k", "F"))
			st := now.st.crash()
			st.join(other.st)
			for _, h := range []Hash{now.note.root, other.note.root} {
				if h != now.note.before {
					st.damage(h, true)
				}
			}
			again := reopenBench(t, st, Options{})
			again.want(again.p, "k=A")
		})
	}
}

// The same where the note's chunks cannot be read either.
func TestLogGoesOnAsARecoveryDidWithoutTheNote(t *testing.T) {
	b := newBench(t, Options{})
	first := b.note.root
	b.commit(b.put("k", "A"))
	now := reopenBench(t, b.st.crash(), Options{})
	now.commit(now.put("k", "B"))
	if err := now.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("k", "C"))
	b.commit(b.put("k", "D"))
	st := now.st.crash()
	st.join(b.st)
	st.floor = 0
	for _, h := range append(st.only(KindRoot), now.last) {
		if h != first {
			st.damage(h, true)
		}
	}
	again := reopenBench(t, st, Options{})
	again.want(again.p, "k=A")
}
