package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/fxamacker/cbor/v2"

	"github.com/cytisus/cytisus/runtime"
)

// point2 has fields that no codec sees.
type point2 struct{ x, y int }

type (
	loop  *loop
	clash struct {
		Origin
		File string
	}
	itself struct {
		*itself
		N int
	}
	hidden       struct{ *base }
	Nothing      struct{}
	embedNothing struct {
		*Nothing
		N int
	}
	cborOnly struct{ N int }
	viewed   struct {
		Rows map[string][]struct{ Cells []any }
		Fail error
	}
	holder struct{ H appended }
)

type (
	readOnly   []byte
	readCBOR   struct{ N int }
	indefinite struct {
		_ struct{} `cbor:",toindefarray"`
		A int
	}
	row struct {
		_ struct{} `cbor:",toarray"`
		*Origin
		N int
	}
	twoForms struct { // neither lends its methods
		time.Time
		netip.Addr
	}
)

func (*readOnly) UnmarshalBinary([]byte) error { return nil }
func (*readCBOR) UnmarshalCBOR([]byte) error   { return nil }

func (cborOnly) MarshalCBOR() ([]byte, error) { return []byte{0xf6}, nil }

// A type of which values would not come back is refused at first use, with the place where it was
// named and the path to what is lost, as values, as results and as keys.
func TestTypesThatDoNotComeBackAreRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	refuses := func(name string, use func(name string) error, want string) {
		err := use(name)
		if !errors.Is(err, runtime.ErrBadValue) {
			t.Errorf("%s: not refused: %v", name, err)
			return
		}
		for _, want := range []string{want, name, "values_test.go:"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
	}
	refuses("point", asValueOf(t, e, point2{3, 4}), "runtime_test.point2.x: an unexported field does not come back; export it, or give runtime_test.point2 MarshalBinary and UnmarshalBinary")
	refuses("half a form", asValue[holder](t, e), "runtime_test.holder.H: runtime_test.appended has AppendBinary and UnmarshalBinary but not MarshalBinary")
	refuses("deep", asValue[map[string][]*pair[int, point2]](t, e), `map[string][]*runtime_test.pair[int,github.com/cytisus/cytisus/runtime_test.point2][][].Second.x: an unexported`)
	refuses("interface", asValue[viewed](t, e), "viewed.Fail: what is in the interface error")
	refuses("error", asValue[error](t, e), "error: what is in the interface error")
	refuses("func", asValue[struct{ F func() }](t, e), ".F: a value of kind func")
	refuses("chan", asValue[struct{ C chan int }](t, e), ".C: a value of kind chan")
	refuses("complex", asValue[[]complex64](t, e), "[]complex64[]: a value of kind complex64")
	refuses("pointer of unsafe", asValue[unsafe.Pointer](t, e), "unsafe.Pointer: a value of kind unsafe.Pointer")
	refuses("uintptr", asValue[uintptr](t, e), "a value of kind uintptr")
	refuses("loop", asValue[loop](t, e), "points to itself only")
	refuses("half of CBOR", asValue[struct{ C cborOnly }](t, e), ".C: runtime_test.cborOnly has MarshalCBOR but not UnmarshalCBOR")
	refuses("half of binary", asValue[binOnly](t, e), "binOnly has MarshalBinary but not UnmarshalBinary")
	refuses("other half of binary", asValue[struct{ R readOnly }](t, e), ".R: runtime_test.readOnly has UnmarshalBinary but not MarshalBinary")
	refuses("other half of CBOR", asValue[readCBOR](t, e), "readCBOR has UnmarshalCBOR but not MarshalCBOR")
	refuses("no fixed length", asValue[indefinite](t, e), "indefinite: toindefarray is not deterministic")
	refuses("pointer in an array", asValue[row](t, e), ".Origin: an embedded pointer has no place in an array")
	refuses("two forms in one", asValue[twoForms](t, e), ".Time: an embedded time.Time is taken apart")
	refuses("no number", asValue[struct {
		A int `cbor:"a,keyasint"`
	}](t, e), `.A: "a" is no number`)
	refuses("text only", asValue[[]textOnly](t, e), "[]runtime_test.textOnly[].s: an unexported field")
	refuses("big float", asValue[big.Float](t, e), "big.Float.prec: an unexported field")
	refuses("promoted", asValue[stamped](t, e), "runtime_test.stamped: it has AppendBinary of the embedded time.Time, which knows no other field")
	refuses("promoted whole", asValue[*stamped](t, e), "stamped: it has MarshalBinary of the embedded time.Time")
	refuses("promoted alone", asValue[stampOnly](t, e), "stampOnly: it has AppendBinary of the embedded time.Time")
	refuses("clash", asValue[clash](t, e), `clash.File: it would be stored under the name "File", as Origin.File is`)
	refuses("tag clash", asValue[struct {
		A int `json:"n"`
		B int `cbor:"n"`
	}](t, e), `.B: it would be stored under the name "n", as A is`)
	refuses("embeds itself", asValueOf(t, e, itself{nil, 1}), ".itself: runtime_test.itself embeds itself")
	refuses("hidden pointer", asValue[hidden](t, e), ".base: an embedded pointer to an unexported struct")
	refuses("pointer to nothing", asValue[embedNothing](t, e), ".Nothing: a pointer to an embedded struct without")
	refuses("tag that drops", asValue[struct {
		A int `json:"-"`
	}](t, e), ".A: its tag leaves it out")
	refuses("key of pointers", asValue[map[*int]int](t, e), "map[*int]int[key]: a pointer is no key")
	refuses("key of any", asValue[map[any]int](t, e), "[key]: what is in the interface")
	refuses("key of times", asValue[map[struct{ At time.Time }]int](t, e), "[key].At: a time.Time is no key")
	refuses("codec's own", asValue[cbor.RawMessage](t, e), "cbor.RawMessage belongs to the codec")

	refuses("result", asResult[point2](t, e), "results of query")
	refuses("result of halves", asResult[holder](t, e), ".H: runtime_test.appended has")
	refuses("key", asKey[point2](t, e), "keys of query")
	refuses("appended key", asKey[appended](t, e), "appended has AppendBinary and UnmarshalBinary but not MarshalBinary")
}

