package runtime_test

import (
	"bytes"
	"errors"
	"flag"
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

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
)

// Types that a generator of types cannot make.
type (
	twig struct {
		Name string
		Next *twig
		Kids []twig
		By   map[string]*twig
	}
	nest    []nest
	degrees float64
	letters string
	octets  []byte
	octet   byte
	digest  [4]octet
	cell    struct{ X, Y int8 }
	base    struct{ ID int }
	Origin  struct{ File string }
	embeds  struct {
		base
		*Origin
		Line int
	}
	stamped struct {
		time.Time
		Note string
	}
	stampOnly  struct{ time.Time }
	positional struct {
		_    struct{} `cbor:",toarray"`
		A, B string
	}
	inner          struct{ y int }
	pair[A, B any] struct {
		First  A
		Second B
	}
	textOnly struct{ s string }
	binOnly  struct{ s string }
	appended struct{ s string }
	own      struct{ s string }
)

func (t textOnly) MarshalText() ([]byte, error)          { return []byte(t.s), nil }
func (t *textOnly) UnmarshalText(b []byte) error         { t.s = string(b); return nil }
func (b binOnly) MarshalBinary() ([]byte, error)         { return []byte(b.s), nil }
func (a appended) AppendBinary(b []byte) ([]byte, error) { return append(b, a.s...), nil }
func (a *appended) UnmarshalBinary(b []byte) error       { a.s = string(b); return nil }
func (o own) MarshalBinary() ([]byte, error)             { return []byte(o.s), nil }
func (o *own) UnmarshalBinary(b []byte) error            { o.s = string(b); return nil }

var leafTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int64](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[any](), reflect.TypeFor[time.Time](), reflect.TypeFor[big.Int](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[url.URL](),
	reflect.TypeFor[twig](), reflect.TypeFor[nest](), reflect.TypeFor[degrees](), reflect.TypeFor[letters](), reflect.TypeFor[octets](),
	reflect.TypeFor[digest](), reflect.TypeFor[cell](), reflect.TypeFor[embeds](), reflect.TypeFor[positional](),
	reflect.TypeFor[pair[int, string]](), reflect.TypeFor[pair[*time.Time, []any]](), reflect.TypeFor[own](), reflect.TypeFor[struct{}](),
	reflect.TypeFor[runtime.Blob](), reflect.TypeFor[time.Duration](), reflect.TypeFor[runtime.Durability](),
}

var refusedTypes = []reflect.Type{
	reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](), reflect.TypeFor[func()](), reflect.TypeFor[chan int](),
	reflect.TypeFor[complex128](), reflect.TypeFor[uintptr](), reflect.TypeFor[unsafe.Pointer](), reflect.TypeFor[stamped](), reflect.TypeFor[stampOnly](),
	reflect.TypeOf(inner{1}), reflect.TypeFor[textOnly](), reflect.TypeFor[binOnly](), reflect.TypeFor[big.Float](),
	reflect.TypeFor[pair[int, error]](), reflect.TypeFor[map[*int]string](), reflect.TypeFor[map[time.Time]int](),
}

// anyType makes a type. Most of them are not refused.
func anyType(t *rapid.T, depth int) reflect.Type {
	if depth == 0 {
		if rapid.IntRange(0, 39).Draw(t, "refused") == 0 {
			return rapid.SampledFrom(refusedTypes).Draw(t, "refused type")
		}
		return rapid.SampledFrom(leafTypes).Draw(t, "leaf type")
	}
	switch rapid.IntRange(0, 7).Draw(t, "kind of type") {
	case 0:
		return reflect.SliceOf(anyType(t, depth-1))
	case 1:
		return reflect.ArrayOf(rapid.IntRange(0, 3).Draw(t, "length"), anyType(t, depth-1))
	case 2:
		return reflect.PointerTo(anyType(t, depth-1))
	case 3:
		key := anyType(t, depth-1)
		if !key.Comparable() {
			key = rapid.SampledFrom([]reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[cell](), reflect.TypeFor[[2]int]()}).Draw(t, "key")
		}
		return reflect.MapOf(key, anyType(t, depth-1))
	case 4, 5, 6:
		var fields []reflect.StructField
		for i := range rapid.IntRange(0, 4).Draw(t, "fields") {
			f := reflect.StructField{Name: fmt.Sprint("F", i), Type: anyType(t, depth-1)}
			f.Tag = reflect.StructTag(rapid.SampledFrom([]string{
				"", "", "", "", `json:"name"`, `cbor:"f,omitempty"`, `json:",omitempty"`, `cbor:",omitzero"`, `cbor:"7,keyasint"`, `json:"-"`,
			}).Draw(t, "tag"))
			if rapid.IntRange(0, 59).Draw(t, "unexported") == 0 {
				f.Name, f.PkgPath = fmt.Sprint("f", i), "main"
			}
			fields = append(fields, f)
		}
		return reflect.StructOf(fields)
	default:
		return anyType(t, 0)
	}
}

