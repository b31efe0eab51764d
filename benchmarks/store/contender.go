package store

import (
	"context"

	"github.com/cytisus/cytisus/mmapcas"
)

// valueBytes is the size of each record, batch how many are put at a time.
const (
	valueBytes = 128
	batch      = 1000
)

// A key is the name that ours gives a record; the peers are told it.
type key = mmapcas.Hash

// A record is a key and its value. The value must be copied to be kept.
type record struct {
	key   key
	value []byte
}

// A contender keeps records.
type contender interface {
	// put stores a batch, durably if the contender was opened so.
	put(batch []record) error
	// reader returns what one thread reads with.
	reader() (reader, error)
	close() error
}

// A reader reads for one thread.
type reader interface {
	// get returns the sum of the first and the last byte of the value, and whether there is one.
	get(k *key) (sum int, ok bool)
	close() error
}

// A visitor reads many in a row, through what visit gives.
type visitor interface {
	visit(fn func(get func(k *key) (sum int, ok bool))) error
}

// A batchReader reads many at once. Others are asked for one after the other.
type batchReader interface {
	// getBatch sets sums[i] to what get returns for keys[i], and returns how many there are.
	getBatch(keys []key, sums []int) (found int)
}

// A settler has work to finish before its size on disk is looked at.
type settler interface{ settle() error }

// A maker opens a contender in an empty directory.
type maker struct {
	name    string
	ours    bool
	durable bool   // can wait for the disk
	reads   bool   // takes part where records are read only: another way to read what is listed already
	slow    bool   // takes part in at most three rounds of the puts
	skip    string // why it cannot take part, "" if it can
	open    func(ctx context.Context, dir string, n int, sync bool) (contender, error)
}

// A stateless contender reads without anything of its own per thread.
type stateless struct{ read func(*key) (int, bool) }

func (s stateless) get(k *key) (int, bool) { return s.read(k) }
func (stateless) close() error             { return nil }

// ends is what a get looks at.
func ends(value []byte) int { return int(value[0]) + int(value[len(value)-1]) }
