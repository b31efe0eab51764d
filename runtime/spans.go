package runtime

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Spans are stored after the relational interval tree (Kriegel, Pötke, Seidl: Managing Intervals Efficiently in Object-Relational Databases, 2000). The
// positions are the leaves of an imagined binary tree of 64 levels. A span belongs to the lowest inner node above both its ends, whose level L is the number
// of bits from the first one in which the ends differ; a span of one position is of level 0. At each level the nodes are cells of 1<<L positions, and a span
// contains the middle of its cell. It has two keys with one record:
//
//	space 00 L first last id
//	space 01 L last first id
//
// where numbers are a byte that counts their bytes, and these bytes, the most significant first, and space is as in a struct key (sortkey.go).
//
// Of the spans of a level that overlap a position left of the middle of its cell, exactly those begin at it or before and within the cell: a range of
// the first keys; right of the middle, a range of the second keys that end at it or after. So a look-up takes one range for each level up to the highest that the space
// has, which is below the number of bits of its largest position, and reads nothing that is not part of the answer.

// ErrBadSpan is matched by errors about spans that hold no position, and keys that are not of the form of a span's.
var ErrBadSpan = errors.New("runtime: bad span")

// A Span is the positions From <= p < To. What a position is, such as a byte of a file, is up to the program.
type Span struct {
	From, To uint64
}

// Contains reports whether pos is in the span.
func (s Span) Contains(pos uint64) bool { return s.From <= pos && pos < s.To }

// Overlaps reports whether the spans have a position in common.
func (s Span) Overlaps(o Span) bool {
	return s.From < o.To && o.From < s.To && s.From < s.To && o.From < o.To
}

func (s Span) String() string { return fmt.Sprintf("[%d,%d)", s.From, s.To) }

// A SpanKey names an entry of Spans.
type SpanKey struct {
	Span
	ID string // tells entries with the same span apart
}

func (k SpanKey) String() string { return fmt.Sprintf("%v %s", k.Span, k.ID) }

// A SpanEntry is an entry of Spans.
type SpanEntry[V any] struct {
	SpanKey
	Value V
}

// Spans is a partition of values that lie somewhere: each has a space, such as the name of a file, and a span of positions in it. It answers which of them
// cover a position and which overlap a span, in time proportional to the logarithm of the largest position and of the number of entries, and to the
// number of answers. It changes in commits, and is seen through snapshots, as any partition.
type Spans[V any] struct {
	p *Partition[V]
}

// NewSpans names a partition of spans.
func NewSpans[V any](name string, opts ...PartitionOption) *Spans[V] {
	p := NewPartition[V](name, opts...)
	p.where = callerOf(2)
	return &Spans[V]{p}
}

// Partition is the partition in which the entries are stored, two keys for each. In tells which are of a space, and DecodeKey what a key means.
func (s *Spans[V]) Partition() *Partition[V] { return s.p }

// In means the entries of a space, each once. It is for Watch, Wait, Count and such.
func (s *Spans[V]) In(space string) Pattern { return Prefix(string(append(spaceKey(space), byFirst))) }

// Put sets the entry of this space, span and id.
func (s *Spans[V]) Put(w *Writer, space string, k SpanKey, v V) error {
	if k.From >= k.To {
		return fmt.Errorf("%w: %v in %q", ErrBadSpan, k.Span, space)
	}
	first, last := k.encode(space)
	return s.p.put(w, v, first, last)
}

// Delete removes the entry of this space, span and id. One that is not there is no error.
func (s *Spans[V]) Delete(w *Writer, space string, k SpanKey) error {
	if k.From >= k.To {
		return fmt.Errorf("%w: %v in %q", ErrBadSpan, k.Span, space)
	}
	first, last := k.encode(space)
	if err := s.p.Delete(w, first); err != nil {
		return err
	}
	return s.p.Delete(w, last)
}

// Clear removes all entries of a space. What the same commit puts afterwards stays: together they replace what was said of it before.
func (s *Spans[V]) Clear(w *Writer, space string) error {
	return s.p.ClearPrefix(w, string(spaceKey(space)))
}

