package memo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// A testTable is a decoded table of texts.
type testTable struct{ parts *Parts }

func (t *testTable) Parts() *Parts { return t.parts }

func (t *testTable) Decode(int) error { return nil }

func (t *testTable) String() string {
	var all []string
	for i := range t.parts.Len() {
		all = append(all, t.parts.Name(i)+"="+string(t.parts.Value(i)))
	}
	return strings.Join(all, " ")
}

func decodeTestTable(kind mmapcas.Kind, payload []byte) (any, error) {
	parts, err := ReadParts(kind, bytes.Clone(payload))
	return &testTable{parts}, err
}

// tableResult is the result of a query that gives a table.
func tableResult(refs []mmapcas.Hash, values map[string]string) (Result, error) {
	var parts []Part
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, Part{name, []byte(values[name])})
	}
	payload, err := EncodeParts(refs, parts)
	if err != nil {
		return Result{}, err
	}
	v, err := decodeTestTable(KindParts, payload)
	return Result{Kind: KindParts, Payload: payload, Refs: refs, Value: v}, err
}

// tabular defines a query whose results are tables.
func (r *rig) tabular(name string, fn func(f *Frame, key string) (map[string]string, error)) {
	r.query(name, nil)
	q := r.queries[name]
	q.Eval = func(f *Frame, key string) (Result, error) {
		values, err := fn(f, key)
		if err != nil {
			return Result{}, err
		}
		return tableResult(nil, values)
	}
	q.Decode = decodeTestTable
}

// part reads one name of a table inside a query; a name that is not there is "absent".
func (r *rig) part(f *Frame, query, key, name string) (string, error) {
	a, at, err := r.table.Part(f, r.queries[query], key, name)
	if err != nil {
		return "", err
	}
	if at[0] < 0 {
		return "absent", nil
	}
	return string(a.Value.(*testTable).parts.Value(at[0])), nil
}

func (r *rig) names(f *Frame, query, key string) (string, error) {
	a, err := r.table.Names(f, r.queries[query], key)
	if err != nil {
		return "", err
	}
	var all []string
	for i, p := 0, a.Value.(*testTable).parts; i < p.Len(); i++ {
		all = append(all, p.Name(i))
	}
	return strings.Join(all, " "), nil
}

// A words is a table of the words of a record, "name=value" each, beside its readers. A word "fail"
// makes it fail, and "taint" has it not be kept.
type words struct {
	*rig
	put func(text string)
}

var wordReaders = []string{"a", "b", "missing", "names", "whole"}

func newWords(t *testing.T, r *rig) *words {
	p := r.partition("files")
	r.tabular("words", func(f *Frame, key string) (map[string]string, error) {
		text, err := r.text(f, p, key)
		values := map[string]string{}
		for _, word := range strings.Fields(text) {
			name, value, _ := strings.Cut(word, "=")
			switch word {
			case "fail":
				return nil, errWhy
			case "taint":
				f.Taint()
			default:
				values[name] = value
			}
		}
		return values, err
	})
	for _, name := range wordReaders {
		r.query(name, func(f *Frame, key string) (string, error) {
			switch name {
			case "names":
				return r.names(f, "words", key)
			case "whole":
				a, err := r.table.Get(f, r.queries["words"], key)
				if err != nil {
					return "", err
				}
				return a.Value.(*testTable).String(), nil
			}
			return r.part(f, "words", key, name)
		})
	}
	return &words{r, func(text string) { r.put(p, "k", text) }}
}

// ran asks all readers for what they are to give, and returns which of them ran for it.
func (w *words) ran(wants ...string) string {
	w.t.Helper()
	var ran []string
	for i, name := range append([]string{"words"}, wordReaders...) {
		before := w.queries[name].Counts.Ran.Load()
		if name == "words" {
			_ = w.task(context.Background(), func(f *Frame) error {
				_, err := w.table.Get(f, w.queries["words"], "k")
				return err
			}).Wait(context.Background())
		} else {
			w.want(name, "k", wants[i-1])
		}
		if w.queries[name].Counts.Ran.Load() > before {
			ran = append(ran, name)
		}
	}
	return strings.Join(ran, " ")
}

// A reader of a part runs again when that part differs, and no other reader does.
func TestReadersOfPartsRunForTheirs(t *testing.T) {
	w := newWords(t, newRig(t, 1, Options{}))
	for _, step := range []struct {
		text  string
		wants []string
		ran   string
	}{
		{"a=1 b=1", []string{"1", "1", "absent", "a b", "a=1 b=1"}, "words a b missing names whole"},
		{"a=1 b=2", []string{"1", "2", "absent", "a b", "a=1 b=2"}, "words b whole"},
		{"a=1  b=2", []string{"1", "2", "absent", "a b", "a=1 b=2"}, "words"},
		{"a=1 b=2 c=1", []string{"1", "2", "absent", "a b c", "a=1 b=2 c=1"}, "words names whole"},
		{"a=1 b=2 c=2 missing=", []string{"1", "2", "", "a b c missing", "a=1 b=2 c=2 missing="}, "words missing names whole"},
		{"b=2 c=2", []string{"absent", "2", "absent", "b c", "b=2 c=2"}, "words a names whole"},       // missing has a trace of that
		{"a=1 b=2 c=2 missing=", []string{"1", "2", "", "a b c missing", "a=1 b=2 c=2 missing="}, ""}, // an undo
	} {
		w.put(step.text)
		if ran := w.ran(step.wants...); ran != step.ran {
			t.Errorf("with %q ran %q, want %q", step.text, ran, step.ran)
		}
	}
}

