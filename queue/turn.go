package queue

import "sync/atomic"

// A turn says who owns the value of a cell; see "Ring" in the package comment. Its store, pass, is
// in turn_tso.go or turn_atomic.go.
type turn struct{ n atomic.Uint64 }

// load may be called by anybody. What the caller then does to the value, if it turns out to own it,
// comes after what the owner before did.
func (t *turn) load() uint64 { return t.n.Load() }

// touch writes to the turn's memory what it holds. Anybody may call it: it is one locked
// instruction, which a store of the owner, plain or not, comes before or after.
func (t *turn) touch() { t.n.Add(0) }
