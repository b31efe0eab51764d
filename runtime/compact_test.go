package runtime_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
)

// The compact form of every value of every type expands to what the encoder by name makes of it.
func TestCompactFormExpandsToTheFormByName(t *testing.T) {
	tried, compact := 0, 0
	one := func(t *rapid.T) {
		g := generate(t)
		if runtime.TypeError(g.t) != nil {
			return
		}
		got, err := runtime.EncodeOf(g.t, g.v)
		if err != nil {
			return // its value is refused, which another test looks at
		}
		want, err := runtime.ByNameOf(g.t, g.v)
		if err != nil {
			t.Fatalf("%v: by name: %v", g, err)
		}
		expanded, is, err := runtime.Expand(got)
		if err != nil || !bytes.Equal(expanded, want) {
			t.Fatalf("%v: %x expands to\n%x, %v, and by name it is\n%x", g, got, expanded, err, want)
		}
		if !is && !bytes.Equal(got, want) {
			t.Fatalf("%v: it has no marker and is not written by name", g)
		}
		tried++
		if !is {
			return
		}
		compact++
		v, read := runtime.ReadCompact(g.t, got)
		if diff := unlike(g.v, v); !read || diff != "" {
			t.Fatalf("%v: %x is read without being expanded: %v, %s", g, got, read, diff)
		}
	}
	// Few of the values that are made are compact; by chance, none of a hundred.
	const enough, rounds = 5, 50
	for range rounds {
		if rapid.Check(t, one); compact >= enough {
			break
		}
	}
	if compact < enough {
		t.Errorf("%d of %d values were compact: the test does not try much", compact, tried)
	}
	t.Logf("%d of %d values were compact", compact, tried)
}

type (
	was struct {
		List  []wasPart
		Other []wasPart
		Named map[string]wasPart
	}
	wasPart struct {
		A    int8
		B    string
		Gone []wasGone
		Kids []wasPart
	}
	wasGone struct{ X, Y int }
)

var old = was{
	List: []wasPart{
		{A: 1, B: "b1", Gone: []wasGone{{1, 2}, {3, 4}}, Kids: []wasPart{{A: 5}, {A: 6, Gone: []wasGone{{5, 6}}}}},
		{A: 2, B: "b2"},
	},
	Other: []wasPart{{A: 3, B: "b3", Gone: []wasGone{{}}}},
	Named: map[string]wasPart{"x": {A: 4, B: "b4"}, "y": {}},
}

// A value of a type that has changed since is read by name, as if it had not been compact.
func TestCompactValuesOfTypesThatChanged(t *testing.T) {
	encode, _ := runtime.Coder[was]()
	stored, err := encode(&old)
	if err != nil {
		t.Fatal(err)
	}
	byName, compact, err := runtime.Expand(stored)
	if err != nil || !compact {
		t.Fatalf("compact: %v, %v", compact, err)
	}
	type (
		part struct {
			A    int8
			B    string
			Gone []wasGone
			Kids []part
		}
		addedPart struct {
			A       int8
			Added   string
			B       string
			Gone    []wasGone
			Kids    []addedPart
			Zuletzt *int
		}
		removedPart struct {
			B    string
			Kids []removedPart
		}
		movedPart struct {
			Kids []movedPart
			Gone []wasGone
			B    string
			A    int8
		}
		widePart struct {
			A    int64
			B    string
			Gone [][2]string
			Kids []widePart
		}
		taggedPart struct {
			First  uint16 `cbor:"A"`
			Second string `json:"B,omitempty"`
		}
		base      struct{ A int8 }
		embedding struct {
			base
			B string
		}
		listed struct{ List []part }
		one    struct {
			Named struct{ X, Y wasPart }
		}
	)
	for _, to := range []reflect.Type{
		reflect.TypeFor[was](),
		reflect.TypeFor[pair[int, []part]](), // nothing has a name that is known
		reflect.TypeFor[struct{ List, Other []part }](),
		reflect.TypeFor[struct { // one type has become two
			List  []addedPart
			Other []removedPart
		}](),
		reflect.TypeFor[struct{ Other []part }](), // what says the names is in a field that is gone
		reflect.TypeFor[struct{ Other, List []movedPart }](),
		reflect.TypeFor[struct{ Named map[string]addedPart }](),
		reflect.TypeFor[struct{ Named map[string]*removedPart }](),
		reflect.TypeFor[struct{ Named map[string]map[string]any }](), // a struct has become a map
		reflect.TypeFor[map[string]any](),                            // everything has
		reflect.TypeFor[struct{ List []taggedPart }](),
		reflect.TypeFor[struct{ List []embedding }](),
		reflect.TypeFor[struct{ List [2]part }](),
		reflect.TypeFor[struct{ List [1]part }](),
		reflect.TypeFor[struct{ List []widePart }](), // an error
		reflect.TypeFor[struct{ List string }](),     // an error
		reflect.TypeFor[listed](),
		reflect.TypeFor[one](),
		reflect.TypeFor[string](),
		reflect.TypeFor[[]part](),
	} {
		want, wantErr := runtime.DecodeOf(to, byName)
		got, err := runtime.DecodeOf(to, stored)
		if diff := unlike(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("as %v: %v, %v; by name %v, %v: %s", to, got, err, want, wantErr, diff)
		}
	}
}

