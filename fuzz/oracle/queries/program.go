package queries

import (
	"fmt"
	"strings"
)

// A Program is what a build of an imaginary program computes: queries that read partitions and each
// other. Query i is named qi.
type Program struct{ Queries []Query }

// A Query goes through its operations with a number into which everything it reads is mixed, so
// that what it reads later depends on what it has read. Of that number little is left in the
// result: results are often equal, although what they were computed from is not.
type Query struct {
	Version int
	Results uint64 // how many different results there are
	Blob    bool   // the result names bytes in the store
	Table   bool   // the result is a table, each of whose names has what the number was at a time
	Body    []Op
}

// An OpKind is what an operation does.
type OpKind int

// The kinds of operations.
const (
	DoRead OpKind = iota
	Skip          // the next N operations
	Fail
	Panic
	Unstable
	Look  // at the weather, which is in no partition, so that the result is unstable
	Yield // to other tasks
)

// An Op is done if the number is Is, modulo Mod; without a Mod it always is.
type Op struct {
	Kind     OpKind
	Mod, Is  uint64
	N        int
	Read     Read
	Tolerant bool // goes on after an error of the read, but not after a cycle
}

// A ReadKind is a form of reading.
type ReadKind int

// The forms of reading.
const (
	Get ReadKind = iota
	Has
	Hash
	Batch
	Keys
	Count
	Scan
	Page
	Ask
	All
	PartOf  // Key of a table
	PartsOf // all names of a table at once
	NamesOf // which names a table has
)

// A Read is one read. Which fields mean something depends on the kind.
type Read struct {
	Kind     ReadKind
	Part     int
	Key      string
	Pat      Pattern
	Backward bool
	After    string // "": from the beginning
	Most     int    // Limit, or the size of a page; 0: all
	Stop     int    // how many a scan looks at before it breaks off; 0: all
	Query    int
	Arg      string // of a query; "": by the number
}

// A Cell is a query at a key.
type Cell struct {
	Query int
	Arg   string
}

// tableNames are the names that tables may have.
var tableNames = []string{"x", "y", "z"}

// args are the keys of queries.
var args = []string{"0", "1"}

// A Failure is an error that a program makes, or the engine on its behalf.
type Failure struct {
	Kind string // "fails", "panics" or "cycle"
	Of   Cell   // that failed; none for a cycle
}

func (f *Failure) Error() string {
	if f.Kind == cycle {
		return cycle
	}
	return fmt.Sprintf("%v %s", f.Of, f.Kind)
}

const (
	fails  = "fails"
	panics = "panics"
	cycle  = "cycle"
)

// A world is what a query can see.
type world interface {
	// read returns what the query is told and what else its reuse depends on.
	read(r *Read) (told, beside string, err error)
	weather() int
	unstable()
	yield()
}

// A run is what came of one call of a query.
type run struct {
	text  string
	table map[string]int // of a table
	err   error
	blob  bool
	kept  bool // nothing was met that a trace cannot name

	alien bool // an error was met that no program makes

	// Names of the trace: of what the query was told, and of all that its reuse depends on. Of two
	// runs of one query that have the same trace each could have been spared by the other.
	told, trace uint64
}

// call runs a query. It is the interpreter of programs, over any world.
func (q *Query) call(w world, c Cell) (r run) {
	r.kept = true
	now := mix(0, fmt.Sprint(c, q.Version))
	r.told, r.trace = now, now
	for i := 0; i < len(q.Body); i++ {
		if q.Table && 0 < i && i <= len(tableNames) {
			r.entry(tableNames[i-1], now, q.Results)
		}
		op := &q.Body[i]
		if op.Mod > 0 && now>>16%op.Mod != op.Is {
			continue
		}
		switch op.Kind {
		case DoRead:
			read := op.Read
			if read.Arg == "" {
				read.Arg = args[now>>16%uint64(len(args))]
			}
			told, beside, err := w.read(&read)
			if err != nil {
				r.kept = false
				f, ok := err.(*Failure)
				r.alien = r.alien || !ok
				if !op.Tolerant || ok && f.Kind == cycle {
					r.err = err
					return r
				}
				told = "tolerated"
			}
			now = mix(now, told)
			r.told = mix(mix(r.told, read.String()), told)
			r.trace = mix(mix(mix(r.trace, read.String()), told), beside)
		case Skip:
			i += op.N
		case Fail:
			r.err, r.kept = &Failure{fails, c}, false
			return r
		case Panic:
			r.err, r.kept = &Failure{panics, c}, false
			return r
		case Unstable:
			w.unstable()
			r.kept = false
		case Look:
			now = mix(now, fmt.Sprint(w.weather()))
			w.unstable()
			r.kept = false
		case Yield:
			w.yield()
		}
	}
	if q.Table {
		r.entry(tableNames[len(tableNames)-1], now, q.Results)
		r.text = tellTable(r.table)
		return r
	}
	r.blob = q.Blob
	if r.text = fmt.Sprintf("q%d=%d", c.Query, now>>16%max(q.Results, 1)); q.Blob {
		r.text += ", and a blob"
	}
	return r
}

