package memo

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A program is a random query function: steps over a number that each read is mixed into, so that
// what is read later depends on what was read before. It runs over a world, which is the real thing
// or plain maps.
type program struct {
	name    string
	version uint32
	steps   []step
	results int  // how many different results there are: few, so that results are often equal
	blob    bool // the result refers to a record
	table   bool // the result is a table, of which others read parts
}

// A world is what a program can see.
type world interface {
	get(part int, key string) (string, error)
	has(part int, key string) (bool, error)
	count(part int, lo, hi, glob string) (uint64, error)
	scan(part int, sp db.Span, glob string, values bool, fn func(key, value string) bool) error
	ask(name, key string) (string, error)
	all(name string, keys []string) ([]string, error)
	part(name, key, part string) (string, error)
	names(name, key string) (string, error)
	aside(name, key, part string) (string, error) // part, of the whole, of which no more is recorded
	weather() int                                 // outside of every partition: whoever looks must not be kept
	pause()
}

type stepKind int

const (
	stepGet stepKind = iota
	stepHas
	stepCount
	stepScan
	stepAsk
	stepAll
	stepPart
	stepNames
	stepAside
	stepSkip    // the next steps, if what was read so far says so
	stepFail    // if what was read so far says so
	stepWeather // mixes it in
	stepStorm   // fails in bad weather
	stepPause
	stepKinds
)

type step struct {
	kind     stepKind
	part     int
	key, hi  string
	glob     string
	reverse  bool
	values   bool
	limit    int // of keys seen by a scan; 0: none
	query    string
	name     string // of a part
	tolerant bool   // an error below is not passed on
	mod, is  uint64
	n        int
}

const (
	programLayers   = 4
	programsInLayer = 3
	programParts    = 4
)

var (
	programKeys = []string{"0", "1"}
	recordKeys  = []string{"a", "b", "c", "d", "e"}
)

func programName(layer, i int) string { return fmt.Sprintf("q%d%d", layer, i) }

// newPrograms makes layers of programs that ask those of lower layers only.
func newPrograms(rng *rand.Rand) []*program {
	var all []*program
	for layer := range programLayers {
		for i := range programsInLayer {
			all = append(all, newProgram(rng, layer, i))
		}
	}
	return all
}

