package grid

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/cytisus/cytisus/mmapcas"
)

const (
	keyBytes  = len("sym/00000000/00")
	prefixLen = keyBytes - 2
	group     = 100    // keys of one prefix
	rangeKeys = 10_000 // keys of one range
	kind      = mmapcas.Kind(40)
)

// Partition is where the records are.
const Partition = "module_0"

// appendKey appends key i. Keys ascend with i.
func appendKey(b []byte, i int) []byte {
	at := len(b)
	b = append(b, "sym/00000000/00"...)
	k := b[at:]
	for p, v := prefixLen-2, i/group; v > 0; p, v = p-1, v/10 {
		k[p] = byte('0' + v%10)
	}
	k[keyBytes-2], k[keyBytes-1] = byte('0'+i%group/10), byte('0'+i%10)
	return b
}

func key(i int) string { return string(appendKey(nil, i)) }

// payload is the record that key i leads to.
func payload(i, distinct int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(i%distinct))
	return binary.LittleEndian.AppendUint64(b, 0x9e3779b97f4a7c15*uint64(i%distinct+1))
}

// A Config is one cell of the grid.
type Config struct {
	Records  int
	Chunks   int
	Distinct int    // different records; at least 1
	Dir      string // of the store
	Asks     int    // of each question
	BulkFrom int    // chunks of so many records and more are committed as bulks

	MemoryLimit int64 // bytes, of Face; 0: none
}

// bounds returns the first record of chunk c and the first behind it.
func (c Config) bounds(chunk int) (from, to int) {
	return chunk * c.Records / c.Chunks, (chunk + 1) * c.Records / c.Chunks
}

func (c Config) validate() error {
	if c.Records < 4*rangeKeys || c.Chunks < 1 || c.Chunks > c.Records || c.Distinct < 1 || c.Asks < 3 || c.BulkFrom < 1 {
		return fmt.Errorf("grid: %d records in %d chunks, %d distinct, %d asks, bulks from %d: at least %d records, 1 chunk, 1 distinct, 3 asks, bulks from 1", c.Records, c.Chunks, c.Distinct, c.Asks, c.BulkFrom, 4*rangeKeys)
	}
	return nil
}

// places returns where to ask: within one percent of the position, groups from their beginning.
func (c Config) places() []int {
	percent := 47
	if c.Chunks >= 10_000 {
		percent = 60
	}
	rng := rand.New(rand.NewPCG(uint64(c.Records), uint64(c.Chunks)))
	out := make([]int, c.Asks)
	for i := range out {
		at := c.Records/100*percent + rng.IntN(max(c.Records/100, 1))
		out[i] = min(at, c.Records-rangeKeys) / group * group
	}
	return out
}

// A reader answers the questions with the indices of records, as far as their first eight bytes
// tell.
type reader interface {
	get(key []byte) (record uint64, ok bool, err error)
	// scan reads the keys from lo to before hi, in order, and returns their number and the sum of
	// their records.
	scan(lo, hi []byte) (n int, sum uint64, err error)
}
