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
	Policy  Policy
	Results uint64 // how many different results there are
	Blob    bool   // the result names bytes in the store
	Table   bool   // the result is a table, each of whose names has what the number was at a time
	Body    []Op
}

// A Policy is what a query says of its answers.
type Policy int

// The policies of queries.
const (
	Ordinary Policy = iota
	KeepsErrors
	InMemory
	SaidCheap
	OneRun   // is kept of each key
	ManyRuns // are
	Fixed    // it may need itself: see fixed.go
	policies
)

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

	// Of queries that may need themselves.
	Needs  int  // a letter that the value must have; 0: none
	Unless int  // a letter that has the value be all letters, instead of the read; 0: none
	Turn   int  // what is read gives other letters
	Grow   bool // and a higher level
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
	AsideOf // the same, of the whole, of which no more is recorded
	PartsOf // all names of a table at once
	NamesOf // which names a table has
)

// A Read is one read. Which fields mean something depends on the kind.
type Read struct {
	Kind     ReadKind
	Part     int
	Key      string // of a record; "": by the number
	Pat      Pattern
	Backward bool
	After    string // "": from the beginning
	Most     int    // Limit, or the size of a page; 0: all
	Stop     int    // how many a scan looks at before it breaks off; 0: all
	Query    int
	Arg      string // of a query, of All several; "": by the number
	Among    int    // that many partitions, from Part on: which is read is by the number; 0: Part
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

const allArgs = "01" // as All is asked for them

// lists are the keys that All asks for where that may not be a cycle. Between them keys come and go
// at either end and within.
var lists = []string{"01", "0123", "123", "0234", "01234", "01234567", "1234567", "012345678"}

// A Failure is an error that a program makes, or the engine on its behalf.
type Failure struct {
	Kind string // "fails", "panics", "cycle" or "diverges"
	Of   Cell   // that failed; none for the last two
}

func (f *Failure) Error() string {
	if f.Kind == cycle || f.Kind == diverges {
		return f.Kind
	}
	return fmt.Sprintf("%v %s", f.Of, f.Kind)
}

const (
	fails    = "fails"
	panics   = "panics"
	cycle    = "cycle"
	diverges = "diverges"
)

// A world is what a query can see.
type world interface {
	// read returns what the query is told and what else its reuse depends on.
	read(r *Read) (told, beside string, err error)

	// maybe is a read that another call may make which leads to the same result.
	maybe(r *Read) (told string)
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
	kept  bool // nothing was met that a trace cannot name, and what came out is an answer

	alien bool // an error was met that no program makes

	// Names of the trace: of what the query was told, of all that its reuse depends on, and of what
	// it may depend on besides. Of two runs of one query that have the same trace each could have
	// been spared by the other.
	told, least, trace uint64

	seen []seen // of a query that may need itself: what it read
}

// A seen is a read and what was told.
type seen struct {
	Read
	told string
}

// begin begins the trace of a run, and returns its name.
func (r *run) begin(q *Query, c Cell) (name uint64) {
	name = mix(0, fmt.Sprint(c, q.Version))
	r.kept = true
	r.told, r.least, r.trace = name, name, name
	return name
}

// took takes down a read. It returns what the query makes of it, or that it ends with the error.
func (r *run) took(op *Op, read *Read, told, beside string, err error) (as string, ends bool) {
	if as = told; err != nil {
		f, ok := err.(*Failure)
		r.alien = r.alien || !ok
		told, as = "error", "tolerated"
		ends = !op.Tolerant || ok && f.Kind == cycle
	}
	r.told = mix(mix(r.told, read.String()), told)
	r.least = mix(mix(mix(r.least, read.String()), told), beside)
	r.trace = mix(mix(mix(r.trace, read.String()), told), beside)
	return as, ends
}

// fail ends a run with an error. One that the query met, or made, may be its answer.
func (r *run) fail(q *Query, err error) run {
	r.err = err
	r.kept = r.kept && q.Policy == KeepsErrors
	return *r
}

// call runs a query. It is the interpreter of programs, over any world.
func (q *Query) call(w world, c Cell) (r run) {
	if q.Policy == Fixed {
		return q.callFixed(w, c)
	}
	now := r.begin(q, c)
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
			read := op.Read.at(now)
			told, beside, err := w.read(&read)
			told, ends := r.took(op, &read, told, beside, err)
			if ends {
				return r.fail(q, err)
			}
			now = mix(now, told)
		case Skip:
			i += op.N
		default:
			var err error
			if now, err = r.other(q, w, op, c, now); err != nil {
				return r.fail(q, err)
			}
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

// other does an operation that neither reads nor skips.
func (r *run) other(q *Query, w world, op *Op, c Cell, now uint64) (uint64, error) {
	switch op.Kind {
	case Fail:
		return now, &Failure{fails, c}
	case Panic:
		r.kept = false
		return now, &Failure{panics, c}
	case Look:
		now = mix(now, fmt.Sprint(w.weather()))
		fallthrough
	case Unstable:
		w.unstable()
		r.kept = false
	case Yield:
		w.yield()
	}
	return now, nil
}

// at returns the read that r is where the number is now.
func (r Read) at(now uint64) Read {
	from := args
	if r.Kind == All {
		from = lists
	}
	if r.Arg == "" {
		r.Arg = from[now>>16%uint64(len(from))]
	}
	if r.Kind < Batch && r.Key == "" {
		r.Key = recordKeys[now>>24%uint64(len(recordKeys))]
	}
	if r.Among > 0 {
		r.Part = (r.Part + int(now>>20%uint64(r.Among))) % r.Among
		r.Among = 0
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

var policyNames = [policies]string{
	KeepsErrors: "keeps errors", InMemory: "in memory only", SaidCheap: "said to be cheap",
	OneRun: "keeps one run", ManyRuns: "keeps many runs", Fixed: "may need itself",
}

func (q *Query) show(b *strings.Builder, number int) {
	fmt.Fprintf(b, "query q%d, version %d, %d results", number, q.Version, q.Results)
	if q.Blob {
		b.WriteString(", names a blob")
	}
	if q.Table {
		b.WriteString(", a table")
	}
	if q.Policy != Ordinary {
		b.WriteString(", " + policyNames[q.Policy])
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
		if op.Unless > 0 {
			s = fmt.Sprintf("all letters if there is a %d, else %s", op.Unless, s)
		}
		if op.Turn > 0 {
			s += fmt.Sprintf(", turned by %d", op.Turn)
		}
		if op.Grow {
			s += ", a level higher"
		}
	case Skip:
		s = fmt.Sprintf("skip %d", op.N)
	default:
		s = [...]string{Fail: "fail", Panic: "panic", Unstable: "unstable", Look: "look at the weather", Yield: "yield"}[op.Kind]
	}
	if op.Needs > 0 {
		s = fmt.Sprintf("if there is a %d: %s", op.Needs, s)
	}
	if op.Mod > 0 {
		s = fmt.Sprintf("if number%%%d == %d: %s", op.Mod, op.Is, s)
	}
	return s
}

func (r *Read) String() string {
	p := partNames[r.Part]
	if r.Among > 0 {
		p = fmt.Sprintf("one of %v", partNames[:r.Among])
	}
	var b strings.Builder
	switch r.Kind {
	case Get, Has, Hash:
		key := r.Key
		if key == "" {
			key = "any"
		}
		fmt.Fprintf(&b, "%s %s[%s]", [...]string{"get", "has", "hash"}[r.Kind], p, key)
		return b.String()
	case Batch:
		fmt.Fprintf(&b, "batch %s%v", p, recordKeys)
		return b.String()
	case Count:
		fmt.Fprintf(&b, "count %s[%v]", p, r.Pat)
		return b.String()
	case PartOf, AsideOf:
		how := ""
		if r.Kind == AsideOf {
			how = " of the whole"
		}
		return fmt.Sprintf("part %s%s of q%d(%s)", r.Key, how, r.Query, r.Arg)
	case Ask, All, PartsOf, NamesOf:
		name := [...]string{Ask: "ask", All: "all", PartsOf: "parts of", NamesOf: "names of"}[r.Kind]
		if r.Kind == All {
			return fmt.Sprintf("%s q%d%v", name, r.Query, strings.Split(r.Arg, ""))
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