// A type that is made of very many types is refused too, before it is too much for the checks.
func TestTypesOfVeryManyLevels(t *testing.T) {
	typ := reflect.TypeFor[int]()
	for range 400 {
		typ = reflect.SliceOf(typ)
	}
	if err := runtime.TypeError(typ); err != nil {
		t.Error(err)
	}
	for range 400 {
		typ = reflect.SliceOf(typ)
	}
	if err := runtime.TypeError(typ); !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), "more than 500 levels") {
		t.Error(err)
	}
}

func asValue[V any](t *testing.T, e *runtime.Engine) func(name string) error {
	var v V
	return asValueOf(t, e, v)
}

func asValueOf[V any](t *testing.T, e *runtime.Engine, v V) func(name string) error {
	return func(name string) error {
		p := runtime.NewPartition[V](name)
		err := e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Put(w, "k", v) })
		s := e.Snapshot()
		defer s.Release()
		if _, get := p.Get(s, "k"); err == nil || get == nil || get.Error() != err.Error() {
			t.Errorf("%s: Put says %v, Get %v", name, err, get)
		}
		bulk := p.Bulk(t.Context(), e, func(w *runtime.BulkWriter[V]) error { return w.Put("k", v) })
		if bulk == nil || bulk.Error() != err.Error() {
			t.Errorf("%s: Put says %v, Bulk %v", name, err, bulk)
		}
		return err
	}
}

func asResult[V any](t *testing.T, e *runtime.Engine) func(name string) error {
	return func(name string) error {
		q := runtime.NewQuery(name, 1, func(*runtime.Task, string) (v V, err error) {
			t.Errorf("%s ran", name)
			return v, nil
		})
		_, err := q.Ask(t.Context(), e, "k")
		return err
	}
}

