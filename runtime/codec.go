package runtime

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"github.com/cytisus/cytisus/mmapcas"
)

// Record kinds of this package.
const (
	kindValue    mmapcas.Kind = 32 // a value in its codec's bytes
	kindBlob     mmapcas.Kind = 33 // bytes put with PutBlob
	kindRefValue mmapcas.Kind = 34 // count of blobs, their hashes, then a value
)

var (
	cborEnc = must(cbor.CoreDetEncOptions().EncMode())
	cborDec = must(cbor.DecOptions{MaxArrayElements: 1<<31 - 1, MaxMapPairs: 1<<31 - 1, MaxNestedLevels: 256}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // constant options of a library: wrong for every caller or for none
	}
	return v
}

// A codec turns values of one type into their canonical bytes and back. []byte and string are stored as they are; a type with
// AppendBinary (or MarshalBinary) and UnmarshalBinary has its own form; all else is deterministic CBOR (RFC 8949, section 4.2.1).
type codec[V any] struct {
	append func(dst []byte, v *V) ([]byte, error)
	decode func(p []byte) (V, error) // p is valid during the call only
	blobs  *blobFinder               // nil: values of the type hold no blobs
}

func codecFor[V any]() codec[V] {
	c := codec[V]{blobs: blobFinderFor(reflect.TypeFor[V]())}
	var zero V
	switch any(zero).(type) {
	case []byte:
		c.append = func(dst []byte, v *V) ([]byte, error) { return append(dst, any(*v).([]byte)...), nil }
		c.decode = func(p []byte) (V, error) { return any(append(make([]byte, 0, len(p)), p...)).(V), nil }
		return c
	case string:
		c.append = func(dst []byte, v *V) ([]byte, error) { return append(dst, any(*v).(string)...), nil }
		c.decode = func(p []byte) (V, error) { return any(string(p)).(V), nil }
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
	c.append = func(dst []byte, v *V) ([]byte, error) {
		b, err := cborEnc.Marshal(v)
		return append(dst, b...), err
	}
	c.decode = func(p []byte) (v V, err error) { return v, cborDec.Unmarshal(p, &v) }
	return c
}

// encode returns the record form of v.
func (c *codec[V]) encode(v *V) (kind mmapcas.Kind, payload []byte, refs []mmapcas.Hash, err error) {
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

var errKind = errors.New("the record is of another kind")

func (c *codec[V]) decodeRecord(kind mmapcas.Kind, payload []byte) (V, error) {
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
	encode func(K) (string, error)
	decode func(string) (K, error)
}

func keyCodecFor[K comparable]() keyCodec[K] {
	if reflect.TypeFor[K]().Kind() == reflect.String {
		return keyCodec[K]{
			encode: func(k K) (string, error) { return reflect.ValueOf(k).String(), nil },
			decode: func(s string) (k K, err error) { reflect.ValueOf(&k).Elem().SetString(s); return k, nil },
		}
	}
	return keyCodec[K]{
		encode: func(k K) (string, error) { b, err := cborEnc.Marshal(k); return string(b), err },
		decode: func(s string) (k K, err error) { return k, cborDec.Unmarshal([]byte(s), &k) },
	}
}