// At returns the entries of a space that cover a position, the shortest first. Inside a query it depends on these entries and their values, and
// on whether spans come up that are so much larger than all others of the space that there is a level more.
func (s *Spans[V]) At(r Reader, space string, pos uint64) ([]SpanEntry[V], error) {
	out, err := s.read(r, space, pos, pos)
	slices.SortFunc(out, func(a, b SpanEntry[V]) int { return a.inner(b.SpanKey) })
	return out, err
}

// KeysAt is At without the values, which are not read. Inside a query it depends on which entries cover the position, and not on their values.
func (s *Spans[V]) KeysAt(r Reader, space string, pos uint64) ([]SpanKey, error) {
	out, err := s.keys(r, space, pos, pos)
	slices.SortFunc(out, SpanKey.inner)
	return out, err
}

// Overlapping returns the entries of a space that overlap a span, in the order of their beginnings, the longer of two first. An empty span overlaps nothing. Inside a
// query it depends on these entries and their values, as At does.
func (s *Spans[V]) Overlapping(r Reader, space string, span Span) ([]SpanEntry[V], error) {
	if span.From >= span.To {
		return nil, nil
	}
	out, err := s.read(r, space, span.From, span.To-1)
	slices.SortFunc(out, func(a, b SpanEntry[V]) int { return a.before(b.SpanKey) })
	return out, err
}

// KeysOverlapping is Overlapping without the values, which are not read.
func (s *Spans[V]) KeysOverlapping(r Reader, space string, span Span) ([]SpanKey, error) {
	if span.From >= span.To {
		return nil, nil
	}
	out, err := s.keys(r, space, span.From, span.To-1)
	slices.SortFunc(out, SpanKey.before)
	return out, err
}

func (k SpanKey) inner(o SpanKey) int {
	return cmp.Or(cmp.Compare(k.To-k.From, o.To-o.From), cmp.Compare(k.From, o.From), cmp.Compare(k.ID, o.ID))
}

func (k SpanKey) before(o SpanKey) int {
	return cmp.Or(cmp.Compare(k.From, o.From), cmp.Compare(o.To, k.To), cmp.Compare(k.ID, o.ID))
}

