package memo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Graph is what some answers rest on, and what rests on them, as their newest traces say.
type Graph struct {
	Nodes []GraphNode `json:"nodes"`
	Edges []GraphEdge `json:"edges"`

	// Cut: there is more, beyond the depth or the size that was asked for.
	Cut bool `json:"cut,omitempty"`
}

// A GraphNode is an answer, or something that answers have read.
type GraphNode struct {
	Name   string `json:"name"`             // as Explain names what is read
	Query  bool   `json:"query,omitempty"`  // an answer
	Why    string `json:"why,omitempty"`    // of an answer: how it was last given in this process
	Result string `json:"result,omitempty"` // of an answer: the hash of the newest result
	Level  int    `json:"level"`            // 0: asked about; above 0: what that rests on; below: what rests on it
}

// A GraphEdge says that one node rests on another, both by their place in the list.
type GraphEdge struct {
	From int `json:"from"`
	To   int `json:"to"`

	// Of a table that is not read as a whole: the names that are, and whether which names there
	// are.
	Parts []string `json:"parts,omitempty"`
	Names bool     `json:"names,omitempty"`
}

// A KeyOf is a key of a query.
type KeyOf struct {
	Query *Query
	Key   string // encoded
}

// A graphing is a graph that is being made.
type graphing struct {
	table    *Table
	nodesMax int
	at       map[string]int   // of nodes, by what they are
	edges    map[[2]int]*edge // by the places of their nodes
	Graph
}

// An edge is one that is being made.
type edge struct {
	GraphEdge
	whole bool // a table is read as one, too
}

