package runtime

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/cytisus/cytisus/mmapcas"
)

// Record kinds of this package.
const (
	kindValue    mmapcas.Kind = 32 // a value in its codec's bytes
	kindBlob     mmapcas.Kind = 33 // bytes put with PutBlob
	kindRefValue mmapcas.Kind = 34 // count of blobs, their hashes, then a value
	kindNil      mmapcas.Kind = 35 // the nil []byte; no bytes
	kindFailure  mmapcas.Kind = 36 // an error that is an answer, in its codec's bytes
)

var (
	cborEnc = must(encOptions().EncMode())
	cborDec = must(cbor.DecOptions{
		MaxArrayElements: 1<<31 - 1,
		MaxMapPairs:      1<<31 - 1,
		MaxNestedLevels:  maxValueLevels + maxTypeLevels + 1, // what is not checked for depth lies below what is
		UTF8:             cbor.UTF8DecodeInvalid,
		IntDec:           cbor.IntDecConvertSignedOrFail, // in an any, where checkAny allows int64
		DefaultMapType:   reflect.TypeFor[map[string]any](),
	}.DecMode())
)

func encOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeRFC3339Nano
	o.NaNConvert = cbor.NaNConvertNone // math.NaN is not the NaN of the core form
	return o
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // constant options of a library: wrong for every caller or for none
	}
	return v
}

// A codec turns values of one type into their canonical bytes and back. []byte and string are
// stored as they are; a type with AppendBinary (or MarshalBinary) and UnmarshalBinary has its own
// form; all else is deterministic CBOR (RFC 8949, section 4.2.1).
type codec[V any] struct {
	form   *form
	simply bool  // values are written by the form alone: it is plain
	ours   bool  // the payload of a value is in no memory that a method of it may have
	err    error // the type is refused: nothing of it is ever encoded or decoded
	append func(dst []byte, v *V) ([]byte, error)
	decode func(p []byte) (V, error) // p is valid during the call only
	isNil  func(v *V) bool           // nil, but for []byte: all bytes are taken by values that are not nil
	blobs  *blobFinder               // nil: values of the type hold no blobs
}

func codecFor[V any]() codec[V] {
	t := reflect.TypeFor[V]()
	f, err := formOf(t, true)
	if err != nil {
		return codec[V]{err: err}
	}
	c := codec[V]{form: f, blobs: blobFinderFor(t)}
	var zero V
	switch any(zero).(type) {
	case []byte:
		c.append = func(dst []byte, v *V) ([]byte, error) { return append(dst, any(*v).([]byte)...), nil }
		c.decode = func(p []byte) (V, error) { return any(append(make([]byte, 0, len(p)), p...)).(V), nil }
		c.isNil = func(v *V) bool { return any(*v).([]byte) == nil }
		return c
	case string:
		c.ours = true
		c.append = func(dst []byte, v *V) ([]byte, error) { return append(dst, any(*v).(string)...), nil }
		c.decode = func(p []byte) (V, error) { return any(string(p)).(V), nil }
		return c
	case time.Time:
		c.append = func(dst []byte, v *V) ([]byte, error) { return settledTime(any(*v).(time.Time)).AppendBinary(dst) }
		c.decode = func(p []byte) (V, error) {
			var at time.Time
			err := at.UnmarshalBinary(p)
			return any(settledTime(at)).(V), err
		}
		return c
	}
	if _, ok := any(&zero).(encoding.BinaryUnmarshaler); ok {
		c.decode = func(p []byte) (v V, err error) {
			err = any(&v).(encoding.BinaryUnmarshaler).UnmarshalBinary(append(make([]byte, 0, len(p)), p...))
			return v, err
		}
		if _, ok := any(&zero).(encoding.BinaryAppender); ok {
			c.append = func(dst []byte, v *V) ([]byte, error) { return any(v).(encoding.BinaryAppender).AppendBinary(dst) }
			return c
		}
		if _, ok := any(&zero).(encoding.BinaryMarshaler); ok {
			c.append = func(dst []byte, v *V) ([]byte, error) {
				b, err := any(v).(encoding.BinaryMarshaler).MarshalBinary()
				return append(dst, b...), err
			}
			return c
		}
	}
	c.simply = f.isPlain()
	c.ours = c.simply
	c.append = func(dst []byte, v *V) ([]byte, error) { return f.append(dst, v) }
	c.decode = func(p []byte) (v V, err error) { return v, f.decode(p, &v) }
	return c
}

// append appends the CBOR of the value that v, a pointer, points to.
func (f *form) append(dst []byte, v any) ([]byte, error) {
	if f.numbered {
		return f.appendCompact(dst, reflect.ValueOf(v).Elem())
	}
	b, err := f.marshal(v)
	if len(dst) == 0 {
		return b, err
	}
	return append(dst, b...), err
}

func (f *form) marshal(v any) ([]byte, error) {
	b, err := cborEnc.Marshal(v)
	if err == nil && f.foreign {
		err = f.wellFormed(b)
	}
	return b, err
}

// decode is the inverse of append.
func (f *form) decode(p []byte, v any) error {
	var err error
	if f.marked && len(p) > 0 && p[0] == cborTag|compactMarker {
		err = f.decodeCompact(p, v)
	} else {
		err = cborDec.Unmarshal(p, v)
	}
	if f.timed {
		f.settle(reflect.ValueOf(v).Elem())
	}
	return err
}

