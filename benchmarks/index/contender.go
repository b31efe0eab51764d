package index

import (
	"context"
	"encoding/binary"

	"github.com/cytisus/cytisus/mmapcas"
)

// group is how many keys share a prefix.
const group = 100

// prefixBytes is the part of a key that its group shares.
const prefixBytes = 16

type name = mmapcas.Hash

// A key is 24 bytes: a group of 16 and a number in it of 8.
type key [24]byte

// less orders keys as bytes, eight at a time.
func (k *key) less(other *key) bool {
	for at := 0; at < len(k); at += 8 {
		a, b := binary.BigEndian.Uint64(k[at:]), binary.BigEndian.Uint64(other[at:])
		if a != b {
			return a < b
		}
	}
	return false
}

// An entry is a key in the forms that contenders want, and the name it leads to.
type entry struct {
	key  key
	text string // the same bytes
	name name
}

// A contender is an ordered map.
type contender interface {
	// commit sets adjacent keys all at once.
	commit(edits []entry) error
	// snapshot returns the state after the commits so far.
	snapshot() (snapshot, error)
	close() error
}

// A snapshot reads one state. It is used by one goroutine.
type snapshot interface {
	get(e *entry) (name, bool)
	// scan passes over the keys from lo to, but not including, hi, and returns their number and the
	// sum of their last bytes and of the first bytes of their names.
	scan(lo, hi *entry) (count, sum int)
	release() error
}

// A maker makes a contender for the names in use.
type maker struct {
	name string
	ours bool
	skip string // why it cannot take part; "" if it can
	open func(ctx context.Context, dir string, d *data) (contender, error)

	// beside says that snapshots may be taken and read while another goroutine commits.
	beside bool
}
