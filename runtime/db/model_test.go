package db

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A world is what a database should hold: plain maps. It is copied before it changes.
type world struct {
	gen     uint64
	parts   map[PartID]map[string]Hash
	changed map[PartID]uint64
}

func (w world) clone() world {
	c := world{w.gen, map[PartID]map[string]Hash{}, maps.Clone(w.changed)}
	for id, m := range w.parts {
		c.parts[id] = maps.Clone(m)
	}
	return c
}

// apply is the meaning of a chunk, spelt out.
func (w world) apply(ops []Op, side map[PartID]bool) (world, []Change) {
	n := w.clone()
	for _, op := range ops {
		m := n.parts[op.Part]
		switch op.Verb {
		case Put:
			m[op.Key] = op.Hash
		case Delete:
			delete(m, op.Key)
		case ClearPrefix:
			maps.DeleteFunc(m, func(k string, _ Hash) bool { return strings.HasPrefix(k, op.Key) })
		}
	}
	return n, n.end(w, side)
}

// end gives n its generation, as what a chunk made of w, and returns the differences.
func (n *world) end(w world, side map[PartID]bool) []Change {
	changes := w.diff(*n)
	for _, c := range changes {
		if !side[c.Part] {
			n.gen = w.gen + 1
		}
	}
	for _, c := range changes {
		n.changed[c.Part] = n.gen
	}
	return changes
}

// diff returns what differs between two worlds.
func (w world) diff(n world) []Change {
	var changes []Change
	for id, m := range n.parts {
		keys := maps.Clone(m)
		maps.Copy(keys, w.parts[id])
		for k := range keys {
			if old, now := w.parts[id][k], m[k]; old != now {
				changes = append(changes, Change{id, k, old, now})
			}
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Key, b.Key)) })
	return changes
}

// delta counts changes.
func delta(changes []Change) (d Delta) {
	for _, c := range changes {
		d.count(c.Old, c.New, 1)
	}
	return d
}

type heldSnapshot struct {
	*Snapshot
	want world
}

// A dbModel drives a database and a world.
type dbModel struct {
	t     *rapid.T
	st    *fakeStore
	d     *DB
	o     Options
	want  world
	names []string // of partition i+1
	side  map[PartID]bool
	snaps []heldSnapshot
	told  []Result // by OnCommit

	asked   []string // keys that are read over and over
	past    []world  // the newest of each generation since opened
	history []world  // of all commits
	opened  uint64   // the generation found when the database was opened last
}