// The bytes are those of FORMAT.md, in which a store that was written before is read.
func TestCompactBytes(t *testing.T) {
	type part struct {
		A uint8
		B string `cbor:",omitempty"`
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{[]part{}, "80"},
		{part{7, "x"}, "a2" + "6141" + "07" + "6142" + "6178"},
		{pair[part, part]{part{1, "x"}, part{2, "y"}}, "a2" + "654669727374" + "a26141016142" + "6178" + "665365636f6e64" + "a26141026142" + "6179"},
		{[]part{{7, "x"}}, "c5" + "81" + "c683" + "82" + "6141" + "6142" + "07" + "6178"},
		{[]part{{7, "x"}, {8, "y"}}, "c5" + "82" + "c683" + "82" + "6141" + "6142" + "07" + "6178" + "c882" + "08" + "6179"},
		{[]part{{1, "x"}, {2, ""}, {3, "z"}, {4, ""}}, "c5" + "84" + "c683" + "82" + "6141" + "6142" + "01" + "6178" + "c682" + "81" + "6141" + "02" + "c882" + "03" + "617a" + "c981" + "04"},
		{map[string]*part{"k": {1, "x"}, "b": nil}, "c5" + "a2" + "6162" + "f6" + "616b" + "c683" + "82" + "6141" + "6142" + "01" + "6178"},
		{[]twig{{Name: "a", Kids: []twig{{}}}}, "c5" + "81" + "c685" + "84" + "624279" + "644b696473" + "644e616d65" + "644e657874" +
			"f6" + "81" + "c884" + "f6f660f6" + "6161" + "f6"},
	} {
		typ := reflect.TypeOf(c.v)
		got, err := runtime.EncodeOf(typ, c.v)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%#v:\n%x, %v, want\n%s", c.v, got, err, c.want)
		}
		for _, form := range [][]byte{got, byNameOf(t, typ, c.v)} {
			v, err := runtime.DecodeOf(typ, form)
			if diff := unlike(c.v, v); err != nil || diff != "" {
				t.Errorf("%#v from %x: %v %s", c.v, form, err, diff)
			}
		}
	}
}

// An ownTagged writes CBOR of its own, with any tag.
type ownTagged struct {
	tag  uint64
	text string
}

func (v ownTagged) MarshalCBOR() ([]byte, error) {
	return cbor.Marshal(cbor.Tag{Number: v.tag, Content: v.text})
}