// entry gives a name of a table a value, or none.
func (r *run) entry(name string, number, results uint64) {
	if r.table == nil {
		r.table = map[string]int{}
	}
	v := int(number >> 16 % (max(results, 1) + 1))
	if delete(r.table, name); v > 0 {
		r.table[name] = v
	}
}

// mix is a step of FNV-1a over a text and its end.
func mix(h uint64, text string) uint64 {
	const prime = 1099511628211
	if h == 0 {
		h = 14695981039346656037
	}
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	return (h ^ 0xff) * prime
}

func (c Cell) String() string { return fmt.Sprintf("q%d(%s)", c.Query, c.Arg) }

func (q *Query) show(b *strings.Builder, number int) {
	fmt.Fprintf(b, "query q%d, version %d, %d results", number, q.Version, q.Results)
	if q.Blob {
		b.WriteString(", names a blob")
	}
	if q.Table {
		b.WriteString(", a table")
	}
	b.WriteString(":\n")
	for i := range q.Body {
		fmt.Fprintf(b, "    %v\n", &q.Body[i])
	}
}

func (op *Op) String() (s string) {
	switch op.Kind {
	case DoRead:
		if s = op.Read.String(); op.Tolerant {
			s += ", or go on"
		}
	case Skip:
		s = fmt.Sprintf("skip %d", op.N)
	default:
		s = [...]string{Fail: "fail", Panic: "panic", Unstable: "unstable", Look: "look at the weather", Yield: "yield"}[op.Kind]
	}
	if op.Mod > 0 {
		s = fmt.Sprintf("if number%%%d == %d: %s", op.Mod, op.Is, s)
	}
	return s
}

func (r *Read) String() string {
	p := partNames[r.Part]
	var b strings.Builder
	switch r.Kind {
	case Get, Has, Hash:
		fmt.Fprintf(&b, "%s %s[%s]", [...]string{"get", "has", "hash"}[r.Kind], p, r.Key)
		return b.String()
	case Batch:
		fmt.Fprintf(&b, "batch %s%v", p, recordKeys)
		return b.String()
	case Count:
		fmt.Fprintf(&b, "count %s[%v]", p, r.Pat)
		return b.String()
	case PartOf:
		return fmt.Sprintf("part %s of q%d(%s)", r.Key, r.Query, r.Arg)
	case Ask, All, PartsOf, NamesOf:
		name := [...]string{Ask: "ask", All: "all", PartsOf: "parts of", NamesOf: "names of"}[r.Kind]
		if r.Kind == All {
			return fmt.Sprintf("%s q%d%v", name, r.Query, args)
		}
		return fmt.Sprintf("%s q%d(%s)", name, r.Query, r.Arg)
	}
	fmt.Fprintf(&b, "%s %s[%v]", [...]string{Keys: "keys", Scan: "scan", Page: "page"}[r.Kind], p, r.Pat)
	if r.Backward {
		b.WriteString(" backward")
	}
	if r.After != "" {
		fmt.Fprintf(&b, " after %s", r.After)
	}
	if r.Most > 0 {
		fmt.Fprintf(&b, " most %d", r.Most)
	}
	if r.Stop > 0 {
		fmt.Fprintf(&b, " stop at %d", r.Stop)
	}
	return b.String()
}