func asKey[K comparable](t *testing.T, e *runtime.Engine) func(name string) error {
	return func(name string) error {
		var k K
		_, err := runtime.NewQuery(name, 1, func(*runtime.Task, K) (int, error) { return 1, nil }).Ask(t.Context(), e, k)
		return err
	}
}

// A kept is a value that comes back, as kept by an engine in a directory.
type kept interface {
	put(w *runtime.Writer) error
	look(t *testing.T, e *runtime.Engine, life int)
}

type keptValue[V any] struct {
	v      V
	part   *runtime.Partition[V]
	result *runtime.Query[int, V]
	below  *runtime.Query[int, string]
}

func keep[V any](v V) kept {
	k := &keptValue[V]{v: v}
	name := fmt.Sprintf("kept %p", k) // which its query keeps from being given to another
	k.part = runtime.NewPartition[V](name)
	k.result = runtime.NewQuery(name, 1, func(t *runtime.Task, n int) (V, error) { return k.part.Get(t, "k") })
	k.below = runtime.NewQuery(name+" below", 1, func(t *runtime.Task, n int) (string, error) {
		v, err := k.result.Get(t, n)
		return unlike(&k.v, &v), err
	})
	return k
}

func (k *keptValue[V]) put(w *runtime.Writer) error { return k.part.Put(w, "k", k.v) }

func (k *keptValue[V]) look(t *testing.T, e *runtime.Engine, life int) {
	s := e.Snapshot()
	defer s.Release()
	v, err := k.part.Get(s, "k")
	if diff := unlike(&k.v, &v); err != nil || diff != "" {
		t.Errorf("life %d: %T from the partition: %s %v", life, k.v, diff, err)
	}
	for range 2 {
		v, err := k.result.Ask(t.Context(), e, life%2)
		if diff := unlike(&k.v, &v); err != nil || diff != "" {
			t.Errorf("life %d: %T as a result: %s %v", life, k.v, diff, err)
		}
		if diff, err := k.below.Ask(t.Context(), e, life%2); err != nil || diff != "" {
			t.Errorf("life %d: %T as another query sees it: %s %v", life, k.v, diff, err)
		}
	}
}

func chain(n int) (t *twig) {
	for i := range n {
		t = &twig{Name: fmt.Sprint(i), Next: t}
	}
	return t
}

func ptr[V any](v V) *V { return &v }

