package db

import (
	"context"
	"fmt"
	"testing"
)

// taken empties a journal, and shows it: each generation, the newest told, the one up to which
// something is missing.
func taken(j *Journal) string {
	noted, newest, missing := j.Take()
	out := ""
	for _, n := range noted {
		out += "[" + show(Result{Gen: n.Gen, Changes: n.Changes}) + "] "
	}
	return out + fmt.Sprintf("newest %d missing %d", newest, missing)
}

func TestJournal(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"))
	j, from := b.NewJournal(3)
	expect(t, fmt.Sprint(from), "1")
	expect(t, taken(j), "newest 1 missing 0")
	b.commit(b.put("b", "1"), b.put("c", "1"))
	b.commit(Op{b.s, "x", Put, value(t, b.st, "1")}) // makes no generation
	b.commit(b.put("b", "2"))
	expect(t, taken(j), "[2 +b +c] [3 ~b] newest 3 missing 0")
	expect(t, taken(j), "newest 3 missing 0")

	b.commit(b.put("d", "1"), b.put("e", "1"), b.put("f", "1"))
	b.commit(b.put("g", "1")) // one too many
	b.commit(b.put("h", "1"))
	expect(t, taken(j), "newest 6 missing 6")
	b.commit(b.del("h"))
	expect(t, taken(j), "[7 -h] newest 7 missing 0")
}

// Not every generation has a list of what it changed.
func TestJournalOfUnlistedChanges(t *testing.T) {
	b := newBench(t, Options{})
	b.commit(b.put("a", "1"))
	j, _ := b.NewJournal(100)
	if err := b.Reset(context.Background(), b.p); err != nil {
		t.Fatal(err)
	}
	expect(t, taken(j), "newest 2 missing 2")

	bulk := beginBulk(t, b.DB, b.p)
	if err := bulk.Put("k", value(t, b.st, "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := bulk.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	expect(t, taken(j), "newest 3 missing 3")

	if err := b.SetUnlogged(context.Background(), true, b.p); err != nil {
		t.Fatal(err)
	}
	expect(t, taken(j), "newest 4 missing 4")
}

// J1: whoever can see a generation finds it in the journal.
func TestJournalIsAheadOfSnapshots(t *testing.T) {
	b := newBench(t, Options{})
	j, _ := b.NewJournal(1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			if _, err := b.Commit(context.Background(), []Op{b.put("k", fmt.Sprint(i))}); err != nil {
				t.Error(err)
			}
		}
	}()
	for newest := uint64(0); newest < 300; {
		gen := b.Generation()
		if _, newest, _ = j.Take(); newest < gen {
			t.Fatalf("generation %d can be seen, the journal knows %d", gen, newest)
		}
		select {
		case <-done:
			if gen = b.Generation(); gen != 300 {
				t.Fatalf("generation %d after 300 commits", gen)
			}
		default:
		}
	}
	<-done
}