// setAny sets v to a value of its type.
func setAny(t *rapid.T, v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		sec := rapid.SampledFrom([]int64{0, -62135596800, 1e9, 1 << 33, 253402300799, -1 << 40}).Draw(t, "seconds")
		zone := rapid.SampledFrom([]*time.Location{time.UTC, time.Local, time.FixedZone("", 3600), time.FixedZone("X", -5400), time.FixedZone("", 61)}).Draw(t, "zone")
		v.Set(reflect.ValueOf(time.Unix(sec, rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).In(zone)))
		return
	case reflect.TypeFor[big.Int]():
		n := new(big.Int).Lsh(big.NewInt(rapid.Int64().Draw(t, "big")), uint(rapid.IntRange(0, 80).Draw(t, "shift")))
		v.Set(reflect.ValueOf(n).Elem())
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("fe80::1%x")}).Draw(t, "addr")))
		return
	case reflect.TypeFor[url.URL]():
		v.Set(reflect.ValueOf(rapid.SampledFrom([]url.URL{
			{}, {Scheme: "http", Host: "h", Path: "/a b", User: url.UserPassword("u", "p")}, {Path: "//x"}, {Opaque: "x"},
		}).Draw(t, "url")))
		return
	case reflect.TypeFor[own]():
		v.Set(reflect.ValueOf(own{rapid.SampledFrom([]string{"", "x"}).Draw(t, "own")}))
		return
	case reflect.TypeFor[runtime.Blob]():
		return // one that is not in a store may not be named
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.SampledFrom([]int64{0, 1, -1, math.MinInt64, math.MaxInt64, 42}).Draw(t, "int"))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.SampledFrom([]uint64{0, 1, math.MaxUint64, 255}).Draw(t, "uint"))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1.5, 0.1, math.Inf(-1), math.NaN(), math.MaxFloat32, math.SmallestNonzeroFloat64}).Draw(t, "float"))
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"", "a", "caf\xe9", "\x00", "日本", "\xff\xfe", strings.Repeat("long", 20)}).Draw(t, "string"))
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, "length"); n >= 0 {
			if depth <= 0 {
				n = 0
			}
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			setAny(t, v.Index(i), depth-1)
		}
	case reflect.Map:
		n := rapid.IntRange(-1, 3).Draw(t, "size")
		if n < 0 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for i := 0; i < n && depth > 0; i++ {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			setAny(t, key, depth-1)
			setAny(t, elem, depth-1)
			if key.Comparable() {
				v.SetMapIndex(key, elem)
			}
		}
	case reflect.Pointer:
		if depth > 0 && rapid.Bool().Draw(t, "pointer") {
			v.Set(reflect.New(v.Type().Elem()))
			setAny(t, v.Elem(), depth-1)
		}
	case reflect.Interface:
		if v.NumMethod() > 0 {
			return
		}
		of := rapid.SampledFrom([]reflect.Type{
			nil, reflect.TypeFor[bool](), reflect.TypeFor[int64](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
			reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any](), reflect.TypeFor[int](), reflect.TypeFor[cell](), reflect.TypeFor[uint64](),
		}).Draw(t, "type in the interface")
		if of != nil {
			x := reflect.New(of).Elem()
			setAny(t, x, depth-1)
			v.Set(x)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || v.Type().Field(i).Anonymous && f.Kind() == reflect.Struct {
				setAny(t, f, depth-1)
			}
		}
	}
}

// A generated is a type and a value of it.
type generated struct {
	t reflect.Type
	v any
}

func (g generated) String() string { return fmt.Sprintf("%v: %#v", g.t, g.v) }

func generate(t *rapid.T) generated {
	typ := anyType(t, rapid.IntRange(0, 3).Draw(t, "depth"))
	if typ.Kind() == reflect.Interface {
		typ = reflect.SliceOf(typ) // so that its nil is a value of a type
	}
	v := reflect.New(typ).Elem()
	setAny(t, v, 5)
	return generated{typ, v.Interface()}
}