// A part that is as it was is told from what is stored: after a restart no reader of one runs, and
// the comparison decodes nothing.
func TestPartsAfterARestart(t *testing.T) {
	r := newRig(t, 1, Options{})
	w := newWords(t, r)
	w.put("a=1 b=1")
	w.ran("1", "1", "absent", "a b", "a=1 b=1")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.put("a=1 b=2 c=1")
	w.want("whole", "k", "a=1 b=2 c=1")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.newTable(Options{})
	decoded := 0
	r.queries["words"].Decode = func(kind mmapcas.Kind, payload []byte) (any, error) {
		decoded++
		return decodeTestTable(kind, payload)
	}
	w.want("a", "k", "1")
	w.want("missing", "k", "absent")
	w.want("a", "k", "1")
	if got := r.counted("a") + " " + r.counted("words"); decoded != 0 || got != "0/1/1 0/0/2" {
		t.Errorf("%d tables were decoded, counted %s", decoded, got)
	}
	w.want("b", "k", "2")
	w.want("names", "k", "a b c")
	if got := r.counted("b") + " " + r.counted("names") + " " + r.counted("words"); decoded != 1 || !strings.HasPrefix(got, "1/0/0 1/0/0 0/") {
		t.Errorf("%d tables were decoded, counted %s", decoded, got)
	}
}

// Explain names the part that differed.
func TestExplainNamesTheParts(t *testing.T) {
	r := newRig(t, 1, Options{})
	w := newWords(t, r)
	w.put("a=1 b=1")
	w.ran("1", "1", "absent", "a b", "a=1 b=1")
	w.put("a=2 missing=1")
	w.ran("2", "absent", "1", "a missing", "a=2 missing=1")
	for name, want := range map[string]string{
		"a": `words(k)["a"]`, "missing": `words(k)["missing"]`, "names": "names of words(k)", "whole": "words(k)",
	} {
		why, reads := r.table.Explain(r.queries[name], "k")
		if why.Verdict != RanChanged || why.Read != want || !slices.Equal(reads, []string{want}) {
			t.Errorf("%s: %v, reads %q, want %q", name, why, reads, want)
		}
	}
}

// Whoever reads a part of a table that fails fails, and whoever reads one of a tainted table is not
// kept, although the part is as it was; what was kept before is found again.
func TestPartsOfWhatIsNotKept(t *testing.T) {
	r := newRig(t, 1, Options{})
	w := newWords(t, r)
	w.put("a=1")
	w.want("a", "k", "1")
	w.put("a=1 fail")
	if a := r.ask("a", "k"); !errors.Is(a.Wait(context.Background()), errWhy) {
		t.Error("the reader of a part of a table that fails does not fail")
	}
	w.put("a=1 taint")
	for i := range 2 {
		w.want("a", "k", "1")
		why, _ := r.table.Explain(r.queries["a"], "k")
		if why.Verdict != RanUnkept {
			t.Errorf("asked %d times: %v", i+1, why)
		}
	}
	ran := r.queries["a"].Counts.Ran.Load()
	w.put("a=1")
	w.want("a", "k", "1")
	if r.queries["a"].Counts.Ran.Load() != ran {
		t.Error("ran again although all is as it was in a run that is kept")
	}
}

// The record of a table that is lost, or is no table any more, costs a run and gives no other
// answer.
func TestPartsOfALostTable(t *testing.T) {
	for _, how := range []string{"forgotten", "another result"} {
		r := newRig(t, 1, Options{CacheBytes: 1})
		w := newWords(t, r)
		w.put("a=1 b=1")
		w.want("a", "k", "1")
		w.put("a=1 b=2")
		w.want("whole", "k", "a=1 b=2")
		q := r.queries["words"]
		e := q.entry("k")
		tr := e.last.Load()
		if how == "forgotten" {
			tr.result = mmapcas.Hash{1}
		} else {
			h, _, err := r.store.Put(kindTest, []byte("no table"))
			if err != nil {
				t.Fatal(err)
			}
			tr.result = h
		}
		tr.value.Store(nil)
		w.want("a", "k", "1")
		w.want("b", "k", "2")
		if got := r.counted("a"); !strings.HasPrefix(got, "2/") {
			t.Errorf("%s: counted %s", how, got)
		}
	}
}