// What values may be: each comes back from the partition, as a result that is in the cache, is not,
// or was found again after a restart, and as another query sees it.
func TestValuesComeBack(t *testing.T) {
	link, err := url.Parse("http://user:pass@host/a%2Fb?q#f")
	if err != nil {
		t.Fatal(err)
	}
	all := []kept{
		keep([]byte(nil)), keep([]byte{}), keep("caf\xe9"), keep([]string(nil)), keep([]string{"caf\xe9", ""}), keep(map[string]int(nil)),
		keep(map[string]int{}), keep(map[string]string{"\xff": "\xfe"}), keep([][]byte{nil, {}, {1}}), keep(msg{Text: "caf\xe9"}),
		keep(time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.FixedZone("CEST", 7200))),
		keep(struct{ At time.Time }{time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.FixedZone("CEST", 7200))}),
		keep(map[string]*time.Time{"a": ptr(time.Now()), "b": nil}), keep([]time.Time{{}, time.Unix(1, 2), time.Now().UTC()}), keep([2]time.Time{}),
		keep(chain(300)), keep((*twig)(nil)), keep(twig{Kids: []twig{}, By: map[string]*twig{"a": nil, "b": chain(3)}}),
		keep([]float64{math.Copysign(0, -1), math.NaN(), math.Float64frombits(0x7ff8dead00000000), math.Inf(1), 0.1}), keep([]float32{0.1, float32(math.Inf(-1))}),
		keep([]uint64{math.MaxUint64, 0}), keep([]int64{math.MinInt64, math.MaxInt64}), keep(*new(big.Int).Lsh(big.NewInt(-3), 200)), keep((*big.Int)(nil)), keep(new(big.Int).Sub(big.NewInt(5), big.NewInt(5))),
		keep(map[netip.Addr]string{{}: "none", netip.MustParseAddr("fe80::1%eth0"): "local", netip.MustParseAddr("::ffff:1.2.3.4"): "mapped"}), keep(*link),
		keep(embeds{base{1}, nil, 2}), keep(embeds{base{1}, &Origin{}, 2}), keep(appended{"whole"}), keep(map[cell]own{{1, 2}: {"x"}}), keep(positional{A: "a"}),
		keep(map[[2]int8]bool{{1, -2}: true}), keep(map[float64]int{math.Copysign(0, -1): 1, 0.5: 2}), keep(map[digest]struct{}{{1}: {}}),
		keep[any](nil), keep[any]("text"), keep(struct{ Any any }{map[string]any{"a": []any{nil, true, int64(-1), 1.0, "\xff", []byte{}, []any{}, map[string]any{}}}}),
		keep(degrees(-273.15)), keep(addrOnly{netip.MustParseAddr("::1")}), keep(pair[[]octet, *letters]{octetsOf(1, 2), ptr(letters(""))}), keep(stampless{Origin{"f"}, 3}),
		keep(tagged{A: -1, B: "b", C: []int{1}}), keep(tagged{}), keep([3]*int{nil, ptr(1)}), keep(nest{nil, {}, {{}, nil}}),
		keep(strings.Repeat("x", 1<<17)),
	}
	dir := t.TempDir()
	for life := range 4 {
		o := runtime.Options{Logger: quiet, Workers: 2}
		if life%2 == 1 {
			o.CacheBytes = 1
		}
		e, err := runtime.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			err := e.Commit(t.Context(), func(w *runtime.Writer) error {
				for i, k := range all {
					if err := k.put(w); err != nil {
						t.Errorf("%d: %v", i, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range all {
			k.look(t, e, life)
		}
		if life > 1 {
			for name, q := range e.Stats().Queries {
				if q.Ran > 0 {
					t.Errorf("life %d: %s ran", life, name)
				}
			}
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// Values may be nested deeper, and have more elements, than decoders of CBOR allow by themselves.
func TestLargeValuesComeBack(t *testing.T) {
	e := open(t, "", runtime.Options{CacheBytes: 1})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		return errors.Join(largeChain.put(w), largeSlice.put(w), largeMaps.put(w))
	})
	if err != nil {
		t.Fatal(err)
	}
	largeChain.look(t, e, 0)
	largeSlice.look(t, e, 0)
	largeMaps.look(t, e, 0)
}

var (
	largeChain = keep(chain(9_990))
	largeSlice = keep(make([]struct{}, 200_000))
	largeMaps  = keep(largeMap(150_000))
)

type (
	msg       struct{ Text string }
	addrOnly  struct{ netip.Addr } // has its methods, and nothing else
	stampless struct {
		Origin `json:"origin"`
		N      int
	}
	tagged struct {
		A int    `json:"a,omitempty"`
		B string `cbor:"1,keyasint,omitempty"`
		C []int  `json:",omitempty"`
	}
)

func octetsOf(b ...octet) []octet { return b }

func largeMap(n int) map[int]struct{} {
	m := make(map[int]struct{}, n)
	for i := range n {
		m[i] = struct{}{}
	}
	return m
}

// A value that would not come back is refused by Put and by Bulk, and fails its query, with the
// path to the part.
func TestValuesThatDoNotComeBackAreRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	ring := &twig{Name: "ring"}
	ring.Next = ring
	many := &twig{}
	for range 40 {
		many = &twig{Next: many, By: map[string]*twig{"": many}}
	}
	loopy := map[string]any{}
	loopy["me"] = loopy
	refuseValue(t, e, "deep", chain(20_000), "twig.Next.Next.Next.Next.Next.Next….Next: the value is nested more than 10000 levels deep")
	refuseValue(t, e, "ring", ring, "the value is nested more than 10000 levels deep")
	refuseValue(t, e, "loopy", any(loopy), `["me"]: the value is nested more than 10000 levels deep`)
	refuseValue(t, e, "any int", []any{1}, "[]interface {}[0]: a int in an interface comes back as another type")
	refuseValue(t, e, "any struct", map[string]any{"a": []any{nil, cell{}}}, `["a"][1]: a runtime_test.cell in an interface`)
	refuseValue(t, e, "any map", viewedRows{[]struct{ Cells []any }{{[]any{"", map[any]any{}}}}}, ".Rows[0].Cells[1]: a map[interface {}]interface {} in an")
	refuseValue(t, e, "any nil", any([]any(nil)), "a nil []interface {} in an interface comes back as nil")
	refuseValue(t, e, "pointer to nil", ptr[*int](nil), "a pointer to what is nil")
	refuseValue(t, e, "pointer to nil slice", struct{ P *[]int }{ptr[[]int](nil)}, ".P: a pointer to what is nil")
	refuseValue(t, e, "pointer to zero time", struct{ P *time.Time }{&time.Time{}}, ".P: a pointer to what is nil, or to a zero time")
	refuseValue(t, e, "zone with seconds", []time.Time{time.Now().In(time.FixedZone("LMT", 3208))}, "[0]: a zone 3208 seconds east of UTC has no form")
	refuseValue(t, e, "year", []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "[0]: the year 10000 has no form")
	refuseValue(t, e, "zero elsewhere", []time.Time{time.Time{}.In(time.FixedZone("", 60))}, "[0]: the zero time comes back in UTC")
	refuseValue(t, e, "NaN as a key", map[float64]int{math.NaN(): 1}, "[NaN]: NaN is no key of a map")
	refuseValue(t, e, "URL", []url.URL{{Path: "/a b"}, {Path: "//x/y"}}, "[1]: the URL does not come back")
	refuseValue(t, e, "URL as a key", map[url.URL]int{{User: url.User("u")}: 1}, "the key comes back as another one")
	refuseValue(t, e, "empty and left out", tagged{C: []int{}}, ".C: omitempty leaves out what is empty")
	refuseValue(t, e, "minus zero", struct {
		F float64 `cbor:",omitzero"`
	}{math.Copysign(0, -1)}, ".F: its tag leaves out -0")
	refuseValue(t, e, "no bytes", struct {
		M muted `json:",omitempty"`
	}{muted{1}}, ".M: omitempty leaves out what is not zero")
	refuseValue(t, e, "zero by itself", struct {
		N always0 `json:",omitzero"`
	}{7}, ".N: omitzero leaves out what is not zero")
	refuseValue(t, e, "null", struct{ N *null }{&null{1}}, ".N: a pointer to what is nil")
	refuseValue(t, e, "foreign", []nested{{20_000}}, "[]runtime_test.nested: what a MarshalCBOR wrote is refused: cbor: exceeded max nested level")
	if testing.Short() {
		return
	}
	// Each of 40 levels points to the one below twice, so there is no end of parts.
	p := runtime.NewPartition[*twig]("many")
	err := e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Put(w, "k", many) })
	if !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), "more than 16777216 parts") {
		t.Error(err)
	}
}