// refused checks that an error is one about values and names the place in the type.
func refused(t errorf, g generated, err error) {
	if !errors.Is(err, runtime.ErrBadValue) || !strings.Contains(err.Error(), g.t.String()) {
		t.Errorf("%v: the error %v does not say where in the type it is", g, err)
	}
}

type errorf interface {
	Errorf(format string, args ...any)
}

func unlike(a, b any) string { return differ(reflect.ValueOf(a), reflect.ValueOf(b)) }

var (
	valuesSeed = flag.Int("values.seed", 0, "first seed of TestGeneratedValuesComeBack; 0: by the clock")
	valuesN    = flag.Int("values.n", 250, "how many values TestGeneratedValuesComeBack makes")
)

// Every value of every type is refused, or comes back equal: from a partition, as the result and as
// the key of a query, from the cache, from the store, and after a restart.
func TestGeneratedValuesComeBack(t *testing.T) {
	type definition struct {
		generated
		part   *runtime.Partition[any]
		result *runtime.Query[string, any]
		byKey  *runtime.Query[any, string]
		stored bool
	}
	seed := *valuesSeed
	if seed == 0 {
		seed = int(time.Now().UnixNano() % 1e9)
	}
	gen := rapid.Custom(generate)
	defs := make([]*definition, *valuesN)
	for i := range defs {
		g := gen.Example(seed + i)
		defs[i] = &definition{
			generated: g,
			part:      runtime.PartitionOf(g.t, fmt.Sprint("generated", i)),
			result:    runtime.QueryOf(g.t, fmt.Sprint("generatedResult", i), func(*runtime.Task, string) (any, error) { return g.v, nil }),
			byKey: runtime.QueryBy(g.t, fmt.Sprint("generatedKey", i), func(_ *runtime.Task, k any) (string, error) {
				return unlike(g.v, k), nil
			}),
		}
	}
	dir := t.TempDir()
	for life := range 3 {
		o := runtime.Options{Workers: 1, Logger: quiet, SegmentBytes: 1 << 20}
		if life == 1 {
			o.CacheBytes = 1 // nothing stays in it
		}
		e, err := runtime.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			err := e.Commit(t.Context(), func(w *runtime.Writer) error {
				for _, d := range defs {
					err := d.part.Put(w, "k", d.v)
					if d.stored = err == nil; !d.stored {
						refused(t, d.generated, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s := e.Snapshot()
		kept := 0
		for i, d := range defs {
			if t.Failed() {
				break
			}
			fail := func(how, diff string, err error) {
				t.Errorf("-values.n 1 -values.seed %d, life %d: %v: %s: %s %v", seed+i, life, d.generated, how, diff, err)
			}
			for range 2 {
				v, err := d.result.Ask(t.Context(), e, "k")
				if !d.stored {
					refused(t, d.generated, err)
				} else if diff := unlike(d.v, v); err != nil || diff != "" {
					fail("as a result", diff, err)
				}
				diff, err := d.byKey.Ask(t.Context(), e, d.v)
				if !d.stored {
					refused(t, d.generated, err)
				} else if err != nil || diff != "" {
					fail("as a key", diff, err)
				}
			}
			if !d.stored {
				continue
			}
			kept++
			v, err := d.part.Get(s, "k")
			if diff := unlike(d.v, v); err != nil || diff != "" {
				fail("from the partition", diff, err)
			}
			if ran := e.Stats().Queries[d.result.Name()].Ran; life > 0 && ran > 0 {
				fail(fmt.Sprintf("computed %d times again", ran), "", nil)
			}
		}
		s.Release()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !t.Failed() && len(defs) > 10 && kept < len(defs)/3 {
			t.Errorf("%d of %d values were kept: the test does not try much", kept, len(defs))
		}
	}
}

// Equal values have equal bytes, and bytes that the decoder takes lead to a value that comes back.
func TestGeneratedValuesHaveOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		if runtime.TypeError(g.t) != nil {
			return
		}
		first, err := runtime.EncodeOf(g.t, g.v)
		if err != nil {
			refused(t, g, err)
			return
		}
		v, err := runtime.DecodeOf(g.t, first)
		if err != nil {
			t.Fatalf("%v: %v", g, err)
		}
		again, err := runtime.EncodeOf(g.t, v)
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%v: %x, and when it came back %x %v", g, first, again, err)
		}
	})
}
