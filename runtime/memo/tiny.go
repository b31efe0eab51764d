package memo

import (
	"errors"

	"github.com/cytisus/cytisus/mmapcas"
)

// A tiny result is its own name: the hash of a trace's result says the kind and the payload itself,
// and there is no record of it in the store. The name of a record of 7 bytes takes more than twice
// as much as these, and the record 64 bytes and a place in the index.
//
// The form: the length of the payload and 1, the kind, the payload, zeros. A record has a name of
// this form by a chance of 2^-61 or less; a result of which that is so is refused (errNameTaken),
// so a name says which of the two it is.
const tinyMost = 7 // bytes of the payload

// errNameTaken is of a result that cannot be told from a tiny one by its name.
var errNameTaken = errors.New("memo: the record of the result has the name of another result")

// resultName returns the name of a result.
func resultName(kind mmapcas.Kind, payload []byte) mmapcas.Hash {
	if len(payload) > tinyMost {
		return mmapcas.HashOf(kind, payload)
	}
	h := mmapcas.Hash{byte(len(payload) + 1), byte(kind)}
	copy(h[2:], payload)
	return h
}

// isTiny reports whether the result of this name is tiny.
func isTiny(h mmapcas.Hash) bool {
	n := int(h[0])
	if n == 0 || n > tinyMost+1 {
		return false
	}
	for _, b := range h[n+1:] {
		if b != 0 {
			return false
		}
	}
	return true
}

// tiny returns the tiny result of a name.
func tiny(h *mmapcas.Hash) (kind mmapcas.Kind, payload []byte) {
	n := int(h[0]) - 1
	return mmapcas.Kind(h[1]), h[2 : 2+n : 2+n]
}

// shadeResult tells the collector of a result that is in the store, or will be.
func (t *Table) shadeResult(h mmapcas.Hash) {
	if !isTiny(h) {
		t.o.Shade(h)
	}
}
