package db

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/mmapcas"
)

// A treeModel is a tree next to the map that it should equal.
type treeModel struct {
	st   *fakeStore
	src  *nodeStore
	a    applier
	root *link
	want map[string]Hash
}

func newTreeModel(fan int) *treeModel {
	m := &treeModel{st: newFake(), want: map[string]Hash{}}
	m.src = &nodeStore{store: m.st, counts: &counters{}}
	m.src.loadedMax.Store(math.MaxInt64)
	m.a = applier{src: m.src, fan: fan}
	return m
}

func hashOf(i int) Hash { return mmapcas.HashOf(32, fmt.Append(nil, i)) }

// Keys of all kinds: many that share prefixes, the empty one, the highest bytes, now and then long
// ones.
var anyKey = rapid.Custom(func(t *rapid.T) string {
	switch n := rapid.IntRange(0, 19).Draw(t, "form"); {
	case n < 9:
		return rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 5, -1).Draw(t, "short")
	case n < 17:
		return fmt.Sprintf("file:///p%02d#%d", rapid.IntRange(0, 30).Draw(t, "dir"), rapid.IntRange(0, 9).Draw(t, "n"))
	case n < 19:
		return strings.Repeat("\xff", rapid.IntRange(0, 3).Draw(t, "ff"))
	default:
		return strings.Repeat("k", rapid.SampledFrom([]int{MaxKeyBytes - 1, MaxKeyBytes / 2}).Draw(t, "long")) + string(rune('a'+rapid.IntRange(0, 25).Draw(t, "end")))
	}
})

func sortedKeys(m map[string]Hash) []string { return slices.Sorted(maps.Keys(m)) }

func (m *treeModel) edit(t *rapid.T, edits map[string]Hash) {
	var list []edit
	want := maps.Clone(m.want)
	var diffs []Change
	for _, k := range sortedKeys(edits) {
		list = append(list, edit{k, edits[k]})
		if old := want[k]; old != edits[k] {
			diffs = append(diffs, Change{0, k, old, edits[k]})
		}
		if edits[k].IsZero() {
			delete(want, k)
		} else {
			want[k] = edits[k]
		}
	}
	m.a.diffs = nil
	root, err := m.a.apply(0, m.root, list)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.a.diffs, diffs) {
		t.Fatalf("diffs %v, want %v", m.a.diffs, diffs)
	}
	if len(diffs) == 0 && root != m.root {
		t.Fatal("a chunk that changes nothing made a new root")
	}
	m.root, m.want = root, want
}

func (m *treeModel) check(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, lo, hi string,
) {
	t.Helper()
	if m.root != nil {
		if err := verifyTree(m.root); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, k := range sortedKeys(m.want) {
		if k >= lo && (hi == "" || k < hi) {
			want = append(want, k)
		}
	}
	for _, reverse := range []bool{false, true} {
		var got []string
		if err := scan(m.src, m.root, Span{Lo: lo, Hi: hi, Reverse: reverse}, func(k string, h Hash) bool {
			if h != m.want[k] {
				t.Fatalf("key %q: %v, want %v", k, h, m.want[k])
			}
			got = append(got, k)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if reverse {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("scan [%q, %q) reverse %t: %q, want %q", lo, hi, reverse, got, want)
		}
	}
	var batch []string
	for i := 0; i < len(want); i += 1 + len(want)/16 {
		batch = append(batch, want[i], want[i]+"\x00", want[len(want)-1-i], hi)
	}
	got, err := getBatch(m.src, &tree{root: m.root}, batch, nil)
	if err != nil || len(got) != len(batch) {
		t.Fatalf("batch of %d: %d, %v", len(batch), len(got), err)
	}
	for i, k := range batch {
		if got[i] != m.want[k] {
			t.Fatalf("batch get %q: %v, want %v", k, got[i], m.want[k])
		}
	}
	if n, err := count(m.src, m.root, Span{Lo: lo, Hi: hi}); err != nil || n != uint64(len(want)) {
		t.Fatalf("count [%q, %q): %d, %v, want %d", lo, hi, n, err, len(want))
	}
	for _, k := range append([]string{lo, hi, lo + "a"}, want...) {
		h, ok, err := get(m.src, m.root, k)
		if w, there := m.want[k]; err != nil || ok != there || h != w {
			t.Fatalf("get %q: %v, %t, %v, want %v, %t", k, h, ok, err, w, there)
		}
	}
}

// write persists the tree and, if forget, keeps nothing of it in memory but the root.
func (m *treeModel) write(t *rapid.T, forget bool) {
	if m.root == nil {
		return
	}
	d := &DB{st: m.src}
	if err := d.write(t.Context(), m.root); err != nil {
		t.Fatal(err)
	}
	if forget {
		n, err := m.src.load(m.root.id())
		if err != nil {
			t.Fatal(err)
		}
		m.root = &link{size: n.count(), hash: m.root.hash}
		m.root.node.Store(n)
	}
}

func TestTreeAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTreeModel(rapid.SampledFrom([]int{2, 3, 4, 7, fanMax}).Draw(t, "fan"))
		t.Repeat(map[string]func(*rapid.T){
			"edit": func(t *rapid.T) {
				edits := map[string]Hash{}
				for _, k := range rapid.SliceOfN(anyKey, 1, 40).Draw(t, "keys") {
					h := hashOf(rapid.IntRange(0, 3).Draw(t, "value"))
					if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
						h = Hash{}
					}
					edits[k] = h
				}
				m.edit(t, edits)
			},
			"bulk": func(t *rapid.T) {
				edits := map[string]Hash{}
				from, n := rapid.IntRange(0, 500).Draw(t, "from"), rapid.IntRange(1, 400).Draw(t, "n")
				for i := range n {
					edits[fmt.Sprintf("bulk%04d", from+i)] = hashOf(i)
				}
				m.edit(t, edits)
			},
			"clear": func(t *rapid.T) {
				edits := map[string]Hash{}
				keys := sortedKeys(m.want)
				if len(keys) == 0 {
					return
				}
				from := rapid.IntRange(0, len(keys)-1).Draw(t, "from")
				for _, k := range keys[from : from+rapid.IntRange(1, len(keys)-from).Draw(t, "n")] {
					edits[k] = Hash{}
				}
				m.edit(t, edits)
			},
			"write":  func(t *rapid.T) { m.write(t, false) },
			"forget": func(t *rapid.T) { m.write(t, true) },
			"all":    func(t *rapid.T) { m.check(t, "", "") },
			"":       func(t *rapid.T) { m.check(t, anyKey.Draw(t, "lo"), anyKey.Draw(t, "hi")) },
		})
	})
}