type (
	viewedRows struct{ Rows []struct{ Cells []any } }
	null       struct{ n int }
)

// muted writes no bytes, whatever it is.
type muted struct{ n int }

func (muted) MarshalBinary() ([]byte, error) { return nil, nil }

func (*muted) UnmarshalBinary([]byte) error { return nil }

// always0 is zero, as it says.
type always0 int

func (always0) IsZero() bool { return true }

// nested writes more levels than a decoder takes.
type nested struct{ levels int }

func (n nested) MarshalCBOR() ([]byte, error) {
	return append(bytes.Repeat([]byte{0x81}, n.levels), 0), nil
}

func (n *nested) UnmarshalCBOR(b []byte) error {
	n.levels = len(b) - 1
	return nil
}

// A knot has a form of its own, and may be its own neighbour.
type knot2 struct {
	held runtime.Blob
	next *knot2
	more []any
}

func (k *knot2) MarshalBinary() ([]byte, error) { return k.held.MarshalBinary() }

func (k *knot2) UnmarshalBinary(b []byte) error { return k.held.UnmarshalBinary(b) }

// Blobs are found in what a type with a form of its own holds, though it goes round in circles.
func TestBlobsInACircle(t *testing.T) {
	e := open(t, "", runtime.Options{})
	p := runtime.NewPartition[knot2]("knots")
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		b, err := w.PutBlob([]byte("held"))
		if err != nil {
			return err
		}
		k := &knot2{more: make([]any, 2000)}
		k.next = k
		for i := range k.more {
			k.more[i] = k.more
		}
		k.more[1999] = &knot2{held: b, next: k}
		return p.Put(w, "k", knot2{held: b, next: k})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	defer s.Release()
	k, err := p.Get(s, "k")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := runtime.ReadBlob(s, k.held); string(text) != "held" {
		t.Errorf("%q %v", text, err)
	}
}