func (m *dbModel) open() {
	d, err := open(m.st, m.o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.d = d
	m.snaps = nil
	m.opened = d.Generation()
	d.OnCommit(func(res Result) { m.told = append(m.told, res) })
	for i, name := range m.names {
		id, err := d.Partition(name, m.side[PartID(i+1)])
		if err != nil || id != PartID(i+1) {
			m.t.Fatalf("partition %q is %d after reopening, want %d: %v", name, id, i+1, err)
		}
	}
}

func (m *dbModel) close() {
	for _, s := range m.snaps {
		s.Release()
	}
	if err := m.d.Close(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

func (m *dbModel) commit(ops []Op) {
	want, changes := m.want.apply(ops, m.side)
	m.told = nil
	res, err := m.d.Commit(m.t.Context(), ops)
	if err != nil {
		m.t.Fatal(err)
	}
	if res.Gen != want.gen || !slices.Equal(res.Changes, changes) {
		m.t.Fatalf("commit %v: generation %d, changes %v, want %d, %v", ops, res.Gen, res.Changes, want.gen, changes)
	}
	var told []Result
	if want.gen != m.want.gen {
		told = []Result{{Gen: want.gen, Changes: slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return m.side[c.Part] })}}
	}
	if fmt.Sprint(m.told) != fmt.Sprint(told) {
		m.t.Fatalf("observers were told %v, want %v", m.told, told)
	}
	m.want = want
	m.history = append(m.history, want)
	m.remember()
}

// bulk commits through a Bulk, or abandons it, perhaps with commits beside it.
func (m *dbModel) bulk() {
	part := PartID(1)
	for id := range m.side {
		if !m.side[id] && id > part && rapid.Bool().Draw(m.t, "other") {
			part = id
		}
	}
	b, err := m.d.BeginBulk(m.t.Context(), part)
	if err != nil {
		m.t.Fatal(err)
	}
	defer b.Close()
	b.batch = rapid.SampledFrom([]int{1, 3, 50, bulkBatch}).Draw(m.t, "batch")
	base := m.want
	mine := maps.Clone(base.parts[part])
	keys := sortedKeys(mine)
	if rapid.Bool().Draw(m.t, "sparse") {
		keys = nil
	}
	for range rapid.IntRange(0, 40).Draw(m.t, "keys") {
		keys = append(keys, anyKey.Draw(m.t, "key"))
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		var h Hash
		if rapid.IntRange(0, 3).Draw(m.t, "verb") > 0 {
			h = value(m.t, m.st, fmt.Sprint(rapid.IntRange(0, 5).Draw(m.t, "value")))
			mine[k] = h
			err = b.Put(k, h)
		} else {
			delete(mine, k)
			err = b.Delete(k)
		}
		if err != nil {
			m.t.Fatal(err)
		}
	}
	for range rapid.IntRange(0, 2).Draw(m.t, "beside") {
		m.commit(m.ops())
	}
	if rapid.IntRange(0, 9).Draw(m.t, "abandon") == 0 {
		return
	}
	ops := slices.DeleteFunc(m.ops(), func(op Op) bool { return op.Part == part })
	want, others := m.want.apply(ops, m.side)
	want.gen = m.want.gen
	for _, c := range base.diff(world{parts: map[PartID]map[string]Hash{part: mine}}) {
		if want.parts[part][c.Key] = c.New; c.New.IsZero() {
			delete(want.parts[part], c.Key)
		}
	}
	all := want.end(m.want, m.side)
	grafted := slices.DeleteFunc(all, func(c Change) bool { return c.Part != part })
	m.told = nil
	res, err := b.Commit(m.t.Context(), ops...)
	if err != nil {
		m.t.Fatal(err)
	}
	if res.Gen != want.gen || !slices.Equal(res.Changes, others) || (res.Graft != nil) != (len(grafted) > 0) || len(m.told) != int(want.gen-m.want.gen) {
		m.t.Fatalf("bulk: generation %d, changes %v, graft %v, told %v, want %d, %v and %v", res.Gen, res.Changes, res.Graft, m.told, want.gen, others, grafted)
	}
	if g := res.Graft; g != nil {
		var each []Change
		err := g.Each(Span{}, func(c Change) bool { each = append(each, c); return true })
		if err != nil || g.Part != part || g.Delta != delta(grafted) || !slices.Equal(each, grafted) || m.told[0].Graft != g {
			m.t.Fatalf("graft of %d: %+v, %v, %v, want %v", g.Part, g.Delta, each, err, grafted)
		}
	}
	m.want = want
	m.history = append(m.history, want)
	m.remember()
}

// checkDiff compares two generations.
func (m *dbModel) checkDiff(a, b heldSnapshot) {
	for id := range a.want.parts {
		if m.side[id] || b.want.parts[id] == nil {
			continue
		}
		sp := anySpan(m.t)
		var got []Change
		if err := m.d.Diff(a.Snapshot, b.Snapshot, id, sp, func(c Change) bool { got = append(got, c); return true }); err != nil {
			m.t.Fatal(err)
		}
		to := b.want.clone()
		if to.parts[id] == nil { // made later: it goes on the way back
			to.parts[id] = map[string]Hash{}
		}
		want := slices.DeleteFunc(a.want.diff(to), func(c Change) bool { return c.Part != id || !sp.Contains(c.Key) })
		if !slices.Equal(got, want) {
			m.t.Fatalf("partition %d, %+v, from generation %d to %d: %v, want %v", id, sp, a.want.gen, b.want.gen, got, want)
		}
	}
}

func (m *dbModel) ops() []Op {
	var ops []Op
	for range rapid.IntRange(0, 12).Draw(m.t, "ops") {
		op := Op{Part: PartID(rapid.IntRange(1, len(m.names)).Draw(m.t, "part")), Key: anyKey.Draw(m.t, "key")}
		switch rapid.IntRange(0, 9).Draw(m.t, "verb") {
		case 0:
			op.Verb = ClearPrefix
			op.Key = op.Key[:rapid.IntRange(0, len(op.Key)).Draw(m.t, "prefix")]
		case 1, 2:
			op.Verb = Delete
		default:
			op.Verb = Put
			op.Hash = value(m.t, m.st, fmt.Sprint(rapid.IntRange(0, 5).Draw(m.t, "value")))
		}
		ops = append(ops, op)
	}
	return ops
}

func (m *dbModel) checkSnapshot(s heldSnapshot) {
	if s.Gen() != s.want.gen {
		m.t.Fatalf("snapshot of generation %d, want %d", s.Gen(), s.want.gen)
	}
	for id, want := range s.want.parts {
		got := map[string]Hash{}
		read, n := func(k string, h Hash) bool { got[k] = h; return true }, uint64(0)
		var err, err2 error
		if m.side[id] {
			if _, _, err := s.Get(id, "x"); len(want) > 0 && !errors.Is(err, ErrPartitionKind) {
				m.t.Fatalf("side partition through a snapshot: %v", err)
			}
			continue
		}
		err = s.Range(id, "", "", false, read)
		n, err2 = s.Count(id, "", "")
		if err != nil || err2 != nil || !maps.Equal(got, want) || n != uint64(len(want)) {
			m.t.Fatalf("generation %d, partition %d: %v, %d, %v, %v, want %v", s.Gen(), id, got, n, err, err2, want)
		}
		if got := s.LastChanged(id); got != s.want.changed[id] {
			m.t.Fatalf("partition %d last changed in %d, want %d", id, got, s.want.changed[id])
		}
		m.checkSpan(s, id)
		// The same again and again, so that the point cache has something to say, in this snapshot
		// and in others.
		for _, k := range append(slices.Clone(m.asked), anyKey.Draw(m.t, "get")) {
			if h, ok, err := s.Get(id, k); err != nil || h != want[k] || ok == h.IsZero() {
				m.t.Fatalf("get %q: %v, %t, %v, want %v", k, h, ok, err, want[k])
			}
			if h, ok, err := m.d.Latest(id, k); err != nil || h != m.want.parts[id][k] || ok == h.IsZero() {
				m.t.Fatalf("latest %q: %v, %t, %v, want %v", k, h, ok, err, m.want.parts[id][k])
			}
		}
	}
}

// anySpan draws bounds that may lie anywhere, also the wrong way round.
func anySpan(t *rapid.T) Span {
	sp := Span{Reverse: rapid.Bool().Draw(t, "reverse"), Limit: rapid.IntRange(0, 6).Draw(t, "limit")}
	switch rapid.IntRange(0, 3).Draw(t, "span") {
	case 0:
		p := Prefix(anyKey.Draw(t, "prefix"))
		sp.Lo, sp.Hi = p.Lo, p.Hi
	case 1:
		sp.Lo = anyKey.Draw(t, "lo")
	default:
		sp.Lo, sp.Hi = anyKey.Draw(t, "lo"), anyKey.Draw(t, "hi")
	}
	return sp
}

// entries is what a span holds, spelt out.
func (sp Span) entries(m map[string]Hash) (out []Entry) {
	for _, k := range sortedKeys(m) {
		if sp.Contains(k) {
			out = append(out, Entry{k, m[k]})
		}
	}
	if sp.Reverse {
		slices.Reverse(out)
	}
	if sp.Limit > 0 && len(out) > sp.Limit {
		out = out[:sp.Limit]
	}
	return out
}

// checkSpan reads a span in every way there is.
func (m *dbModel) checkSpan(s heldSnapshot, id PartID) {
	sp := anySpan(m.t)
	want := sp.entries(s.want.parts[id])
	var scanned []Entry
	if err := s.Scan(id, sp, func(k string, h Hash) bool { scanned = append(scanned, Entry{k, h}); return true }); err != nil || !slices.Equal(scanned, want) {
		m.t.Fatalf("scan of %+v: %v, %v, want %v", sp, scanned, err, want)
	}
	var walked []Entry
	c := s.Cursor(id, sp)
	for c.Next() {
		walked = append(walked, Entry{c.Key(), c.Hash()})
	}
	if c.Next() || c.Err() != nil || !slices.Equal(walked, want) {
		m.t.Fatalf("cursor over %+v: %v, %v, want %v", sp, walked, c.Err(), want)
	}
	var lent []Entry
	if err := s.ScanBytes(id, sp, func(k []byte, h Hash) bool { lent = append(lent, Entry{string(k), h}); return true }); err != nil || !slices.Equal(lent, want) {
		m.t.Fatalf("scan by bytes of %+v: %v, %v, want %v", sp, lent, err, want)
	}
	var paged []Entry
	size := rapid.IntRange(1, 4).Draw(m.t, "page")
	for rest, more, pages := sp, true, 0; more; pages++ {
		var err error
		if paged, rest, more, err = s.Page(id, rest, size, paged); err != nil {
			m.t.Fatal(err)
		}
		if more && len(paged) != (pages+1)*size {
			m.t.Fatalf("%d entries after %d pages of %d", len(paged), pages+1, size)
		}
	}
	if !slices.Equal(paged, want) {
		m.t.Fatalf("pages of %+v: %v, want %v", sp, paged, want)
	}
	keys := make([]string, len(want))
	for i, e := range want {
		keys[i] = e.Key
		if !slices.Equal((Span{Lo: sp.Lo, Hi: sp.Hi, Reverse: sp.Reverse}).After(e.Key).entries(s.want.parts[id]), Span{Lo: sp.Lo, Hi: sp.Hi, Reverse: sp.Reverse}.entries(s.want.parts[id])[i+1:]) {
			m.t.Fatalf("what of %+v lies after %q is %+v", sp, e.Key, sp.After(e.Key))
		}
	}
	hashes, err := s.GetBatch(id, append(keys, "no such key"), nil)
	if err != nil || len(hashes) != len(keys)+1 || !hashes[len(keys)].IsZero() {
		m.t.Fatalf("batch: %v, %v", hashes, err)
	}
	for i, e := range want {
		if hashes[i] != e.Hash {
			m.t.Fatalf("batch get %q: %v, want %v", e.Key, hashes[i], e.Hash)
		}
	}
	n, err := s.Count(id, sp.Lo, sp.Hi)
	if all := len((Span{Lo: sp.Lo, Hi: sp.Hi}).entries(s.want.parts[id])); err != nil || n != uint64(all) {
		m.t.Fatalf("count of %+v: %d, %v, want %d", sp, n, err, all)
	}
}

// checkPast reads a generation of the past, or is told that it is gone, whichever the history
// demands.
func (m *dbModel) checkPast() {
	gen := rapid.Uint64Range(0, m.want.gen+1).Draw(m.t, "generation")
	s, err := m.d.SnapshotAt(gen)
	i := slices.IndexFunc(m.past, func(w world) bool { return w.gen == gen })
	held := slices.ContainsFunc(m.snaps, func(s heldSnapshot) bool { return s.want.gen == gen })
	kept := gen <= m.want.gen && gen+uint64(m.o.History) >= m.want.gen && gen >= m.opened
	switch {
	case kept != (err == nil) && !held:
		m.t.Fatalf("generation %d of %d, history %d, opened at %d: %v", gen, m.want.gen, m.o.History, m.opened, err)
	case err != nil && (held || !errors.Is(err, ErrGone)):
		m.t.Fatalf("generation %d: %v", gen, err)
	case err == nil:
		m.checkSnapshot(heldSnapshot{s, m.past[i]})
		s.Release()
	}
}

// remember keeps the newest of each generation.
func (m *dbModel) remember() {
	if n := len(m.past); n > 0 && m.past[n-1].gen == m.want.gen {
		m.past[n-1] = m.want // only side partitions have changed, or nothing
	} else {
		m.past = append(m.past, m.want)
	}
}

// check compares everything that can be read now.
func (m *dbModel) check() {
	if g := m.d.Generation(); g != m.want.gen {
		m.t.Fatalf("generation %d, want %d", g, m.want.gen)
	}
	for id, want := range m.want.parts {
		got := map[string]Hash{}
		if err := m.d.LatestRange(id, "", "", rapid.Bool().Draw(m.t, "reverse"), func(k string, h Hash) bool { got[k] = h; return true }); err != nil {
			m.t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			m.t.Fatalf("partition %d holds %v, want %v", id, got, want)
		}
		if n, err := m.d.LatestCount(id, "", ""); err != nil || n != uint64(len(want)) {
			m.t.Fatalf("count of partition %d: %d, %v, want %d", id, n, err, len(want))
		}
	}
	m.remember()
	m.checkPast()
	oldest := m.want.gen - min(uint64(m.o.History), m.want.gen-m.opened)
	for _, s := range m.snaps {
		oldest = min(oldest, s.want.gen)
	}
	if got := m.d.OldestSnapshot(); got != oldest {
		m.t.Fatalf("oldest snapshot %d, want %d", got, oldest)
	}
	if len(m.snaps) > 0 {
		m.checkSnapshot(rapid.SampledFrom(m.snaps).Draw(m.t, "snapshot"))
	}
	for _, p := range m.d.Stats().Partitions {
		if p.Entries != uint64(len(m.want.parts[p.ID])) || p.LastChanged != m.want.changed[p.ID] && !p.Side {
			m.t.Fatalf("statistics %+v, want %d entries, last changed %d", p, len(m.want.parts[p.ID]), m.want.changed[p.ID])
		}
	}
}

// collect removes from the store everything that the database does not claim.
func (m *dbModel) collect() {
	live := claimed(m.t, m.d, m.st)
	m.st.sweep(func(h Hash) bool { return live[h] })
}

func TestDatabaseAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &dbModel{t: t, st: newFake(), side: map[PartID]bool{}, want: world{parts: map[PartID]map[string]Hash{}, changed: map[PartID]uint64{}}}
		m.o = Options{
			fan:               rapid.SampledFrom([]int{2, 4, 9, fanMax}).Draw(t, "fan"),
			CheckpointCommits: -1, // a background checkpoint would make runs irreproducible
			CacheBytes:        rapid.SampledFrom([]int64{-1, 1, 4 << 10}).Draw(t, "cache"),
			Durable:           rapid.Bool().Draw(t, "durable"),
			History:           rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "history"),
			Logger:            quiet,
			PointCacheBytes:   rapid.SampledFrom([]int64{-1, pointBucketBytes, 16 * pointBucketBytes, 1 << 17}).Draw(t, "points"),
			pointTreeMin:      1,
		}
		m.asked = rapid.SliceOfN(anyKey, 0, 4).Draw(t, "asked")
		addPartition := func(side bool) {
			name := fmt.Sprintf("part%d", len(m.names))
			id, err := m.d.Partition(name, side)
			if err != nil {
				t.Fatal(err)
			}
			m.names = append(m.names, name)
			m.side[id] = side
			m.want.parts[id] = map[string]Hash{}
		}
		m.open()
		addPartition(false)
		addPartition(true)
		defer func() { m.close() }()
		t.Repeat(map[string]func(*rapid.T){
			"commit":  func(t *rapid.T) { m.t = t; m.commit(m.ops()) },
			"commit2": func(t *rapid.T) { m.t = t; m.commit(m.ops()) },
			"bulk": func(t *rapid.T) {
				m.t = t
				var ops []Op
				h := value(t, m.st, "bulk")
				for i := range rapid.IntRange(1, 150).Draw(t, "n") {
					ops = append(ops, Op{1, fmt.Sprintf("bulk%03d", i*7%150), Put, h})
				}
				m.commit(ops)
			},
			"graft": func(t *rapid.T) { m.t = t; m.bulk() },
			"diff": func(t *rapid.T) {
				m.t = t
				if len(m.snaps) > 0 {
					now := heldSnapshot{m.d.Snapshot(), m.want}
					defer now.Release()
					then := rapid.SampledFrom(m.snaps).Draw(t, "then")
					m.checkDiff(then, now)
					m.checkDiff(now, then)
				}
			},
			"partition": func(t *rapid.T) {
				m.t = t
				if len(m.names) < 5 {
					addPartition(rapid.Bool().Draw(t, "side"))
				}
			},
			"snapshot": func(t *rapid.T) {
				m.t = t
				m.snaps = append(m.snaps, heldSnapshot{m.d.Snapshot(), m.want})
			},
			"release": func(t *rapid.T) {
				m.t = t
				if len(m.snaps) == 0 {
					return
				}
				i := rapid.IntRange(0, len(m.snaps)-1).Draw(t, "which")
				m.snaps[i].Release()
				if _, _, err := m.snaps[i].Get(1, "x"); !errors.Is(err, ErrReleased) {
					t.Fatalf("get after release: %v", err)
				}
				m.snaps = slices.Delete(m.snaps, i, i+1)
			},
			"dangling": func(t *rapid.T) {
				m.t = t
				ops := append(m.ops(), Op{1, "dangling", Put, hashOf(-99)})
				if _, err := m.d.Commit(t.Context(), ops); !errors.Is(err, ErrDangling) {
					t.Fatalf("a commit that names a record that is not there: %v", err)
				}
			},
			"checkpoint": func(t *rapid.T) {
				m.t = t
				if err := m.d.Checkpoint(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
			"reset": func(t *rapid.T) {
				m.t = t
				id := PartID(rapid.IntRange(1, len(m.names)).Draw(t, "part"))
				if err := m.d.Reset(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if len(m.want.parts[id]) == 0 {
					return
				}
				m.want = m.want.clone()
				m.want.parts[id] = map[string]Hash{}
				if !m.side[id] {
					m.want.gen++
				}
				m.want.changed[id] = m.want.gen
			},
			"collect": func(t *rapid.T) { m.t = t; m.collect() },
			"reopen": func(t *rapid.T) {
				m.t = t
				m.close()
				m.open()
			},
			"crash": func(t *rapid.T) {
				m.t = t
				after := m.st.crash()
				m.close()
				m.st = after
				m.open()
			},
			"": func(t *rapid.T) { m.t = t; m.check() },
		})
	})
}