// Graph returns what is around some keys: below them and above them up to depth steps away, and no
// more than nodesMax nodes. What rests on a key is known of the keys in memory, and of the traces
// in the store.
func (t *Table) Graph(around []KeyOf, depth, nodesMax int) (Graph, error) {
	g := &graphing{table: t, nodesMax: nodesMax, at: map[string]int{}, edges: map[[2]int]*edge{}}
	for _, k := range around {
		g.query(k, 0)
	}
	here := around
	for level := 0; level < depth && len(here) > 0; level++ {
		var next []KeyOf
		for _, k := range here {
			below, err := g.below(k, level+1)
			if err != nil {
				return Graph{}, err
			}
			next = append(next, below...)
		}
		here = next
	}
	g.Cut = g.Cut || len(here) > 0
	here = around
	for level := 0; level < depth && len(here) > 0; level++ {
		var err error
		if here, err = g.above(here, -level-1); err != nil {
			return Graph{}, err
		}
	}
	g.Cut = g.Cut || len(here) > 0
	for _, e := range g.edges {
		if e.whole {
			e.Parts, e.Names = nil, false
		}
		slices.Sort(e.Parts)
		e.Parts = slices.Compact(e.Parts)
		g.Edges = append(g.Edges, e.GraphEdge)
	}
	slices.SortFunc(g.Edges, func(a, b GraphEdge) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	return g.Graph, nil
}

// node returns the place of a node, and whether it is new; -1: there is no room for it.
func (g *graphing) node(id string, n GraphNode) (at int, isNew bool) {
	if at, there := g.at[id]; there {
		return at, false
	}
	if len(g.Nodes) >= g.nodesMax {
		g.Cut = true
		return -1, false
	}
	g.Nodes = append(g.Nodes, n)
	g.at[id] = len(g.Nodes) - 1
	return len(g.Nodes) - 1, true
}

func queryID(k KeyOf) string { return storeKey(k.Query, k.Key) }

// query makes the node of an answer.
func (g *graphing) query(k KeyOf, level int) (at int, isNew bool) {
	if at, there := g.at[queryID(k)]; there {
		return at, false
	}
	n := GraphNode{Name: k.Query.show(k.Key), Query: true, Level: level}
	if traces, err := g.table.tracesOf(k.Query, k.Key); err == nil && len(traces) > 0 {
		n.Result = traces[0].result.String()
	}
	if e := k.Query.entry(k.Key); e != nil {
		e.mu.Lock()
		if why := e.reason(); why.Verdict != Unknown {
			n.Why = why.String()
		}
		e.mu.Unlock()
	}
	return g.node(queryID(k), n)
}

// edge makes the edge of a read.
func (g *graphing) edge(from, to int, r *read) {
	if from < 0 || to < 0 {
		return
	}
	e := g.edges[[2]int{from, to}]
	if e == nil {
		e = &edge{GraphEdge: GraphEdge{From: from, To: to}}
		g.edges[[2]int{from, to}] = e
	}
	switch r.kind {
	case readPart:
		e.Parts = append(e.Parts, r.name)
	case readNames:
		e.Names = true
	default:
		e.whole = true
	}
}

// below adds what an answer has read, and returns the answers among that which are new.
func (g *graphing) below(k KeyOf, level int) (next []KeyOf, err error) {
	t := g.table
	traces, err := t.tracesOf(k.Query, k.Key)
	if err != nil || len(traces) == 0 {
		return nil, err
	}
	from := g.at[queryID(k)]
	for i := range traces[0].reads {
		r := &traces[0].reads[i]
		if q := t.asked(r); q != nil {
			to, isNew := g.query(KeyOf{q, r.key}, level)
			if isNew {
				next = append(next, KeyOf{q, r.key})
			}
			g.edge(from, to, r)
			continue
		}
		id := r.id()
		to, _ := g.node(fmt.Sprintf("%d %d %q %q %q", id.kind, id.part, id.key, id.hi, id.glob), GraphNode{Name: t.describe(r), Level: level})
		g.edge(from, to, r)
	}
	return next, nil
}

// asked returns the query that a read asks, nil if it asks none, or one that is not there.
func (t *Table) asked(r *read) *Query {
	if !r.kind.asks() {
		return nil
	}
	return t.o.Lookup(r.query)
}

// above adds the answers whose newest trace reads any of some keys, and returns those that are new.
func (g *graphing) above(keys []KeyOf, level int) (next []KeyOf, err error) {
	wanted := map[string]int{}
	for _, k := range keys {
		if at, there := g.at[queryID(k)]; there {
			wanted[queryID(k)] = at
		}
	}
	seen := map[string]bool{}
	reader := func(k KeyOf, tr *trace) {
		if seen[queryID(k)] {
			return
		}
		seen[queryID(k)] = true
		for i := range tr.reads {
			q := g.table.asked(&tr.reads[i])
			if q == nil {
				continue
			}
			to, there := wanted[storeKey(q, tr.reads[i].key)]
			if !there {
				continue
			}
			from, isNew := g.query(k, level)
			if isNew {
				next = append(next, k)
			}
			g.edge(from, to, &tr.reads[i])
		}
	}
	for _, k := range keys {
		e := k.Query.entry(k.Key)
		if e == nil {
			continue
		}
		e.source.mu.Lock()
		dependents := e.appendTo(nil)
		e.source.mu.Unlock()
		for _, d := range dependents {
			if newest, _ := d.newest(); newest != nil {
				reader(KeyOf{d.query, d.key()}, newest)
			}
		}
	}
	return next, g.table.eachStored(func(k KeyOf, newest *trace) bool {
		reader(k, newest)
		return len(g.Nodes) < g.nodesMax || !g.Cut
	})
}

// newest returns the trace that was used last, and whether the stored ones are known.
func (e *entry) newest() (tr *trace, loaded bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.traces, e.loaded
}

// eachStored calls fn with the newest trace of each key that the store has one of, until it returns
// false.
func (t *Table) eachStored(fn func(k KeyOf, newest *trace) bool) error {
	err := t.o.DB.LatestRange(t.part, "", "", false, func(stored string, h mmapcas.Hash) bool {
		name, key, isTrace := strings.Cut(stored, keySeparator)
		if !isTrace {
			return true
		}
		q := t.o.Lookup(name)
		if q == nil {
			return true
		}
		if e := q.entry(key); e != nil {
			if newest, loaded := e.newest(); newest != nil {
				return fn(KeyOf{q, key}, newest)
			} else if loaded {
				return true
			}
		}
		goOn := true
		_ = t.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error { // one that is damaged is none
			made, traces, err := decodeTraces(payload, t.named)
			if err == nil && kind == KindTrace && made.version == q.Version && len(traces) > 0 {
				goOn = fn(KeyOf{q, key}, traces[0])
			}
			return nil
		})
		return goOn
	})
	if err != nil {
		return fmt.Errorf("memo: reading the stored traces: %w", err)
	}
	return nil
}

// DOT returns the graph in the language of Graphviz.
func (g Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph answers {\n\trankdir=LR;\n\tnode [shape=box, fontname=monospace];\n")
	for i, n := range g.Nodes {
		label, style := n.Name, ""
		switch {
		case n.Level == 0:
			style = ", style=bold"
		case !n.Query:
			style = ", shape=note"
		}
		if n.Why != "" {
			label += "\n" + n.Why
		}
		fmt.Fprintf(&b, "\tn%d [label=%s%s];\n", i, quoteDOT(label), style)
	}
	for _, e := range g.Edges {
		label := ""
		if e.Names || len(e.Parts) > 0 {
			label = fmt.Sprintf(" [label=%s]", quoteDOT(e.label()))
		}
		fmt.Fprintf(&b, "\tn%d -> n%d%s;\n", e.From, e.To, label)
	}
	if g.Cut {
		b.WriteString("\tmore [label=\"there is more\", shape=plaintext];\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// label says what of a table is read.
func (e *GraphEdge) label() string {
	var parts []string
	if e.Names {
		parts = append(parts, "its names")
	}
	for _, name := range e.Parts {
		parts = append(parts, fmt.Sprintf("[%q]", name))
	}
	return strings.Join(parts, "\n")
}

// quoteDOT returns a string of Graphviz, in which \l ends a line.
func quoteDOT(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\l`, "\x00", `\\0`).Replace(s)
	return `"` + s + `\l"`
}