func newProgram(rng *rand.Rand, layer, i int) *program {
	p := &program{name: programName(layer, i), version: 1, results: 1 + rng.IntN(4), blob: rng.IntN(2) == 0, table: rng.IntN(2) == 0}
	for range 2 + rng.IntN(6) {
		s := step{
			kind: stepKind(rng.IntN(int(stepKinds))), part: rng.IntN(programParts),
			key: pick(rng, recordKeys), hi: pick(rng, recordKeys),
			reverse: rng.IntN(2) == 0, values: rng.IntN(2) == 0, limit: rng.IntN(3), tolerant: rng.IntN(3) == 0,
			mod: 2 + rng.Uint64N(3), n: 1 + rng.IntN(3),
		}
		s.is = rng.Uint64N(s.mod)
		if s.hi < s.key || rng.IntN(4) == 0 {
			s.hi = "" // unbounded
		}
		if rng.IntN(3) == 0 {
			s.glob = "[" + pick(rng, recordKeys) + pick(rng, recordKeys) + pick(rng, recordKeys) + "]"
		}
		if layer > 0 {
			if rng.IntN(2) == 0 {
				s.kind = pick(rng, []stepKind{stepAsk, stepPart, stepAside}) // most of what a query above others does
			}
			s.query = programName(rng.IntN(layer), rng.IntN(programsInLayer))
			s.name = pick(rng, []string{"odd", "only even", "text", "missing"})
		} else if s.kind >= stepAsk && s.kind <= stepAside {
			s.kind = stepGet
		}
		if (s.kind == stepWeather || s.kind == stepStorm || s.kind == stepFail) && rng.IntN(2) == 0 {
			s.kind = stepSkip // else most of all answers would not be kept
		}
		p.steps = append(p.steps, s)
	}
	return p
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// run is the query function.
func (p *program) run(w world, key string) (string, error) {
	h := fnv.New64a()
	mix := func(args ...any) uint64 { fmt.Fprint(h, args...); fmt.Fprint(h, ";"); return h.Sum64() }
	now := mix(key, p.version)
	for i := 0; i < len(p.steps); i++ {
		s := &p.steps[i]
		var err error
		switch s.kind {
		case stepGet:
			var v string
			v, err = w.get(s.part, s.key)
			now = mix(v)
		case stepHas:
			var has bool
			has, err = w.has(s.part, s.key)
			now = mix(has)
		case stepCount:
			var n uint64
			n, err = w.count(s.part, s.key, s.hi, s.glob)
			now = mix(n)
		case stepScan:
			left := s.limit
			sp := db.Span{Lo: s.key, Hi: s.hi, Reverse: s.reverse, Limit: s.n}
			err = w.scan(s.part, sp, s.glob, s.values, func(k, v string) bool {
				if now = mix(k); s.values {
					now = mix(v)
				}
				left--
				return left != 0
			})
		case stepAsk:
			var v string
			if v, err = w.ask(s.query, programKeys[now%2]); err != nil && s.tolerant {
				v, err = "tolerated", nil
			}
			now = mix(v)
		case stepAll:
			var vs []string
			if vs, err = w.all(s.query, programKeys); err != nil && s.tolerant {
				vs, err = nil, nil
			}
			now = mix(vs)
		case stepPart, stepNames, stepAside:
			var v string
			switch key := programKeys[now%2]; s.kind {
			case stepPart:
				v, err = w.part(s.query, key, s.name)
			case stepNames:
				v, err = w.names(s.query, key)
			case stepAside:
				v, err = w.aside(s.query, key, s.name)
			}
			if err != nil && s.tolerant {
				v, err = "tolerated", nil
			}
			now = mix(v)
		case stepSkip:
			if now%s.mod == s.is {
				i += s.n
			}
		case stepFail:
			if now%s.mod == s.is {
				err = fmt.Errorf("%s(%s) fails", p.name, key)
			}
		case stepWeather:
			now = mix(w.weather())
		case stepStorm:
			if w.weather() == 0 {
				err = fmt.Errorf("%s(%s) is in a storm", p.name, key)
			}
		case stepPause:
			w.pause()
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprint(p.name, " gives ", now%uint64(p.results)), nil
}

const (
	kindBlobbed mmapcas.Kind = 201 // the hash of a record, then text
	kindBlob    mmapcas.Kind = 202
)

// blobOf returns the record to which the result of a program refers.
func blobOf(text string) []byte { return []byte("blob of " + text) }

// tableOf is the table that a result is, if it is one.
func tableOf(text string) map[string]string {
	odd := strings.ContainsAny(text[len(text)-1:], "13579")
	values := map[string]string{"text": text, "odd": fmt.Sprint(odd)}
	if !odd {
		values["only even"] = ""
	}
	return values
}

// textOf is the text of a result.
func textOf(value any) string {
	if t, ok := value.(*testTable); ok {
		return string(t.parts.Value(t.parts.Find("text")))
	}
	return value.(string)
}

// result is a result as it is stored.
func (p *program) result(text string) Result {
	var refs []mmapcas.Hash
	if p.blob {
		refs = append(refs, mmapcas.HashOf(kindBlob, blobOf(text)))
	}
	switch {
	case p.table:
		res, err := tableResult(refs, tableOf(text))
		if err != nil {
			panic(err)
		}
		return res
	case p.blob:
		return Result{Kind: kindBlobbed, Payload: append(refs[0][:], text...), Refs: refs, Value: text}
	}
	return Result{Kind: kindTest, Payload: []byte(text), Value: text}
}

// refsOfTest are the references of the records of these tests.
func refsOfTest(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind == kindBlobbed {
		return []mmapcas.Hash{mmapcas.Hash(payload[:len(mmapcas.Hash{})])}
	}
	if kind == KindParts {
		return Refs(kind, payload)
	}
	return nil
}

// A scratch is a world of plain maps, in which everything is computed each time.
type scratch struct {
	m     *model
	state worldState
	out   outcome
}

// An outcome is what a computation from scratch gave.
type outcome struct {
	text    string
	err     error
	tainted bool    // an error or the weather was seen on the way
	parts   partSet // what was read, here and below
}

// A worldState is the partitions of one generation.
type worldState [programParts]map[string]string

func (w *scratch) read(part int) map[string]string {
	w.out.parts |= partBit(w.m.parts[part])
	return w.state[part]
}

func (w *scratch) get(part int, key string) (string, error) { return w.read(part)[key], nil }

func (w *scratch) has(part int, key string) (bool, error) {
	_, ok := w.read(part)[key]
	return ok, nil
}

func (w *scratch) count(part int, lo, hi, glob string) (n uint64, err error) {
	err = w.scan(part, db.Span{Lo: lo, Hi: hi}, glob, false, func(string, string) bool { n++; return true })
	return n, err
}

func (w *scratch) scan(part int, sp db.Span, glob string, _ bool, fn func(key, value string) bool) error {
	values := w.read(part)
	var keys []string
	for k := range values {
		if k >= sp.Lo && (sp.Hi == "" || k < sp.Hi) && (glob == "" || strings.Contains(glob, k)) {
			keys = append(keys, k)
		}
	}
	if slices.Sort(keys); sp.Reverse {
		slices.Reverse(keys)
	}
	for i, k := range keys {
		if !fn(k, values[k]) || i+1 == sp.Limit {
			break
		}
	}
	return nil
}

func (w *scratch) ask(name, key string) (string, error) {
	o := w.m.scratch(w.state, name, key)
	w.out.parts |= o.parts
	w.out.tainted = w.out.tainted || o.tainted || o.err != nil
	return o.text, o.err
}

func (w *scratch) all(name string, keys []string) (out []string, err error) {
	for _, key := range keys {
		text, err := w.ask(name, key)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

func (w *scratch) part(name, key, part string) (string, error) {
	text, err := w.ask(name, key)
	if err != nil || !w.m.programs[name].table {
		return text, err
	}
	if v, ok := tableOf(text)[part]; ok {
		return v, nil
	}
	return "absent", nil
}

func (w *scratch) names(name, key string) (string, error) {
	text, err := w.ask(name, key)
	if err != nil || !w.m.programs[name].table {
		return text, err
	}
	return strings.Join(slices.Sorted(maps.Keys(tableOf(text))), " "), nil
}

func (w *scratch) aside(name, key, part string) (string, error) { return w.part(name, key, part) }

func (w *scratch) weather() int {
	w.out.tainted = true
	return w.m.weather
}

func (w *scratch) pause() {}

// A live is the real thing.
type live struct {
	m *model
	f *Frame
}

func (w *live) get(part int, key string) (string, error) { return w.m.text(w.f, w.m.parts[part], key) }

func (w *live) has(part int, key string) (bool, error) { return w.f.Has(w.m.parts[part], key) }

func (w *live) count(part int, lo, hi, glob string) (uint64, error) {
	return w.f.Count(w.m.parts[part], lo, hi, glob)
}

func (w *live) scan(part int, sp db.Span, glob string, values bool, fn func(key, value string) bool) error {
	var failed error
	err := w.f.Scan(w.m.parts[part], sp, glob, values, func(key string, h mmapcas.Hash) bool {
		p, _, err := w.m.store.Get(h, nil)
		failed = err
		return err == nil && fn(key, string(p))
	})
	if err == nil {
		err = failed
	}
	return err
}

func (w *live) ask(name, key string) (_ string, err error) {
	if w.m.greedy {
		defer w.m.catch(&err)
	}
	return w.m.get(w.f, name, key)
}

func (w *live) all(name string, keys []string) (out []string, err error) {
	if w.m.greedy {
		defer w.m.catch(&err)
	}
	as, err := w.m.table.All(w.f, w.m.queries[name], keys, 2, w.m.spawner(w.f))
	for _, a := range as {
		out = append(out, textOf(a.Value))
	}
	return out, err
}

func (w *live) part(name, key, part string) (_ string, err error) {
	if !w.m.programs[name].table {
		return w.ask(name, key)
	}
	if w.m.greedy {
		defer w.m.catch(&err)
	}
	return w.m.part(w.f, name, key, part)
}

func (w *live) names(name, key string) (_ string, err error) {
	if !w.m.programs[name].table {
		return w.ask(name, key)
	}
	if w.m.greedy {
		defer w.m.catch(&err)
	}
	return w.m.names(w.f, name, key)
}

func (w *live) aside(name, key, part string) (v string, err error) {
	if !w.m.programs[name].table {
		return w.ask(name, key)
	}
	if w.m.greedy {
		defer w.m.catch(&err)
	}
	v = "absent"
	w.f.Unrecorded(func() {
		var a Answer
		if a, err = w.m.table.Get(w.f, w.m.queries[name], key); err != nil {
			return
		}
		parts := a.Value.(*testTable).parts
		if i := parts.Find(part); i >= 0 {
			v = string(parts.Value(i))
		}
	})
	if err == nil {
		_, err = w.m.part(w.f, name, key, part)
	}
	return v, err
}

func (w *live) weather() int {
	w.f.Taint()
	return w.m.weather
}

func (w *live) pause() { w.f.Strand().Task.Yield() }

// catch makes an error of any panic, as a function may that does not know better.
func (m *model) catch(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("caught: %v", r)
	}
}
