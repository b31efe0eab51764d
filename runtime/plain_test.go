package runtime_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
)

type (
	plainWidth int16
	plainInner struct {
		Name string `cbor:"n"`
		Set  bool
	}
	plainStruct struct {
		plainInner
		Long  uint64
		Width plainWidth
		Inner plainInner
		B, A  int8
	}
)

// plainTypes are written and read without the codec.
var plainTypes = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint64](), reflect.TypeFor[bool](),
	reflect.TypeFor[plainWidth](), reflect.TypeFor[plainInner](), reflect.TypeFor[plainStruct](),
	reflect.TypeFor[struct{ From, To int }](),
}

// A value of a plain type is written as the codec writes it, and read back as it was.
func TestPlainFormIsThatOfTheCodec(t *testing.T) {
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		if rapid.Bool().Draw(t, "a plain type") {
			g.t = rapid.SampledFrom(plainTypes).Draw(t, "type")
			v := reflect.New(g.t).Elem()
			setPlain(t, v)
			g.v = v.Interface()
		}
		if runtime.TypeError(g.t) != nil {
			return
		}
		got, is, err := runtime.PlainOf(g.t, g.v)
		if err != nil || !is {
			return
		}
		plain++
		want, err := runtime.ByNameOf(g.t, g.v)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: plain %x, by the codec %x, %v", g, got, want, err)
		}
		v, read := runtime.ReadPlain(g.t, got)
		if diff := unlike(g.v, v); !read || diff != "" {
			t.Fatalf("%v: %x is read as %v, %v: %s", g, got, v, read, diff)
		}
		// What is read of other bytes is what the codec reads.
		mangled := bytes.Clone(got)
		switch at := rapid.IntRange(0, len(got)-1).Draw(t, "at"); rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			mangled[at] = rapid.Byte().Draw(t, "byte")
		case 1:
			mangled = mangled[:at]
		case 2:
			mangled = append(mangled[:at:at], got[max(at-1, 0):]...)
		}
		if v, read := runtime.ReadPlain(g.t, mangled); read {
			other, err := runtime.DecodeOf(g.t, mangled)
			if diff := unlike(other, v); err != nil || diff != "" {
				t.Fatalf("%v: %x is read as %v, and by the codec as %v, %v", g.t, mangled, v, other, err)
			}
		}
	})
	if plain < 20 {
		t.Errorf("%d values were plain: the test does not try much", plain)
	}
}

// setPlain sets what is in a value of plainTypes.
func setPlain(t *rapid.T, v reflect.Value) {
	edge := rapid.SampledFrom([]uint64{0, 1, 23, 24, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<32 - 1, 1 << 32, math.MaxInt64, math.MaxUint64})
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("cbor") != "-" && (f.Anonymous || f.IsExported()) {
				setPlain(t, v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "string"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	default:
		n := edge.Draw(t, "number")
		if v.CanInt() {
			v.SetInt(reflect.ValueOf(n).Convert(v.Type()).Int() * int64(1-2*rapid.IntRange(0, 1).Draw(t, "sign")))
			return
		}
		v.SetUint(reflect.ValueOf(n).Convert(v.Type()).Uint())
	}
}

// All of plainTypes are plain, and what is not to be is not.
func TestPlainTypes(t *testing.T) {
	for _, typ := range plainTypes {
		if _, plain, err := runtime.PlainOf(typ, reflect.Zero(typ).Interface()); !plain || err != nil {
			t.Errorf("%v is not plain: %v", typ, err)
		}
	}
	for _, v := range []any{
		1.5,
		[]int{1},
		map[string]int{},
		[2]int{},
		new(int), []byte("b"),
		struct{ A *int }{},
		struct{ A []string }{},
		struct {
			A int `cbor:",omitempty"`
		}{},
		struct {
			_ struct{} `cbor:",toarray"`
			A int
		}{},
	} {
		if _, plain, _ := runtime.PlainOf(reflect.TypeOf(v), v); plain {
			t.Errorf("%T is plain", v)
		}
	}
}