func (v *ownTagged) UnmarshalCBOR(b []byte) error {
	var tag cbor.RawTag
	if err := cbor.Unmarshal(b, &tag); err != nil {
		return err
	}
	v.tag = tag.Number
	return cbor.Unmarshal(tag.Content, &v.text)
}

// What a MarshalCBOR wrote comes back whatever tags are in it, those of the compact form too: as a
// whole value, and in structs that would have numbers (C4).
func TestCompactLeavesTagsOfOthersAlone(t *testing.T) {
	type part struct {
		T ownTagged
		N int
	}
	for _, tag := range []uint64{4, 5, 6, 7, 8, 9, 32} {
		one := ownTagged{tag, "x"}
		for _, v := range []any{
			one, &one, []ownTagged{one, one}, []part{{one, 1}, {one, 2}}, map[string]part{"a": {one, 1}, "b": {one, 2}},
		} {
			typ := reflect.TypeOf(v)
			b, err := runtime.EncodeOf(typ, v)
			if err != nil || !bytes.Equal(b, byNameOf(t, typ, v)) {
				t.Errorf("%T with tag %d: %x, %v; by name it is %x", v, tag, b, err, byNameOf(t, typ, v))
			}
			got, err := runtime.DecodeOf(typ, b)
			if err != nil || !reflect.DeepEqual(got, v) {
				t.Errorf("%T with tag %d: %x comes back as %v, %v", v, tag, b, got, err)
			}
		}
	}
}

// A hollow says that it is zero when it is not.
type hollow struct{ N int }

func (h hollow) IsZero() bool { return h.N < 10 }

// Structs with very many fields, with long names, and with fields that are left out by other rules
// than that of what is zero, are written such that they expand to the form by name.
func TestCompactFormOfUncommonStructs(t *testing.T) {
	type leftOut struct {
		N     int
		Array [2]int          `cbor:",omitempty"`
		Part  struct{ X int } `cbor:",omitempty"`
		Zero  [2]int          `cbor:",omitzero"`
	}
	type says struct {
		N int
		H hollow `cbor:",omitzero"`
	}
	values := []any{
		[]leftOut{{N: 1}, {N: 2, Array: [2]int{1, 0}, Zero: [2]int{0, 1}}, {Part: struct{ X int }{3}}},
		[]says{{N: 1}, {N: 2, H: hollow{11}}},
	}
	for _, fields := range []int{63, 64, 65, 130} {
		var of []reflect.StructField
		for i := range fields {
			of = append(of, reflect.StructField{Name: fmt.Sprintf("F%03d", i), Type: reflect.TypeFor[int]()})
		}
		list := reflect.MakeSlice(reflect.SliceOf(reflect.StructOf(of)), 3, 3)
		for i := range 3 {
			for j := range fields {
				list.Index(i).Field(j).SetInt(int64(100*i + j))
			}
		}
		values = append(values, list.Interface())
	}
	for _, length := range []int{2000, 2040, 2060, 5000} { // of two names
		tag := func(c string) reflect.StructTag {
			return reflect.StructTag(`cbor:"` + strings.Repeat(c, length) + `"`)
		}
		list := reflect.MakeSlice(reflect.SliceOf(reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.TypeFor[int](), Tag: tag("a")}, {Name: "B", Type: reflect.TypeFor[int](), Tag: tag("b")},
		})), 2, 2)
		list.Index(1).Field(0).SetInt(7)
		values = append(values, list.Interface())
	}
	for _, v := range values {
		typ := reflect.TypeOf(v)
		if err := runtime.TypeError(typ); err != nil {
			t.Errorf("%.80v is refused: %.300v", typ, err)
			continue
		}
		stored, err := runtime.EncodeOf(typ, v)
		if err != nil {
			t.Errorf("%.80v: %.300v", typ, err)
			continue
		}
		byName, compact, err := runtime.Expand(stored)
		if want := byNameOf(t, typ, v); err != nil || !bytes.Equal(byName, want) {
			t.Errorf("%.80v: compact %v, %.300v: it expands to\n%.400x, and by name it is\n%.400x", typ, compact, err, byName, want)
		}
		got, err := runtime.DecodeOf(typ, stored)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%.80v: it comes back as %.300v, %.300v", typ, got, err)
		}
	}
}

