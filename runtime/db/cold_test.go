package db

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// A leaf that is not in memory is read where it lies the first time, and loaded the second.
func TestFirstReadOfALeafLeavesNothing(t *testing.T) {
	const n = 50_000
	b := newBench(t, Options{})
	b.load(n)
	h := value(t, b.st, "A")
	read := func(keys ...int) {
		t.Helper()
		for _, i := range keys {
			if got, ok, err := b.Latest(b.p, fmt.Sprintf("%06d", i)); ok != (i < n) || ok && got != h || err != nil {
				t.Fatal(i, got, ok, err)
			}
		}
	}
	read(0, n-1) // the nodes above
	loaded := b.Stats().NodesLoaded
	for i := fanMax; i < fanMax*fanMax/3; i += fanMax {
		read(i)
	}
	if l := b.Stats().NodesLoaded - loaded; l != 0 {
		t.Errorf("first reads loaded %d nodes", l)
	}
	read(fanMax, fanMax, fanMax+1, fanMax+2)
	if l := b.Stats().NodesLoaded - loaded; l != 1 {
		t.Errorf("further reads of one leaf loaded %d nodes", l)
	}
	read(n, n+1) // behind the last
	if _, ok, err := b.Latest(b.p, "000070x"); ok || err != nil {
		t.Error(ok, err)
	}
}

// What a leaf that is read in place must not be is noticed as when it is loaded.
func TestFirstReadNoticesDamage(t *testing.T) {
	for what, damage := range map[string]func(st *fakeStore, h Hash, other fakeRecord){
		"missing":    func(st *fakeStore, h Hash, _ fakeRecord) { st.damage(h, true) },
		"cut off":    func(st *fakeStore, h Hash, _ fakeRecord) { st.damage(h, false) },
		"other leaf": func(st *fakeStore, h Hash, other fakeRecord) { st.recs[h] = other },
		"a value":    func(st *fakeStore, h Hash, _ fakeRecord) { st.recs[h] = fakeRecord{32, []byte("value")} },
		"ends out of order": func(st *fakeStore, h Hash, _ fakeRecord) {
			st.damage(h, false)
			r := st.recs[h]
			r.payload[headLen+1] = 0xff
			st.recs[h] = r
		},
	} {
		b := newBench(t, Options{})
		b.load(1000)
		leaves := b.st.only(KindLeaf)
		first := b.current.Load().root(b.p).node.Load().kids[0].id()
		other := b.st.recs[leaves[len(leaves)-1]]
		damage(b.st, first, other)
		for range 2 {
			if _, _, err := b.Latest(b.p, "000001"); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, ok, err := b.Latest(b.p, "000500"); !ok || err != nil {
			t.Errorf("%s: elsewhere: %v", what, err)
		}
	}
}

// Reads alone do not fill the memory: what they load is forgotten, inner nodes too when there is no
// other way, whatever is done meanwhile. Read-only databases are no exception.
func TestReadsAreBounded(t *testing.T) {
	const n = 50_000
	made := newBench(t, Options{})
	made.load(n)
	closeNow(t, made.DB)
	for _, readOnly := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const cache = 16 << 10 // a dozen leaves, less than the inner nodes
			d, err := open(made.st.crash(), Options{CacheBytes: cache, ReadOnly: readOnly, Logger: quiet, loadedMin: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := d.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			part, err := d.Partition("p", false)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				count := 0
				err := d.LatestRange(part, "", "", false, func(string, Hash) bool {
					if count++; count%(10*fanMax) == 0 {
						synctest.Wait() // until tend has done what is to be done
						bytes := int64(0)
						walkLoaded(d.current.Load().root(part), func(_ *link, n *node) { bytes += int64(n.bytes()) })
						// What came since the last time, and the root.
						if most := int64(cache + cache/4 + 12<<10); bytes > most {
							t.Fatalf("%d bytes in memory after %d keys, want at most %d", bytes, count, most)
						}
					}
					return true
				})
				if count != n || err != nil {
					t.Fatal(count, err)
				}
			}
		})
	}
}

// Commits all over a large partition make a checkpoint due before the changed leaves fill the
// memory.
func TestChangedLeavesMakeACheckpointDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{CacheBytes: 1})
		b.load(100_000)
		made := b.Stats().Checkpoints
		for round := 0; b.Stats().Checkpoints == made; round++ {
			if round == 20 {
				t.Fatal("no checkpoint")
			}
			var ops []Op
			for i := 0; i < 100_000; i += fanMax {
				ops = append(ops, b.put(fmt.Sprintf("%06d", i), fmt.Sprint(round)))
			}
			b.commit(ops...)
			synctest.Wait()
		}
		closeNow(t, b.DB)
	})
}
