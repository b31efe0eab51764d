package runtime

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A ReadOption says in which order, and how much of, what a pattern means is read.
type ReadOption func(*reading)

type reading struct {
	backward bool
	limit    int // 0: none
	after    Cursor
}

// Backward reads from the greatest key to the least.
func Backward() ReadOption { return func(r *reading) { r.backward = true } }

// Limit reads no more than the first n matches, in the order of reading. Inside a query what lies
// behind them is not read: it may change without another run. An n below 1 is no limit.
func Limit(n int) ReadOption { return func(r *reading) { r.limit = max(n, 0) } }

// After reads what comes after a Cursor in the order of reading; for the zero Cursor that is
// everything. Where a key is known, a Range says the same.
func After(c Cursor) ReadOption { return func(r *reading) { r.after = c } }

// span returns what of pat is to be read.
func (pat Pattern) span(opts []ReadOption) db.Span {
	var r reading
	for _, opt := range opts {
		opt(&r)
	}
	sp := db.Span{Lo: pat.lo, Hi: pat.hi, Reverse: r.backward, Limit: r.limit}
	if r.after.on {
		sp = sp.After(r.after.key)
	}
	return sp
}

// Keys returns the keys that match, in order. Inside a query it depends on which matching keys
// there are among those that it read, and not on their values.
func (p *Partition[V]) Keys(r Reader, pat Pattern, opts ...ReadOption) ([]string, error) {
	var keys []string
	err := p.each(r, pat, opts, false, func(key string, _ mmapcas.Hash) error {
		keys = append(keys, key)
		return nil
	})
	return keys, err
}

// Scan calls fn for every match, in order of keys, until fn returns an error, which Scan returns.
// Inside a query it depends on the matches that fn was given, and on there being no others between
// them.
//
// When the range is large and it pays, which is measured all the while, other workers load and
// decode values ahead of fn, a few hundred at most. fn is called by the caller all the same, one
// key after the other. A task that is cancelled meanwhile gets the cause.
func (p *Partition[V]) Scan(r Reader, pat Pattern, fn func(key string, v V) error, opts ...ReadOption) error {
	return p.scan(r, pat, pat.span(opts), fn)
}

// An Entry is a key and its value.
type Entry[V any] struct {
	Key   string
	Value V
}

// A Cursor is a place between two pages. The zero Cursor is the beginning. It can be kept as text,
// and is good in every snapshot: the next page holds what lies behind the last one then.
type Cursor struct {
	key string // the last one read
	on  bool
}

// IsZero reports whether c is the beginning or, returned from Page, that there is no more.
func (c Cursor) IsZero() bool { return !c.on }

// MarshalText gives a form for URLs and JSON; the zero Cursor is empty.
func (c Cursor) MarshalText() ([]byte, error) {
	if !c.on {
		return nil, nil
	}
	return []byte("k" + base64.RawURLEncoding.EncodeToString([]byte(c.key))), nil
}

// UnmarshalText is the inverse of MarshalText; what is not of its form is ErrBadCursor.
func (c *Cursor) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Cursor{}
		return nil
	}
	enc, ok := strings.CutPrefix(string(text), "k")
	key, err := base64.RawURLEncoding.Strict().DecodeString(enc)
	if !ok || err != nil || strings.ContainsAny(enc, "\r\n") { // which the decoder passes over
		return fmt.Errorf("%w: %q", ErrBadCursor, text)
	}
	*c = Cursor{string(key), true}
	return nil
}

// Page returns up to n matches (1 if n is less) from a place on, with their values, and where the
// next page begins: the zero Cursor if there is none. A Limit has no effect. Inside a query it
// depends on what is in the page and, because it tells whether there is more, on the key behind it.
func (p *Partition[V]) Page(r Reader, pat Pattern, from Cursor, n int, opts ...ReadOption) (page []Entry[V], next Cursor, err error) {
	n = max(n, 1)
	if from.on {
		opts = append(opts[:len(opts):len(opts)], After(from))
	}
	keys, err := p.Keys(r, pat, append(opts[:len(opts):len(opts)], Limit(n+1))...)
	if err != nil {
		return nil, Cursor{}, err
	}
	if len(keys) > n {
		keys, next = keys[:n], Cursor{keys[n-1], true}
	}
	hashes, err := p.hashes(r, keys)
	if err != nil {
		return nil, Cursor{}, err
	}
	page = make([]Entry[V], len(keys))
	for i, key := range keys {
		v, err := p.read(r, key, hashes[i])
		if err != nil {
			return nil, Cursor{}, err
		}
		page[i] = Entry[V]{key, v}
	}
	return page, next, nil
}