func (null) MarshalCBOR() ([]byte, error)    { return []byte{0xf6}, nil }
func (n *null) UnmarshalCBOR(b []byte) error { return nil }

func refuseValue[V any](t *testing.T, e *runtime.Engine, name string, v V, want string) {
	t.Helper()
	p := runtime.NewPartition[V](name)
	q := runtime.NewQuery(name, 1, func(*runtime.Task, string) (V, error) { return v, nil })
	_, ask := q.Ask(t.Context(), e, "k")
	for how, err := range map[string]error{
		"Put":  e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Put(w, "k", v) }),
		"Bulk": p.Bulk(t.Context(), e, func(w *runtime.BulkWriter[V]) error { return w.Put("k", v) }),
		"Ask":  ask,
	} {
		if !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %s: %v does not say %q", name, how, err, want)
		}
	}
	if st := e.Stats().Queries[name]; st.Ran+st.Failed > 2 {
		t.Errorf("%s: one question, and the query ran %d times", name, st.Ran+st.Failed)
	}
}

// Results that differ in the least have different bytes: what reads them runs again.
func TestResultsThatDifferInTheLeast(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	differInTheLeast(t, "nil and empty bytes", []byte(nil), []byte{})
	differInTheLeast(t, "nil and empty slice", []int(nil), []int{})
	differInTheLeast(t, "nil and empty map", map[int]int(nil), map[int]int{})
	differInTheLeast(t, "a nanosecond", struct{ At time.Time }{at}, struct{ At time.Time }{at.Add(1)})
	differInTheLeast(t, "a zone", struct{ At time.Time }{at}, struct{ At time.Time }{at.In(time.FixedZone("", 3600))})
	differInTheLeast(t, "the sign of zero", []float64{0}, []float64{math.Copysign(0, -1)})
	differInTheLeast(t, "the bits of NaN", math.NaN(), math.Float64frombits(0x7ff8000000000000))
	differInTheLeast(t, "no UTF-8", msg{"\xfe"}, msg{"\xff"})
	differInTheLeast(t, "the type in an any", any(int64(1)), any(1.0))
	differInTheLeast(t, "text and bytes", any("x"), any([]byte("x")))
	differInTheLeast(t, "an embedded pointer", embeds{}, embeds{Origin: &Origin{}})
	differInTheLeast(t, "nil and what points to zero", (*int)(nil), ptr(0))
}

func differInTheLeast[V any](t *testing.T, name string, a, b V) {
	t.Helper()
	e := open(t, "", runtime.Options{Workers: 1})
	which := runtime.NewPartition[bool](name)
	low := runtime.NewQuery(name, 1, func(t *runtime.Task, k string) (V, error) {
		second, err := which.Get(t, k)
		if second {
			return b, err
		}
		return a, err
	})
	high := runtime.NewQuery(name+" high", 1, func(t *runtime.Task, k string) (bool, error) {
		v, err := low.Get(t, k)
		return unlike(&v, &b) == "", err
	})
	for _, second := range []bool{false, true, false} {
		put(t, e, which, "k", second)
		if got := ask(t, e, high, "k"); got != second {
			t.Errorf("%s: what reads the result saw %v, want %v", name, got, second)
		}
	}
}