// After a power cut the state is that after some prefix of the commits: all of the durable ones,
// all of any, but for keys of the side partition whose values are gone.
func TestPowerCutLeavesAPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &dbModel{t: t, st: newFake(), side: map[PartID]bool{2: true}, want: world{parts: map[PartID]map[string]Hash{1: {}, 2: {}}, changed: map[PartID]uint64{}}}
		durable := rapid.Bool().Draw(t, "durable")
		m.o = Options{fan: 4, CheckpointCommits: -1, Durable: durable, Logger: quiet}
		m.open()
		defer func() { m.close() }()
		for i, name := range []string{"a", "b"} {
			if _, err := m.d.Partition(name, i == 1); err != nil {
				t.Fatal(err)
			}
			m.names = append(m.names, name)
		}
		if err := m.d.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			m.history = []world{m.want} // since what is certain to survive
			for range rapid.IntRange(0, 12).Draw(t, "commits") {
				if rapid.IntRange(0, 4).Draw(t, "how") > 0 {
					m.commit(m.ops())
				} else {
					m.bulk()
				}
				if rapid.IntRange(0, 5).Draw(t, "checkpoint") == 0 {
					if err := m.d.Checkpoint(t.Context()); err != nil {
						t.Fatal(err)
					}
					m.history = []world{m.want}
				}
			}
			if durable {
				m.history = m.history[len(m.history)-1:]
			}
			after := m.st.cutPower(newRand(rapid.Uint64().Draw(t, "cut")))
			m.close()
			m.st = after
			for _, w := range m.history { // R2
				maps.DeleteFunc(w.parts[2], func(_ string, h Hash) bool { return !after.Has(h) })
			}
			m.open()
			got := world{parts: map[PartID]map[string]Hash{}}
			for id := range m.want.parts {
				got.parts[id] = map[string]Hash{}
				if err := m.d.LatestRange(id, "", "", false, func(k string, h Hash) bool { got.parts[id][k] = h; return true }); err != nil {
					t.Fatal(err)
				}
			}
			// The generation is that of the state, or beyond all that are still known.
			gen := m.d.Generation()
			i := slices.IndexFunc(m.history, func(w world) bool {
				return maps.Equal(w.parts[1], got.parts[1]) && maps.Equal(w.parts[2], got.parts[2]) && gen >= w.gen
			})
			if i < 0 {
				t.Fatalf("generation %d, %v is the state after none of %d commits", gen, got.parts, len(m.history))
			}
			m.want = m.history[i].clone()
			m.want.gen = m.d.Generation()
		}
	})
}
