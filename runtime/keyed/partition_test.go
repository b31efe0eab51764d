package keyed_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

// A diagKey is as a producer of diagnostics has it: what it said about a file is a prefix.
type diagKey struct {
	File     string
	Stage    string
	Severity uint8
	Seq      int32
}

type oddKey struct {
	Raw  []byte
	At   struct{ Line, Col int16 }
	ID   [3]byte
	On   bool
	Wide int64
	Last string
}

var (
	diags  = keyed.NewPartition[diagKey, string]("diags")
	odd    = keyed.NewPartition[oddKey, string]("odd")
	plain  = keyed.NewPartition[string, string]("plain")
	raw    = keyed.NewPartition[[]byte, string]("raw")
	signed = keyed.NewPartition[int, string]("signed")
)

// text draws strings in which the bytes that the form treats specially are frequent.
var text = rapid.Custom(func(t *rapid.T) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 'b', 0xfe, 0xff}), 0, 5).Draw(t, "bytes"))
})

func drawDiag(t *rapid.T) diagKey {
	return diagKey{
		text.Draw(t, "file"), text.Draw(t, "stage"), rapid.SampledFrom([]uint8{0, 1, 127, 128, 255}).Draw(t, "severity"),
		rapid.SampledFrom([]int32{-1 << 31, -257, -256, -1, 0, 1, 255, 256, 1<<31 - 1}).Draw(t, "seq"),
	}
}

func drawOdd(t *rapid.T) oddKey {
	k := oddKey{Raw: []byte(text.Draw(t, "raw")), On: rapid.Bool().Draw(t, "on"), Wide: rapid.Int64().Draw(t, "wide"), Last: text.Draw(t, "last")}
	k.At.Line, k.At.Col = rapid.Int16().Draw(t, "line"), rapid.Int16().Draw(t, "col")
	copy(k.ID[:], text.Draw(t, "id"))
	return k
}

func compareDiag(a, b diagKey) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Seq, b.Seq))
}

func compareOdd(a, b oddKey) int {
	on := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(slices.Compare(a.Raw, b.Raw), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Col, b.At.Col), slices.Compare(a.ID[:], b.ID[:]),
		on(a.On)-on(b.On), cmp.Compare(a.Wide, b.Wide), cmp.Compare(a.Last, b.Last))
}

// checkForm checks that the form of keys has their order, and comes back.
func checkForm[K any](t *testing.T, p *keyed.Partition[K, string], draw func(*rapid.T) K, compare func(a, b K) int) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t), draw(t)
		ea, err := p.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		eb, err := p.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Compare(ea, eb), compare(a, b); got != want {
			t.Fatalf("%+v and %+v compare as %d, their forms %q and %q as %d", a, b, want, ea, eb, got)
		}
		back, err := p.Decode(ea)
		if err != nil || compare(back, a) != 0 {
			t.Fatalf("%+v comes back from %q as %+v, %v", a, ea, back, err)
		}
	})
}

func TestKeysKeepTheirOrder(t *testing.T) {
	checkForm(t, diags, drawDiag, compareDiag)
	checkForm(t, odd, drawOdd, compareOdd)
	checkForm(t, plain, func(t *rapid.T) string { return text.Draw(t, "k") }, strings.Compare)
	checkForm(t, raw, func(t *rapid.T) []byte { return []byte(text.Draw(t, "k")) }, slices.Compare)
	checkForm(t, signed, func(t *rapid.T) int { return rapid.Int().Draw(t, "k") }, cmp.Compare)
}

// A prefix of fields means exactly the keys that have these fields, whatever bytes are in them.
func TestPrefixOfFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := drawDiag(t), drawDiag(t), rapid.IntRange(0, 4).Draw(t, "fields")
		pat, err := diags.Under(a, n)
		if err != nil {
			t.Fatal(err)
		}
		same := []bool{true, a.File == b.File, a.Stage == b.Stage, a.Severity == b.Severity, a.Seq == b.Seq}
		want := !slices.Contains(same[:n+1], false)
		key, err := diags.Encode(b)
		if err != nil || pat.Match(key) != want {
			t.Fatalf("%+v under the first %d of %+v: %t, %v", b, n, a, !want, err)
		}
	})
	if _, err := diags.Under(diagKey{}, 5); !errors.Is(err, keyed.ErrBadKey) {
		t.Errorf("five fields of four: %v", err)
	}
	// The fields of a struct within the key count as one.
	o := oddKey{Raw: []byte("r")}
	o.At.Line, o.At.Col = 1, 2
	for n, want := range map[int]int{0: 0, 1: 3, 2: 7, 3: 10, 4: 11, 5: 19, 6: 21} {
		pat, err := odd.Under(o, n)
		key, err2 := odd.Encode(o)
		if err != nil || err2 != nil || pat != runtime.Prefix(key[:want]) {
			t.Errorf("%d fields: %v, %v", n, pat, errors.Join(err, err2))
		}
	}
}