// Count returns how many keys match. Without a glob it reads the paths to the ends of the range and
// nothing between them. Inside a query it depends on the number alone.
func (p *Partition[V]) Count(r Reader, pat Pattern) (int, error) {
	_, view, id, err := p.in(r)
	if err != nil {
		return 0, err
	}
	var n uint64
	switch {
	case view.frame != nil:
		n, err = view.frame.Count(id, pat.lo, pat.hi, pat.glob)
	case pat.glob == "":
		n, err = view.snap.Count(id, pat.lo, pat.hi)
	default:
		err = p.each(r, pat, nil, false, func(string, mmapcas.Hash) error { n++; return nil })
	}
	if err != nil {
		return 0, fmt.Errorf("runtime: counting keys of %s: %w", p.name, public(err))
	}
	return int(n), nil
}

// GetBatch returns the values of many keys, in their order, and which of them are there; the value
// of one that is not is the zero V. Sorted keys are read quickest. Inside a query it depends on
// each of the keys, as Get does.
func (p *Partition[V]) GetBatch(r Reader, keys []string) (values []V, there []bool, err error) {
	hashes, err := p.hashes(r, keys)
	if err != nil {
		return nil, nil, err
	}
	values, there = make([]V, len(keys)), make([]bool, len(keys))
	for i, h := range hashes {
		if h.IsZero() {
			continue
		}
		if values[i], err = p.read(r, keys[i], h); err != nil {
			return nil, nil, err
		}
		there[i] = true
	}
	return values, there, nil
}

func (p *Partition[V]) hashes(r Reader, keys []string) (hashes []mmapcas.Hash, err error) {
	_, view, id, err := p.in(r)
	if err != nil {
		return nil, err
	}
	if view.frame != nil {
		hashes, err = view.frame.GetBatch(id, keys)
	} else {
		hashes, err = view.snap.GetBatch(id, keys, make([]mmapcas.Hash, 0, len(keys)))
	}
	if err != nil {
		return nil, fmt.Errorf("runtime: looking up %d keys of %s: %w", len(keys), p.name, public(err))
	}
	return hashes, nil
}

func (p *Partition[V]) each(r Reader, pat Pattern, opts []ReadOption, values bool, fn func(string, mmapcas.Hash) error) error {
	return p.eachIn(r, pat, pat.span(opts), values, fn)
}

// eachIn calls fn for the keys of a span that match pat, in which the span lies.
func (p *Partition[V]) eachIn(r Reader, pat Pattern, sp db.Span, values bool, fn func(string, mmapcas.Hash) error) error {
	_, view, id, err := p.in(r)
	if err != nil {
		return err
	}
	var stop error
	if view.frame != nil {
		err = view.frame.Scan(id, sp, pat.glob, values, func(key string, h mmapcas.Hash) bool {
			stop = fn(key, h)
			return stop == nil
		})
	} else {
		left := sp.Limit
		sp.Limit = 0 // which counts matches
		err = view.snap.Scan(id, sp, func(key string, h mmapcas.Hash) bool {
			if !pat.Match(key) {
				return true
			}
			stop = fn(key, h)
			left--
			return stop == nil && left != 0
		})
	}
	if err != nil {
		return fmt.Errorf("runtime: reading a range of %s: %w", p.name, public(err))
	}
	return stop
}

// SnapshotAt returns a generation of the past: one of the Options.History before the newest, or one
// of which a snapshot is held. Others, and those to come, are ErrGone. The caller must Release it.
func (e *Engine) SnapshotAt(generation uint64) (*Snapshot, error) {
	if err := e.admit("SnapshotAt"); err != nil {
		return nil, err
	}
	snap, err := e.db.SnapshotAt(generation)
	if errors.Is(err, db.ErrGone) {
		return nil, fmt.Errorf("%w: %d, the newest is %d", ErrGone, generation, e.db.Generation())
	}
	if err != nil {
		return nil, fmt.Errorf("runtime: generation %d: %w", generation, err)
	}
	s := &Snapshot{eng: e, snap: snap}
	s.refs.Store(1)
	return s, nil
}
