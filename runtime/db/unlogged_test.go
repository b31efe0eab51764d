package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/mmapcas"
)

// own counts the records of this package in the store.
func (s *fakeStore) own() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.recs {
		if r.kind < 16 {
			n++
		}
	}
	return n
}

func (b *bench) setUnlogged(on bool, parts ...PartID) {
	b.t.Helper()
	if err := b.SetUnlogged(context.Background(), on, parts...); err != nil {
		b.t.Fatal(err)
	}
}

func TestUnloggedChunkWritesNothing(t *testing.T) {
	b := newBench(t, Options{Durable: true})
	u, err := b.Partition("u", false)
	if err != nil {
		t.Fatal(err)
	}
	b.setUnlogged(true, u)
	told := ""
	b.OnCommit(func(res Result) { told = show(res) })
	wrote, syncs := b.st.own(), 0
	b.st.fail = func(op string, _ mmapcas.Kind) error {
		if op != "put" {
			syncs++
		}
		return nil
	}
	put := func(part PartID, key, content string) Op { return Op{part, key, Put, value(t, b.st, content)} }
	before := b.Snapshot()
	expect(t, b.commit(put(u, "k", "A"), put(u, "l", "B")), "1 +k +l")
	expect(t, told, "1 +k +l")
	expect(t, b.commit(put(u, "k", "C"), Op{Part: u, Key: "l", Verb: Delete}), "2 ~k -l")
	if n := b.st.own() - wrote; n != 0 || syncs != 0 {
		t.Fatalf("%d records of the database and %d syncs for what is not logged", n, syncs)
	}
	// With others in one chunk: visible together, and the log has the others.
	expect(t, b.commit(put(u, "k", "D"), b.put("p", "P")), "3 +p ~k")
	if n := b.st.own() - wrote; n != 1 || syncs == 0 {
		t.Fatalf("%d records for a chunk, %d syncs", n, syncs)
	}
	if n, err := before.Count(u, "", ""); n != 0 || err != nil {
		t.Fatal("a snapshot sees what came later", n, err)
	}
	before.Release()
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.want(u, "k=D")
	roots := b.Roots()
	kept := false
	for _, h := range roots.Live {
		kept = kept || h == value(t, b.st, "D")
	}
	if !kept {
		t.Fatal("a collector does not learn of a record that only an unlogged partition names")
	}
	b.st.fail = nil
	c := reopenBench(t, b.st.crash(), Options{})
	c.want(c.p, "p=P")
	c.want(u, "")
	expect(t, c.commit(c.put("p", "Q")), "4 ~p")
	closeNow(t, c.DB)
	closeNow(t, b.DB)
}

// Whatever the partition held when it became unlogged is gone, here and after a crash, whether or
// not anybody says so again.
func TestUnloggingClearsWhatWasLogged(t *testing.T) {
	b := newBench(t, Options{History: 2})
	b.commit(b.put("k", "A"))
	if err := b.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.commit(b.put("l", "B"))
	b.setUnlogged(true, b.p)
	b.want(b.p, "")
	if gen := b.Generation(); gen != 3 {
		t.Fatalf("generation %d, want 3", gen)
	}
	if _, err := b.SnapshotAt(2); !errors.Is(err, ErrGone) {
		t.Fatalf("a generation in which others may have seen something: %v", err)
	}
	b.commit(b.put("m", "C"))
	c := reopenBench(t, b.st.crash(), Options{})
	c.want(c.p, "")
	closeNow(t, c.DB)
	b.setUnlogged(false, b.p)
	b.want(b.p, "")
	b.commit(b.put("n", "D"))
	c = reopenBench(t, b.st.crash(), Options{})
	c.want(c.p, "n=D")
	closeNow(t, c.DB)
	if err := b.SetUnlogged(t.Context(), true, b.s); !errors.Is(err, ErrPartitionKind) {
		t.Fatal(err)
	}
	if err := b.SetUnlogged(t.Context(), true, 99); !errors.Is(err, ErrNoPartition) {
		t.Fatal(err)
	}
	closeNow(t, b.DB)
}

