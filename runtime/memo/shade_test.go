package memo

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A listener stands where a collector would, and takes down what it is told.
type listener struct {
	*rig
	sessions int            // begun
	open     int            // of them, not ended
	told     []mmapcas.Hash // in the present or the last session
	loose    []mmapcas.Hash // outside of any
}

func listen(t *testing.T) *listener {
	l := &listener{}
	l.rig = newRig(t, 1, Options{
		Refs: refsOfTest,
		Session: func() func() {
			if l.open++; l.open == 1 {
				l.told = nil
			}
			l.sessions++
			return func() { l.open-- }
		},
		Shade: func(h mmapcas.Hash) {
			if l.open == 0 {
				l.loose = append(l.loose, h)
				return
			}
			l.told = append(l.told, h)
		},
	})
	return l
}

func (l *listener) flush() {
	l.t.Helper()
	if err := l.table.Flush(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}

// blobbed defines a query whose result refers to a record, which it puts.
func (l *listener) blobbed() (part db.PartID) {
	part = l.partition("files")
	p := &program{blob: true}
	l.query("blobbed", nil)
	l.queries["blobbed"].Eval = func(f *Frame, key string) (Result, error) {
		text, err := l.text(f, part, key)
		if err != nil {
			return Result{}, err
		}
		if l.open == 0 {
			l.t.Error("a query runs outside of any session: what it puts may be swept before it is referred to")
		}
		_, _, err = l.store.Put(kindBlob, blobOf(text))
		return p.result(text), err
	}
	return part
}

// What the result of a run refers to is told to the collector in the run's session, after the
// result was put: from then on a live record refers to it.
func TestReferencesOfAResultAreShaded(t *testing.T) {
	l := listen(t)
	p := l.blobbed()
	l.put(p, "k", "text")
	if err := l.ask("blobbed", "k").Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	ref := mmapcas.HashOf(kindBlob, blobOf("text"))
	if !slices.Contains(l.told, ref) || l.open != 0 {
		t.Errorf("a run put a result that refers to %v, and told the collector %v; %d sessions are open", ref, l.told, l.open)
	}
}

// A flush tells the collector, in one session, each result that its records refer to and the
// records themselves, before the commit that refers to them.
func TestFlushedTracesAreShaded(t *testing.T) {
	l := listen(t)
	p := l.blobbed()
	keys := []string{"a", "b", "c"}
	for _, k := range keys {
		l.put(p, k, k)
	}
	for round := range 2 {
		for _, k := range keys {
			if err := l.ask("blobbed", k).Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		begun := l.sessions
		l.flush()
		if l.sessions != begun+1 || l.open != 0 || len(l.loose) > 0 {
			t.Errorf("round %d: %d sessions for one flush, %d of them open, told outside %v", round, l.sessions-begun, l.open, l.loose)
		}
		for _, k := range keys {
			record, there, err := l.db.Latest(l.table.part, storeKey(l.queries["blobbed"], k))
			if err != nil || !there {
				t.Fatal(there, err)
			}
			want := []mmapcas.Hash{record}
			if err := l.store.View(record, func(kind mmapcas.Kind, p []byte) error {
				want = append(want, Refs(kind, p)...)
				return nil
			}); err != nil || len(want) != 2 {
				t.Fatal(want, err)
			}
			for _, h := range want {
				if !slices.Contains(l.told, h) {
					t.Errorf("round %d: the traces of %s were flushed as %v with result %v, and the collector was told %v",
						round, k, record, want[1], l.told)
				}
			}
		}
		for _, k := range keys {
			l.put(p, k, k+"2")
		}
	}
}

// An answer from a trace that was not the newest makes it so: its result, and what that refers to,
// are put again in a session, since a collection that goes on may be about to take them.
func TestUndoPutsItsResultAgain(t *testing.T) {
	l := listen(t)
	p := l.blobbed()
	for _, text := range []string{"one", "two"} {
		l.put(p, "k", text)
		if err := l.ask("blobbed", "k").Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	l.put(p, "k", "one")
	begun, puts := l.sessions, l.store.Stats().Puts
	if err := l.ask("blobbed", "k").Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := l.store.Stats().Puts - puts; n != 2 || l.sessions != begun+1 {
		t.Errorf("%d records were put again in %d sessions, want the result and its reference in one", n, l.sessions-begun)
	}
	if ran := l.counted("blobbed"); !strings.HasPrefix(ran, "2/") {
		t.Errorf("ran/validated/reused %s, want two runs", ran)
	}
}

// The result of a trace that was set aside is reached from no root: each flush, the collector's own
// among them, tells it again, until the trace is stored or forgotten.
func TestResultSetAsideIsShadedByEachFlush(t *testing.T) {
	l := listen(t)
	l.blobbed()
	long := strings.Repeat("k", db.MaxKeyBytes)
	l.hoard("blobbed", long)
	result := mmapcas.HashOf(kindTest, []byte("hoarded"))
	l.flush()
	for range 2 {
		l.told, l.loose = nil, nil
		l.flush()
		if !slices.Contains(append(l.told, l.loose...), result) {
			t.Errorf("a flush did not tell the collector of the result %v that only memory holds", result)
		}
	}
	if !l.table.evict(l.table.entry(l.queries["blobbed"], long)) {
		t.Error("a key that was set aside is never forgotten")
	}
	l.loose = nil
	if l.flush(); len(l.loose) > 0 || len(l.table.asides.entries) > 0 {
		t.Errorf("a forgotten key is still told of: %v", l.loose)
	}
}