func (f *form) decodeCompact(p []byte, v any) error {
	if err := compactDec.Wellformed(p); err != nil {
		return err
	}
	into := reflect.ValueOf(v).Elem()
	if f.numbered && f.readCompact(p, into) {
		return nil
	}
	into.SetZero()
	p, err := expand(p)
	if err != nil {
		return err
	}
	return cborDec.Unmarshal(p, v)
}

// encode returns the record form of v, or an error if v would not come back from it. The payload is
// put into the memory of dst if it can be.
func (c *codec[V]) encode(dst []byte, v V) (kind mmapcas.Kind, payload []byte, refs []mmapcas.Hash, err error) {
	if c.simply {
		return kindValue, c.form.appendPlain(dst[:0], reflect.ValueOf(&v).Elem()), nil, nil
	}
	return c.encodeAny(dst[:0], v)
}

// encodeAny is encode for any value, which gets a place on the heap.
func (c *codec[V]) encodeAny(payload []byte, in V) (kind mmapcas.Kind, _ []byte, refs []mmapcas.Hash, err error) {
	v := &in
	if c.isNil != nil && c.isNil(v) {
		return kindNil, nil, nil, nil
	}
	if c.form.checked {
		// Before all else: only then is it known that there is an end to the value.
		if err := c.form.verify(reflect.ValueOf(v).Elem()); err != nil {
			return 0, nil, nil, err
		}
	}
	kind = kindValue
	if refs = c.blobs.find(reflect.ValueOf(v).Elem()); len(refs) > 0 {
		kind = kindRefValue
		payload = binary.AppendUvarint(payload, uint64(len(refs)))
		for _, h := range refs {
			payload = append(payload, h[:]...)
		}
	}
	payload, err = c.append(payload, v)
	return kind, payload, refs, err
}

// asStored returns v as it comes back from its record. That is v itself but for values that hold
// times, which lose what of them is known in this process only. What is read before and after a
// value was stored is the same value therefore.
func (c *codec[V]) asStored(v V, kind mmapcas.Kind, payload []byte) (V, error) {
	if !c.form.timed {
		return v, nil
	}
	return c.decodeRecord(kind, payload)
}

var errKind = errors.New("the record is of another kind")

func (c *codec[V]) decodeRecord(kind mmapcas.Kind, payload []byte) (V, error) {
	if c.err != nil {
		var zero V
		return zero, c.err
	}
	switch kind {
	case kindValue:
		return c.decode(payload)
	case kindRefValue:
		_, body, err := splitRefs(payload)
		if err != nil {
			var zero V
			return zero, err
		}
		return c.decode(body)
	case kindNil:
		var null V
		if c.isNil == nil {
			return null, fmt.Errorf("%w: %d", errKind, kind)
		}
		return null, nil
	default:
		var zero V
		return zero, fmt.Errorf("%w: %d", errKind, kind)
	}
}

// splitRefs takes a kindRefValue record apart.
func splitRefs(payload []byte) (refs []mmapcas.Hash, body []byte, err error) {
	n, w := binary.Uvarint(payload)
	rest := payload[max(w, 0):]
	if w <= 0 || n > uint64(len(rest)/len(mmapcas.Hash{})) {
		return nil, nil, errors.New("damaged list of blobs")
	}
	refs = make([]mmapcas.Hash, n)
	for i := range refs {
		rest = rest[copy(refs[i][:], rest):]
	}
	return refs, rest, nil
}

// keyCodec turns query keys into strings and back. Strings are themselves.
type keyCodec[K comparable] struct {
	err    error                           // the type is refused
	append func([]byte, K) ([]byte, error) // nil: strings, which need no other memory
	encode func(K) (string, error)
	decode func(string) (K, error)
}

func keyCodecFor[K comparable]() keyCodec[K] {
	t := reflect.TypeFor[K]()
	if t.Kind() == reflect.String {
		return keyCodec[K]{
			encode: func(k K) (string, error) { return reflect.ValueOf(k).String(), nil },
			decode: func(s string) (k K, err error) { reflect.ValueOf(&k).Elem().SetString(s); return k, nil },
		}
	}
	f, err := formOf(t, false)
	if err != nil {
		return keyCodec[K]{err: err}
	}
	c := keyCodec[K]{
		append: func(dst []byte, k K) ([]byte, error) {
			if f.checked {
				c := k // so that k itself needs no place on the heap
				if err := f.verify(reflect.ValueOf(&c).Elem()); err != nil {
					return dst, err
				}
			}
			b, err := f.marshal(k)
			return append(dst, b...), err
		},
		decode: func(s string) (k K, err error) { return k, f.decode([]byte(s), &k) },
	}
	if f.isPlain() {
		byForm := c.decode
		c.append = func(dst []byte, k K) ([]byte, error) { return f.appendPlain(dst, reflect.ValueOf(&k).Elem()), nil }
		c.decode = func(s string) (k K, err error) {
			if rest, ok := f.readPlain(s, reflect.ValueOf(&k).Elem()); ok && rest == "" {
				return k, nil
			}
			return byForm(s)
		}
	}
	c.encode = func(k K) (string, error) {
		b, err := c.append(nil, k)
		return string(b), err
	}
	return c
}