// Many parts of one table are one link.
func TestPartsAreLinkedOnce(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	r.tabular("letters", func(f *Frame, key string) (map[string]string, error) {
		text, err := r.text(f, p, key)
		values := map[string]string{}
		for i := range 100 {
			values[fmt.Sprint(i)] = text
		}
		return values, err
	})
	r.query("reader", func(f *Frame, key string) (all string, err error) {
		for i := range 100 {
			s, err := r.part(f, "letters", key, fmt.Sprint(i))
			if err != nil {
				return "", err
			}
			all = s
		}
		return all, nil
	})
	for i := range 5 {
		r.put(p, "k", fmt.Sprint(i))
		r.want("reader", "k", fmt.Sprint(i))
	}
	e := r.queries["letters"].entry("k")
	if n := e.count(); n > manyDependents {
		t.Errorf("one reader of 100 parts is %d dependents", n)
	}
}

func samplePayload(t testing.TB) []byte {
	res, err := tableResult([]mmapcas.Hash{{1}, {2}}, map[string]string{"": "nothing", "a": "", "b": "2", "ba": "3"})
	if err != nil {
		t.Fatal(err)
	}
	return res.Payload
}

func TestPartsRoundTrip(t *testing.T) {
	payload := samplePayload(t)
	p, err := ReadParts(KindParts, payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := (&testTable{p}).String(); got != "=nothing a= b=2 ba=3" {
		t.Errorf("read back %q", got)
	}
	for i := range p.Len() {
		if at := p.Find(p.Name(i)); at != i {
			t.Errorf("%q is found at %d, is at %d", p.Name(i), at, i)
		}
	}
	for _, name := range []string{"A", "aa", "b0", "c"} {
		if p.Find(name) >= 0 {
			t.Errorf("%q is found", name)
		}
	}
	if refs := Refs(KindParts, payload); !slices.Equal(refs, []mmapcas.Hash{{1}, {2}}) {
		t.Errorf("refers to %v", refs)
	}
	for n := range payload[:len(payload)-len("nothing23")] {
		if _, err := ReadParts(KindParts, payload[:n]); !errors.Is(err, mmapcas.ErrCorrupt) {
			t.Errorf("cut off after %d of %d bytes: %v", n, len(payload), err)
		}
	}
	if _, err := EncodeParts(nil, []Part{{"b", nil}, {"a", nil}}); err == nil {
		t.Error("names out of order are encoded")
	}
	empty, err := EncodeParts(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ReadParts(KindParts, empty); err != nil || p.Len() != 0 || p.Find("") != -1 {
		t.Errorf("an empty table: %v, %v", p, err)
	}
}

// Bytes that are no table are refused, and a look into them without a check ends.
func FuzzReadParts(f *testing.F) {
	f.Add(samplePayload(f), "a")
	f.Add([]byte{0}, "")
	f.Fuzz(func(t *testing.T, payload []byte, name string) {
		refs := Refs(KindParts, payload)
		if p, err := openParts(KindParts, payload); err == nil {
			p.hashOf(&read{kind: readPart, about: &about{name: name}})
		}
		p, err := ReadParts(KindParts, payload)
		if err != nil {
			if !errors.Is(err, mmapcas.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		var parts []Part
		for i := range p.Len() {
			if p.Find(p.Name(i)) != i {
				t.Fatalf("%q is not found", p.Name(i))
			}
			parts = append(parts, Part{p.Name(i), p.Value(i)})
		}
		if _, err := EncodeParts(refs, parts); err != nil {
			t.Fatal(err)
		}
	})
}

// An audit computes a reader of parts from the parts that it had, and finds one that is not pure,
// whatever became of the rest of the table.
func TestPartsInAnAudit(t *testing.T) {
	r := newRig(t, 1, Options{AuditShare: 1})
	w := newWords(t, r)
	outside := "1"
	r.query("impure", func(f *Frame, key string) (string, error) {
		a, err := r.part(f, "words", key, "a")
		if err != nil {
			return "", err
		}
		names, err := r.names(f, "words", key)
		return a + names + outside, err
	})
	w.put("a=1 b=1")
	w.ran("1", "1", "absent", "a b", "a=1 b=1")
	r.want("impure", "k", "1a b1")
	w.put("a=1 b=2")
	w.ran("1", "2", "absent", "a b", "a=1 b=2")
	r.want("impure", "k", "1a b1")
	r.audit()
	if found := r.table.Impurities(); len(found) > 0 {
		t.Errorf("found %+v where all is pure", found)
	}
	for _, name := range []string{"a", "missing", "names", "impure"} {
		if c := &r.queries[name].Counts; c.Audited.Load() == 0 || c.Unaudited.Load() > 0 {
			t.Errorf("%s: audited %d times, could not be %d times", name, c.Audited.Load(), c.Unaudited.Load())
		}
	}
	outside = "2"
	w.put("a=1 b=3")
	r.want("impure", "k", "1a b1")
	r.audit()
	if found := r.table.Impurities(); len(found) != 1 || found[0].Query != "impure" {
		t.Errorf("found %+v", found)
	}
}