// Of the last field a prefix has the beginning, whatever bytes are in it.
func TestPrefixWithinAField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDiag(t), drawDiag(t)
		for n, want := range map[int]bool{1: strings.HasPrefix(b.File, a.File), 2: b.File == a.File && strings.HasPrefix(b.Stage, a.Stage)} {
			pat, err := diags.Prefix(a, n)
			key, err2 := diags.Encode(b)
			if err := errors.Join(err, err2); err != nil || pat.Match(key) != want {
				t.Fatalf("%+v below %d fields of %+v: want %t, %v", b, n, a, want, err)
			}
		}
		pat, err := plain.Prefix(a.File, 1)
		if err != nil || pat.Match(b.File) != strings.HasPrefix(b.File, a.File) {
			t.Fatalf("%q below %q: %v", b.File, a.File, err)
		}
		pat, err = plain.Under(a.File, 1)
		if err != nil || pat.Match(b.File) != (a.File == b.File) {
			t.Fatalf("%q under %q: %v", b.File, a.File, err)
		}
	})
	for n := range 5 {
		if _, err := diags.Prefix(diagKey{}, n); (n != 1 && n != 2) != errors.Is(err, keyed.ErrBadKey) {
			t.Errorf("the beginning of field %d: %v", n, err)
		}
	}
}

// There is one form for each key: whatever decodes is what encoding gives.
func FuzzDecodeKey(f *testing.F) {
	for _, k := range []diagKey{{}, {"a\x00b", "", 3, -1}, {"\xff", "\x00", 255, 1 << 30}} {
		s, err := diags.Encode(k)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s)
		f.Add(s + "\x00")
		f.Add(s[1:])
	}
	o, err := odd.Encode(oddKey{On: true, Last: "\x00\x01"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(o)
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := diags.Decode(s); err == nil {
			if again, err := diags.Encode(k); err != nil || again != s {
				t.Errorf("%q is %+v, whose form is %q, %v", s, k, again, err)
			}
		} else if !errors.Is(err, keyed.ErrBadKey) {
			t.Error(err)
		}
		if k, err := odd.Decode(s); err == nil {
			if again, err := odd.Encode(k); err != nil || again != s {
				t.Errorf("%q is %+v, whose form is %q, %v", s, k, again, err)
			}
		}
	})
}

func TestTypesThatAreNoKeys(t *testing.T) {
	for name, err := range map[string]error{
		"float":      errOf(keyed.NewPartition[float64, string]("bad").Encode(1)),
		"map":        errOf(keyed.NewPartition[map[string]int, string]("bad").Encode(nil)),
		"unexported": errOf(keyed.NewPartition[struct{ a int }, string]("bad").Encode(struct{ a int }{1})),
		"no fields":  errOf(keyed.NewPartition[struct{}, string]("bad").Decode("")),
		"pointer":    errOf(keyed.NewPartition[struct{ P *int }, string]("bad").Under(struct{ P *int }{}, 1)),
		"time":       errOf(keyed.NewPartition[time.Time, string]("bad").Encode(time.Time{})),
		"entry":      errOf(keyed.NewCovering[string, error, string]("bad").Under("", 1)),
	} {
		if !errors.Is(err, keyed.ErrBadKey) || !strings.Contains(fmt.Sprint(err), `partition "bad" at `) || !strings.Contains(err.Error(), "partition_test.go:") {
			t.Errorf("%s: %v, want ErrBadKey and the place", name, err)
		}
	}
}

func errOf[A any](_ A, err error) error { return err }

func TestKeyedPartition(t *testing.T) {
	e := open(t)
	replace := func(file, stage string, texts ...string) {
		t.Helper()
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			if err := diags.ClearUnder(w, diagKey{File: file, Stage: stage}, 2); err != nil {
				return err
			}
			for i, s := range texts {
				if err := diags.Put(w, diagKey{file, stage, 1, int32(i)}, s); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	replace("a.go", "parse", "p0", "p1")
	replace("a.go", "check", "c0")
	replace("a.goo", "parse", "other file")
	replace("a.go", "parse", "new p0")
	s := e.Snapshot()
	defer s.Release()
	of, err := diags.Under(diagKey{File: "a.go"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = diags.Scan(s, of, func(k diagKey, v string) error {
		got = append(got, fmt.Sprint(k, "=", v))
		return nil
	})
	if want := []string{"{a.go check 1 0}=c0", "{a.go parse 1 0}=new p0"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	keys, err := diags.Keys(s, of, runtime.Backward(), runtime.Limit(1))
	if err != nil || !slices.Equal(keys, []diagKey{{"a.go", "parse", 1, 0}}) {
		t.Errorf("%v, %v", keys, err)
	}
	between, err := diags.Range(diagKey{File: "a.go", Stage: "d"}, diagKey{File: "a.gop"})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := diags.Keys(s, between); err != nil || len(keys) != 2 {
		t.Errorf("%v between, %v", keys, err)
	}
	if v, err := diags.Get(s, diagKey{"a.go", "check", 1, 0}); err != nil || v != "c0" {
		t.Errorf("%q, %v", v, err)
	}
	if has, err := diags.Has(s, diagKey{"a.go", "check", 1, 1}); err != nil || has {
		t.Errorf("%t, %v", has, err)
	}
	put(t, e, diags.Untyped(), "not a key", "x")
	now := e.Snapshot()
	defer now.Release()
	if _, err := diags.Keys(now, runtime.All()); !errors.Is(err, keyed.ErrBadKey) {
		t.Errorf("a stored key of another form: %v", err)
	}
	err = e.Commit(t.Context(), func(w *runtime.Writer) error { return diags.Delete(w, diagKey{"a.go", "check", 1, 0}) })
	if err != nil {
		t.Fatal(err)
	}
}