// Of a time, what is known in one process only is gone at once, not only after a restart: the name
// of its zone, whether that is the zone of the process, and the monotonic reading. Equal times have
// equal bytes, whatever they were made from.
func TestTimesAreWhatTheyComeBackAs(t *testing.T) {
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	time.Local = time.FixedZone("CET", 3600)
	instant := time.Now()
	times := []time.Time{
		instant, instant.In(time.FixedZone("", 3600)).Round(0), instant.In(time.FixedZone("Europe/Berlin", 3600)), // equal
		instant.UTC(), instant.In(time.FixedZone("GMT", 0)), // equal
	}
	type stamp struct {
		At time.Time
		By map[string]time.Time
	}
	stampOf := func(at time.Time) stamp { return stamp{at, map[string]time.Time{"a": at}} }
	stamps := runtime.NewQuery("stamps", 1, func(_ *runtime.Task, n int) (stamp, error) { return stampOf(times[n]), nil })
	wholes := runtime.NewQuery("times", 1, func(_ *runtime.Task, n int) (time.Time, error) { return times[n], nil })
	stampsIn, wholesIn := runtime.NewPartition[stamp]("stamps"), runtime.NewPartition[time.Time]("times")
	dir := t.TempDir()
	var first string
	for life := range 2 {
		e := open(t, dir, runtime.Options{})
		var names [5]runtime.Blob
		for n, at := range times {
			put(t, e, stampsIn, "k", stampOf(at))
			put(t, e, wholesIn, "k", at)
			s := e.Snapshot()
			stored, err := stampsIn.Get(s, "k")
			whole, err2 := wholesIn.Get(s, "k")
			name, err3 := wholesIn.Blob(s, "k")
			s.Release()
			names[n] = name
			if err := errors.Join(err, err2, err3); err != nil {
				t.Fatal(err)
			}
			for i, got := range []time.Time{stored.At, stored.By["a"], whole, ask(t, e, stamps, n).At, ask(t, e, stamps, n).By["a"], ask(t, e, wholes, n)} {
				switch text := got.String(); {
				case !got.Equal(instant):
					t.Errorf("life %d, %d.%d: %v is another time than %v", life, n, i, got, instant)
				case n > 2:
					if got.Location() != time.UTC {
						t.Errorf("life %d, %d.%d: %v is not in UTC", life, n, i, got)
					}
				case first == "":
					first = text
				case text != first:
					t.Errorf("life %d, %d.%d: %s, want %s", life, n, i, text, first)
				}
			}
		}
		if names[0] != names[1] || names[0] != names[2] || names[3] != names[4] || names[0] == names[3] {
			t.Errorf("hashes of three and of two equal times: %v", names)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Local = time.FixedZone("EST", -5*3600)
	}
	if !strings.HasSuffix(first, " +0100 +0100") {
		t.Errorf("%s has a zone with a name", first)
	}
}

// A result that cannot be stored fails its query, for every caller, after one run for each
// question, and with a small cache too.
func TestResultThatCannotBeStoredFailsItsQuery(t *testing.T) {
	for _, cache := range []int64{0, 1} {
		e := open(t, "", runtime.Options{CacheBytes: cache})
		deep := runtime.NewQuery("too deep", 1, func(_ *runtime.Task, n int) (*twig, error) { return chain(n), nil })
		above := runtime.NewQuery("above too deep", 1, func(t *runtime.Task, n int) (string, error) {
			c, err := deep.Get(t, n)
			if c != nil && err != nil {
				return "", fmt.Errorf("a value and %w", err)
			}
			return "", err
		})
		const asks = 3
		for range asks {
			if _, err := above.Ask(t.Context(), e, 20_000); !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), "too deep(20000)") {
				t.Errorf("cache %d: %v", cache, err)
			}
		}
		if st := e.Stats().Queries["too deep"]; st.Ran != 0 || st.Failed != asks {
			t.Errorf("cache %d: ran %d times and failed %d times for %d questions", cache, st.Ran, st.Failed, asks)
		}
		if c, err := above.Ask(t.Context(), e, 20); c != "" || err != nil {
			t.Errorf("cache %d: %q %v", cache, c, err)
		}
	}
}