func (s *Spans[V]) read(r Reader, space string, first, last uint64) (out []SpanEntry[V], err error) {
	err = s.look(r, space, first, last, true, func(key string, k SpanKey, h mmapcas.Hash) error {
		v, err := s.p.read(r, key, h)
		out = append(out, SpanEntry[V]{k, v})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Spans[V]) keys(r Reader, space string, first, last uint64) (out []SpanKey, err error) {
	err = s.look(r, space, first, last, false, func(_ string, k SpanKey, _ mmapcas.Hash) error {
		out = append(out, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// look calls fn for the entries that have one of the positions first to last, in no order.
func (s *Spans[V]) look(r Reader, space string, first, last uint64, values bool, fn func(key string, k SpanKey, h mmapcas.Hash) error) error {
	_, view, err := r.reads()
	if err != nil {
		return err
	}
	prefix := spaceKey(space)
	top, err := s.top(r, prefix)
	if err != nil {
		return view.failed(err)
	}
	scan := func(pat Pattern) error {
		return s.p.each(r, pat, nil, values, func(key string, h mmapcas.Hash) error {
			k, err := decodeSpanKey(key[len(prefix):])
			if err != nil {
				return view.failed(err) // not all was read that the answer would depend on
			}
			return fn(key, k, h)
		})
	}
	for level := 0; level <= top; level++ {
		cell := first >> level << level
		end := cell | (1<<level - 1)
		if level == 0 || first < cell|1<<(level-1) { // left of the middle
			err = scan(spanRange(prefix, byFirst, level, cell, last))
		} else {
			err = scan(spanRange(prefix, byLast, level, first, end))
			if err == nil && last > end {
				err = scan(spanRange(prefix, byFirst, level, end+1, last))
			}
		}
		if err != nil {
			return err
		}
	}
	if view.frame != nil {
		// Also read: that there are no levels above.
		return scan(Range(string(append(prefix, byFirst, byte(top+1))), string(append(prefix, byLast))))
	}
	return nil
}

// top returns the highest level of the entries of a space, -1 if it has none. It is not recorded.
func (s *Spans[V]) top(r Reader, prefix []byte) (level int, err error) {
	_, view, part, err := s.p.in(r)
	if err != nil {
		return 0, err
	}
	level = -1
	sp := db.Prefix(string(append(prefix, byFirst)))
	sp.Reverse, sp.Limit = true, 1
	err = view.snap.Scan(part, sp, func(key string, _ db.Hash) bool {
		if len(key) > len(prefix)+1 {
			level = int(min(key[len(prefix)+1], 64))
		}
		return true
	})
	if err != nil {
		return 0, fmt.Errorf("runtime: reading spans of %s: %w", s.p.name, public(err))
	}
	return level, nil
}

const (
	byFirst = 0
	byLast  = 1
)

// spaceKey begins the keys of a space.
func spaceKey(space string) []byte {
	return slices.Clip(appendKeyText(nil, space)) // what is appended goes elsewhere
}

// spanRange means the keys of one order and level with their first number from lo to hi.
func spanRange(prefix []byte, order byte, level int, lo, hi uint64) Pattern {
	from := appendSpanNumber(append(slices.Grow(prefix, 11), order, byte(level)), lo)
	to := append(slices.Grow(prefix, 11), order, byte(level))
	if hi == 1<<64-1 {
		to[len(to)-1]++ // 65 is no level
	} else {
		to = appendSpanNumber(to, hi+1)
	}
	return Range(string(from), string(to))
}

// encode returns the two keys of k.
func (k SpanKey) encode(space string) (first, last string) {
	end := k.To - 1
	level := byte(bits.Len64(k.From ^ end))
	key := func(order byte, a, b uint64) string {
		return string(append(appendSpanNumber(appendSpanNumber(append(spaceKey(space), order, level), a), b), k.ID...))
	}
	return key(byFirst, k.From, end), key(byLast, end, k.From)
}

// DecodeKey returns what a key of Partition means. What is not the key of an entry is ErrBadSpan.
func (s *Spans[V]) DecodeKey(key string) (space string, k SpanKey, err error) {
	text, rest, ok := cutKeyText(key)
	if ok {
		k, err = decodeSpanKey(rest)
	}
	if !ok || err != nil {
		return "", SpanKey{}, fmt.Errorf("%w: key %q", ErrBadSpan, key)
	}
	return string(text), k, nil
}

// decodeSpanKey decodes a key without its space.
func decodeSpanKey(rest string) (k SpanKey, err error) {
	if len(rest) < 2 || rest[0] > byLast {
		return k, fmt.Errorf("%w: key ends with %q", ErrBadSpan, rest)
	}
	a, b, ok := uint64(0), uint64(0), true
	order, level, tail := rest[0], rest[1], rest[2:]
	if a, tail, ok = cutSpanNumber(tail); ok {
		b, tail, ok = cutSpanNumber(tail)
	}
	if order == byLast {
		a, b = b, a
	}
	if !ok || a > b || b == 1<<64-1 || int(level) != bits.Len64(a^b) {
		return k, fmt.Errorf("%w: key ends with %q", ErrBadSpan, rest)
	}
	return SpanKey{Span{a, b + 1}, strings.Clone(tail)}, nil
}

func appendSpanNumber(b []byte, n uint64) []byte {
	bytes := (bits.Len64(n) + 7) / 8
	b = append(b, byte(bytes))
	for i := bytes - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// cutSpanNumber accepts what appendSpanNumber makes and nothing else.
func cutSpanNumber(s string) (n uint64, rest string, ok bool) {
	if s == "" || s[0] > 8 || len(s) <= int(s[0]) || s[0] > 0 && s[1] == 0 {
		return 0, "", false
	}
	for i := range int(s[0]) {
		n = n<<8 | uint64(s[1+i])
	}
	return n, s[1+s[0]:], true
}