// A commit must leave every older root as it was.
func TestTreeOldRootsStay(t *testing.T) {
	m := newTreeModel(5)
	rng := rand.New(rand.NewPCG(1, 2))
	type version struct {
		root *link
		want map[string]Hash
	}
	var versions []version
	for i := range 300 {
		var edits []edit
		seen := map[string]bool{}
		for range rng.IntN(20) + 1 {
			k := fmt.Sprint(rng.IntN(400))
			if seen[k] {
				continue
			}
			seen[k] = true
			e := edit{key: k}
			if rng.IntN(3) > 0 {
				e.hash = hashOf(i)
			}
			edits = append(edits, e)
		}
		sort.Slice(edits, func(i, j int) bool { return edits[i].key < edits[j].key })
		root, err := m.a.apply(0, m.root, edits)
		if err != nil {
			t.Fatal(err)
		}
		m.root, m.want = root, maps.Clone(m.want)
		for _, e := range edits {
			if e.hash.IsZero() {
				delete(m.want, e.key)
			} else {
				m.want[e.key] = e.hash
			}
		}
		versions = append(versions, version{m.root, m.want})
	}
	for i, v := range versions {
		if raceEnabled && i%5 > 0 {
			continue // one goroutine: the detector has nothing to find
		}
		m.root, m.want = v.root, v.want
		m.check(t, "", "")
	}
}

// Random deletions must not leave a tree of nearly empty nodes behind.
func TestTreeStaysFilled(t *testing.T) {
	m := newTreeModel(fanMax)
	rng := rand.New(rand.NewPCG(3, 4))
	var edits []edit
	for i := range 12_000 {
		edits = append(edits, edit{fmt.Sprintf("%06d", i), hashOf(i)})
	}
	root, err := m.a.apply(0, nil, edits)
	if err != nil {
		t.Fatal(err)
	}
	rng.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
	for i := 0; i < 10_800; i += 50 {
		batch := slices.Clone(edits[i : i+50])
		for j := range batch {
			batch[j].hash = Hash{}
		}
		slices.SortFunc(batch, func(a, b edit) int { return strings.Compare(a.key, b.key) })
		if root, err = m.a.apply(0, root, batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := verifyTree(root); err != nil {
		t.Fatal(err)
	}
	leaves := 0
	walkLoaded(root, func(_ *link, n *node) {
		if n.leaf() {
			leaves++
		}
	})
	if n := root.size; n != 1200 || int(n)/leaves < fanMax/4 {
		t.Fatalf("%d entries in %d leaves", n, leaves)
	}
}

func TestTreeCopiesEachTouchedNodeOnce(t *testing.T) {
	m := newTreeModel(fanMax)
	var edits []edit
	for i := range 40_000 {
		edits = append(edits, edit{fmt.Sprintf("%06d", i), hashOf(i)})
	}
	root, err := m.a.apply(0, nil, edits)
	if err != nil {
		t.Fatal(err)
	}
	before := map[*node]bool{}
	walkLoaded(root, func(_ *link, n *node) { before[n] = true })
	var file []edit
	for i := range 100 {
		file = append(file, edit{fmt.Sprintf("%06d", 17_000+i), hashOf(-i - 1)})
	}
	if root, err = m.a.apply(0, root, file); err != nil {
		t.Fatal(err)
	}
	fresh := 0
	walkLoaded(root, func(_ *link, n *node) {
		if !before[n] {
			fresh++
		}
	})
	// 100 adjacent keys touch two or three leaves and the inner nodes above.
	if fresh > 3+root.node.Load().level()+1 {
		t.Fatalf("%d nodes copied for 100 adjacent keys in a tree of %d levels", fresh, root.node.Load().level()+1)
	}
}

func TestPrefixEnd(t *testing.T) {
	for _, c := range [][2]string{{"", ""}, {"a", "b"}, {"a\xff", "b"}, {"\xff\xff", ""}, {"a\xfe", "a\xff"}, {"\x7f", "\x80"}} {
		if got := prefixEnd(c[0]); got != c[1] {
			t.Errorf("prefixEnd(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

// TestDiffOfNodesThatWereNeverWritten: nodes that no checkpoint has written have no hash yet, and
// two of them of one size are not the same.
func TestDiffOfNodesThatWereNeverWritten(t *testing.T) {
	b := newBench(t, Options{fan: 4})
	for i := range 50 {
		b.commit(b.put(fmt.Sprintf("%02d", i), "old"))
	}
	from := b.Snapshot()
	defer from.Release()
	b.commit(b.put("07", "new"), b.put("41", "new"))
	to := b.Snapshot()
	defer to.Release()
	var keys []string
	if err := b.Diff(from, to, b.p, Span{}, func(c Change) bool { keys = append(keys, c.Key); return true }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys, []string{"07", "41"}) {
		t.Fatalf("the keys that differ are 07 and 41, and Diff names %q", keys)
	}
}