// Keys of queries are values too, and the function is given what comes back from them.
func TestKeysComeBack(t *testing.T) {
	type key struct {
		Text string
		At   time.Time
		Addr netip.Addr
		Any  any
		F    float64
	}
	e := open(t, "", runtime.Options{})
	echo := runtime.NewQuery("echo key", 1, func(_ *runtime.Task, k key) (string, error) { return fmt.Sprintf("%+v", k), nil })
	at := time.Date(2024, 5, 6, 7, 8, 9, 123, time.FixedZone("", 3600))
	k := key{"caf\xe9", at, netip.MustParseAddr("::1"), "x", math.Copysign(0, -1)}
	if got, want := ask(t, e, echo, k), fmt.Sprintf("%+v", k); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	named := k
	named.At = at.In(time.FixedZone("CET", 3600))
	ask(t, e, echo, named)
	if ran := e.Stats().Queries["echo key"].Ran; ran != 1 {
		t.Errorf("one key by two names of its zone: ran %d times", ran)
	}
	k.Any = 1
	if _, err := echo.Ask(t.Context(), e, k); !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), "key.Any: a int in an interface") {
		t.Errorf("%v", err)
	}
	loopy := map[string]any{}
	loopy["me"] = loopy
	if _, err := runtime.NewQuery("loopy key", 1, func(_ *runtime.Task, k any) (int, error) { return 1, nil }).Ask(t.Context(), e, any(loopy)); !errors.Is(err, runtime.ErrBadValue) {
		t.Errorf("%v", err)
	}
	if got := ask(t, e, runtime.NewQuery("any key", 1, func(_ *runtime.Task, k any) (string, error) { return fmt.Sprintf("%T", k), nil }), any(int64(1))); got != "int64" {
		t.Error(got)
	}
}

// withBlobs refers to blobs in every way that a value can.
type withBlobs struct {
	A runtime.Blob
	B []runtime.Blob
	C map[string]*runtime.Blob
}

// What the decoder is given is not always what was encoded. It never panics, and what it accepts
// has a form that comes back.
func FuzzDecodeValue(f *testing.F) {
	types := append([]reflect.Type{reflect.TypeFor[embeds](), reflect.TypeFor[tagged](), reflect.TypeFor[[]tagged](), reflect.TypeFor[map[string]any]()}, append(leafTypes[:len(leafTypes):len(leafTypes)], reflect.TypeFor[withBlobs]())...)
	for i, seed := range []any{embeds{Origin: &Origin{"f"}}, tagged{A: 1}, []tagged{{}}, map[string]any{"a": []any{int64(1), 1.5, "x"}}} {
		b, err := runtime.EncodeOf(reflect.TypeOf(seed), seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
	}
	for i, typ := range types {
		if v := reflect.New(typ).Elem(); v.Kind() != reflect.Interface {
			b, err := runtime.EncodeOf(typ, v.Interface())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), b)
		}
	}
	f.Add(uint8(6), []byte(strings.Repeat("\x81", 20_000)))
	f.Add(uint8(len(types)-1), []byte("\xa2aA\x41\x00aB\x81\x58\x20"+strings.Repeat("b", 32))) // of a blob, too few bytes
	f.Add(uint8(0), []byte{0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		typ := types[int(n)%len(types)]
		if typ.Kind() == reflect.Interface {
			return
		}
		v, err := runtime.DecodeOf(typ, b)
		if err != nil {
			return
		}
		first, err := runtime.EncodeOf(typ, v)
		if err != nil {
			if !errors.Is(err, runtime.ErrBadValue) {
				t.Fatalf("%x is %v %#v: %v", b, typ, v, err)
			}
			return
		}
		back, err := runtime.DecodeOf(typ, first)
		if err != nil || unlike(v, back) != "" {
			t.Fatalf("%x is %v %#v, and comes back from %x as %#v: %s %v", b, typ, v, first, back, unlike(v, back), err)
		}
	})
}