func byNameOf(t *testing.T, typ reflect.Type, v any) []byte {
	t.Helper()
	b, err := runtime.ByNameOf(typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Bytes that were damaged or forged are read as what they expand to, or not at all.
func FuzzCompact(f *testing.F) {
	encode, decode := runtime.Coder[was]()
	typ := reflect.TypeFor[was]()
	for _, v := range []was{old, {}, {List: old.List[:1]}, {Named: old.Named}} {
		b, err := encode(&v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{"c5", "c5c680", "c5c68180", "c5c881", "c5c88101", "c5a1644c69737481c68180", "c5c5c5f6", "c59fff", "c5c6fb0000000000000000"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decode(b)
		byName, compact, expandErr := runtime.Expand(b)
		if !compact {
			return
		}
		if expandErr != nil {
			if err == nil {
				t.Fatalf("%x has no expanded form (%v) and is read as %v", b, expandErr, got)
			}
			return
		}
		want, wantErr := runtime.DecodeOf(typ, byName)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: %v, and by name %v", b, err, wantErr)
		}
		if diff := unlike(want, got); err == nil && diff != "" {
			t.Fatalf("%x: %s", b, diff)
		}
	})
}

// What a program that knew no compact form left in a store is read, and so is what comes after it.
func TestCompactValuesAfterRestart(t *testing.T) {
	typ := reflect.TypeFor[was]()
	byName := runtime.PartitionByName(typ, "compactAfterRestart")
	now := runtime.PartitionOf(typ, "compactAfterRestart")
	dir := t.TempDir()
	for life, part := range []*runtime.Partition[any]{byName, now, now} {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if life < 2 {
			err = e.Commit(t.Context(), func(w *runtime.Writer) error { return part.Put(w, fmt.Sprint(life), old) })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s := e.Snapshot()
		for key := range min(life+1, 2) {
			v, err := part.Get(s, fmt.Sprint(key))
			if diff := unlike(old, v); err != nil || diff != "" {
				t.Errorf("life %d, put in %d: %v %s", life, key, err, diff)
			}
		}
		s.Release()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// An outlined is much like a symbol of a file.
type outlined struct {
	Name, Detail string
	Kind         uint8
	Whole, Part  place
	Children     []outlined
}

type place struct{ From, To uint32 }

// outlinesOf returns n items, each with three in it.
func outlinesOf(n int) []outlined {
	at := uint32(0)
	next := func() place { at += 20; return place{at, at + 12} }
	one := func(i int) outlined {
		return outlined{Name: fmt.Sprint("name", i), Detail: fmt.Sprint("func(a int, b string) type", i), Kind: uint8(i % 20), Whole: next(), Part: next()}
	}
	out := make([]outlined, n)
	for i := range out {
		out[i] = one(i)
		for j := range 3 {
			out[i].Children = append(out[i].Children, one(j))
		}
	}
	return out
}

// What a value costs in bytes and in time: items as above, and one struct.
func BenchmarkValue(b *testing.B) {
	b.Run("value=outline-25", func(b *testing.B) { benchmarkValue(b, outlinesOf(25)) })
	b.Run("value=struct", func(b *testing.B) { benchmarkValue(b, outlinesOf(1)[0].Children[0]) })
	b.Run("value=place", func(b *testing.B) { benchmarkValue(b, place{1, 2}) })
}

func benchmarkValue[V any](b *testing.B, v V) {
	encode, decode := runtime.Coder[V]()
	bytes, err := encode(&v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("op=encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := encode(&v); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(bytes)), "bytes")
	})
	b.Run("op=decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decode(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