// Random chunks over a logged and an unlogged partition, with crashes: the logged one is as it was,
// the other is empty, and no generation that a logged chunk was given comes back with another
// meaning.
func TestUnloggedAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := newFake()
		var d *DB
		const p, u = PartID(1), PartID(2)
		want := map[PartID]map[string]Hash{p: {}, u: {}}
		gen, logged := uint64(0), uint64(0) // newest; newest that the log knows
		begin := func() {
			var err error
			if d, err = open(st, Options{fan: 4, CheckpointCommits: -1, CacheBytes: 1, Durable: rapid.Bool().Draw(t, "durable"), Logger: quiet}); err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"p", "u"} {
				if id, err := d.Partition(name, false); err != nil || id != PartID(i+1) {
					t.Fatal(id, err)
				}
			}
			found := d.Generation()
			if found < logged || found > gen {
				t.Fatalf("generation %d after reopening; there were %d, and %d in the log", found, gen, logged)
			}
			if err := d.OpenUnlogged(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			gen = d.Generation()
			s := d.Snapshot()
			defer s.Release()
			if gen != found+1 || s.LastChanged(u) != gen {
				t.Fatalf("generation %d of %d, the unlogged partition changed in %d", gen, found, s.LastChanged(u))
			}
			want[u] = map[string]Hash{}
		}
		begin()
		defer func() {
			if err := d.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				var ops []Op
				next := map[PartID]map[string]Hash{p: maps.Clone(want[p]), u: maps.Clone(want[u])}
				for range rapid.IntRange(1, 8).Draw(t, "ops") {
					op := Op{Part: PartID(rapid.IntRange(1, 2).Draw(t, "part")), Key: anyKey.Draw(t, "key"), Verb: Delete}
					delete(next[op.Part], op.Key)
					if rapid.IntRange(0, 3).Draw(t, "verb") > 0 {
						op.Verb, op.Hash = Put, value(t, st, fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "value")))
						next[op.Part][op.Key] = op.Hash
					}
					ops = append(ops, op)
				}
				wrote := st.own()
				res, err := d.Commit(t.Context(), ops)
				if err != nil {
					t.Fatal(err)
				}
				inLog := !maps.Equal(want[p], next[p])
				if inLog || !maps.Equal(want[u], next[u]) {
					gen++
				}
				if inLog {
					logged = gen
				}
				if res.Gen != gen || (st.own() != wrote) != inLog {
					t.Fatalf("generation %d, want %d; %d records, logged: %t", res.Gen, gen, st.own()-wrote, inLog)
				}
				want = next
			},
			"checkpoint": func(t *rapid.T) {
				if err := d.Checkpoint(t.Context()); err != nil {
					t.Fatal(err)
				}
				logged = gen
			},
			"collect": func(t *rapid.T) {
				live := claimed(t, d, st)
				for _, m := range want {
					for k, h := range m {
						if !live[h] {
							t.Fatalf("%q names a record that a collector would take", k)
						}
					}
				}
				st.sweep(func(h Hash) bool { return live[h] })
			},
			"crash": func(t *rapid.T) {
				after := st.crash()
				if err := d.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
				st = after
				begin()
			},
			"reopen": func(t *rapid.T) {
				if err := d.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
				begin()
			},
			"": func(t *rapid.T) {
				for id, m := range want {
					got := map[string]Hash{}
					if err := d.LatestRange(id, "", "", false, func(k string, h Hash) bool { got[k] = h; return true }); err != nil || !maps.Equal(got, m) {
						t.Fatalf("partition %d: %v, %v, want %v", id, got, err, m)
					}
				}
			},
		})
	})
}

// Unlogging what is empty changes nothing, and is in force all the same; opening what was unlogged
// counts as a change.
func TestUnloggingWhatIsEmpty(t *testing.T) {
	b := newBench(t, Options{History: 2})
	b.commit(b.put("k", "A"))
	u, err := b.Partition("u", false)
	if err != nil {
		t.Fatal(err)
	}
	wrote := b.st.own()
	b.setUnlogged(true, u)
	if gen := b.Generation(); gen != 1 || b.st.own() != wrote {
		t.Errorf("generation %d, %d records more", gen, b.st.own()-wrote)
	}
	if s, err := b.SnapshotAt(1); err != nil {
		t.Error(err)
	} else {
		s.Release()
	}
	b.commit(Op{u, "v", Put, value(t, b.st, "B")})
	if b.st.own() != wrote {
		t.Error("what is unlogged was logged")
	}
	if err := b.OpenUnlogged(t.Context(), u); err != nil || b.Generation() != 3 {
		t.Errorf("generation %d, %v", b.Generation(), err)
	}
	if err := b.OpenUnlogged(t.Context(), u); err != nil || b.Generation() != 4 {
		t.Errorf("generation %d, %v", b.Generation(), err)
	}
	closeNow(t, b.DB)
}
