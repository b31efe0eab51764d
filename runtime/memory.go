package runtime

import (
	"cmp"
	"slices"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/runtime/account"
)

// Where Go's holders are in an account.
const (
	goHeap = iota
	goFree
	goStacks
	goRuntime
)

// account says who holds the memory of the process. What goes through much (entries, nodes) is in
// it only if detailed.
func (e *Engine) account(detailed bool) account.Account {
	var a account.Account
	parts := e.heapParts(detailed)
	store := e.store.MemoryUse()
	// What changes quickly is read in one moment: the rest takes milliseconds.
	tables := arena.ReadBlockBytes()
	g := account.ReadGo()
	r, known := arena.ReadResidence()

	a.Resident = r.Resident
	heap := account.Holder{Name: "heap", Bytes: g.Objects, Parts: parts}
	heap.Parts = append(heap.Parts, account.Holder{Name: "not collected yet", Bytes: max(g.Objects-g.Live, 0)})
	if caches := e.governor.cached(); len(caches) > 0 {
		c := account.Holder{Name: "caches of the program", Parts: caches}
		for _, p := range caches {
			c.Bytes += p.Bytes
		}
		heap.Parts = append(heap.Parts, c)
	}
	if store.OnHeap > 0 {
		heap.Parts = append(heap.Parts, account.Holder{Name: "segments", Bytes: store.OnHeap})
	}
	largestFirst(heap.Parts)
	segments := account.Holder{
		Name: "segments", Bytes: store.Segments.Resident, Count: int64(store.Segments.Segments),
	}
	points := e.db.PointBytes()
	off := account.Holder{Name: "tables", Bytes: tables.Resident, Parts: []account.Holder{
		{Name: "index", Bytes: store.Index, Count: e.store.Stats().Records},
		{Name: "point cache", Bytes: points},
		{Name: "collector's marks", Bytes: store.Marks},
	}}
	a.Holders = []account.Holder{
		goHeap:    heap,
		goFree:    {Name: "free heap", Bytes: g.Idle},
		goStacks:  {Name: "stacks", Bytes: g.Stacks},
		goRuntime: {Name: "Go's runtime", Bytes: g.Runtime},
		segments,
		off,
	}
	if known {
		// Go asks for much that it has not touched yet: for its runtime, for a heap that grows, for
		// a large object. What no file has and is nobody else's is the most of it that can be in
		// memory.
		left := r.Resident - r.Files - tables.Resident
		if e.store.Dir() == "" {
			left -= segments.Bytes
		}
		for _, i := range []int{goStacks, goHeap, goFree, goRuntime} {
			h := &a.Holders[i]
			h.Bytes = min(h.Bytes, max(left, 0))
			left -= h.Bytes
		}
		// A store in memory has its segments among what no file has.
		files := segments.Bytes
		if e.store.Dir() == "" {
			files = 0
		}
		a.Holders = append(a.Holders, account.Holder{Name: "program", Bytes: max(r.Files-files, 0)})
	} else {
		a.Unknown = append(a.Unknown, "the program and its libraries")
	}
	if !store.Known {
		a.Unknown = append(a.Unknown, "how much of the segments is in memory")
	}
	return a
}

// heapParts is what the engine has counted on Go's heap.
func (e *Engine) heapParts(detailed bool) []account.Holder {
	in := e.memo.Residency()
	answers := account.Holder{Name: "answers", Bytes: in.Bytes, Count: int64(in.Entries)}
	results := account.Holder{Name: "decoded results", Bytes: in.DecodedBytes}
	held := account.Holder{Name: "not stored yet", Bytes: in.HeldBytes}
	st := e.db.Stats()
	trees := account.Holder{Name: "partitions", Bytes: st.CachedBytes}
	snapshots := account.Holder{Name: "older generations", Count: int64(st.Snapshots)}
	if !detailed {
		return []account.Holder{answers, results, held, trees, snapshots}
	}
	e.queries.Range(func(name string, b boundQuery) bool {
		m := b.memo.Memory()
		answers.Parts = append(answers.Parts, account.Holder{Name: name, Bytes: m.Traces, Count: m.Keys})
		results.Parts = append(results.Parts, account.Holder{Name: name, Bytes: m.Results})
		return true
	})
	use := e.db.MemoryUse()
	trees.Bytes = 0
	for _, p := range use.Partitions {
		trees.Bytes += p.Bytes
		trees.Count += p.Nodes
		trees.Parts = append(trees.Parts, account.Holder{Name: p.Name, Bytes: p.Bytes, Count: p.Nodes})
	}
	snapshots.Bytes = use.Old.Bytes
	notes := account.Holder{Name: "notes for the reaper", Bytes: use.Notes, Count: int64(st.Replaced)}
	for _, h := range []*account.Holder{&answers, &results, &trees} {
		largestFirst(h.Parts)
	}
	return []account.Holder{answers, results, held, trees, snapshots, notes}
}

// largestFirst puts the largest first.
func largestFirst(list []account.Holder) {
	slices.SortStableFunc(list, func(a, b account.Holder) int { return cmp.Compare(b.Bytes, a.Bytes) })
}
