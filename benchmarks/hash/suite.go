// Package hash compares names of records with plain BLAKE3.
//
// # Cases
//
//	batch16-64, -256, -1024   16 records of so many bytes, named together; time per record
//	one-64 ... one-1M         one record at a time
//
// The peer is zeebo/blake3, one record after the other, over the same message: the kind byte and
// the payload. Ours leaves single records to it as well, so the rows of one say what its wrapping
// costs.
package hash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/mmapcas/hash"
	"github.com/zeebo/blake3"
)

const (
	kind  = 40
	batch = 16
)

// Suite compares hashing.
func Suite() compare.Suite {
	return compare.Suite{Name: "hash", Doc: "names of records: batches of 16, single ones, large ones", Cases: cases}
}

// data is records of one size, and their names.
type data struct {
	messages, payloads [][]byte // a message is the kind and the payload
	names              []hash.Hash
}

func newData(env *compare.Env, size, n int) *data {
	d := &data{}
	rng := env.Rand(uint64(size))
	for range n {
		m := make([]byte, 1+size)
		for i := range m {
			m[i] = byte(rng.Uint32())
		}
		m[0] = kind
		sum := blake3.Sum256(m)
		d.messages, d.payloads = append(d.messages, m), append(d.payloads, m[1:])
		d.names = append(d.names, hash.Hash(sum[:hash.Bytes]))
	}
	return d
}

func cases(env *compare.Env) (list []compare.Case, err error) {
	bytes := env.Size(8<<20, 64<<10)
	for _, c := range []struct {
		name string
		size int
		each int // records at a time
	}{
		{"batch16-64", 64, batch},
		{"batch16-256", 256, batch},
		{"batch16-1024", 1024, batch},
		{"one-64", 64, 1},
		{"one-1024", 1024, 1},
		{"one-64K", 64 << 10, 1},
		{"one-1M", 1 << 20, 1},
	} {
		n := max(bytes/c.size/batch, 1) * c.each
		d := newData(env, c.size, min(n, 1024))
		turns := max(n/len(d.names), 1)
		list = append(list, compare.Case{
			Name: c.name, Columns: []compare.Column{{Unit: "ns/record"}},
			Entrants: []compare.Entrant{
				entrant("cytisus", true, d, turns, ours(d, c.each)),
				entrant("zeebo-blake3", false, d, turns, theirs(d)),
			},
		})
	}
	return list, nil
}

func entrant(name string, ours bool, d *data, turns int, run func([]hash.Hash) []hash.Hash) compare.Entrant {
	return compare.Entrant{Name: name, Ours: ours, Start: func(context.Context) (compare.Session, error) {
		var out []hash.Hash
		return compare.Session{Round: func(context.Context) ([]float64, error) {
			began := time.Now()
			for range turns {
				out = run(out[:0])
			}
			ns := compare.PerItem(time.Since(began), turns*len(d.names))
			if !slices.Equal(out, d.names) {
				return nil, errors.New("wrong answer: names differ")
			}
			return []float64{ns}, nil
		}}, nil
	}}
}

func ours(d *data, each int) func([]hash.Hash) []hash.Hash {
	if each == 1 {
		return func(out []hash.Hash) []hash.Hash {
			for _, p := range d.payloads {
				out = append(out, hash.Sum(kind, p))
			}
			return out
		}
	}
	if len(d.payloads)%each != 0 {
		panic(fmt.Sprintf("%d records in batches of %d", len(d.payloads), each))
	}
	return func(out []hash.Hash) []hash.Hash {
		for at := 0; at < len(d.payloads); at += each {
			out = hash.Batch(kind, d.payloads[at:at+each], out)
		}
		return out
	}
}

func theirs(d *data) func([]hash.Hash) []hash.Hash {
	return func(out []hash.Hash) []hash.Hash {
		for _, m := range d.messages {
			sum := blake3.Sum256(m)
			out = append(out, hash.Hash(sum[:hash.Bytes]))
		}
		return out
	}
}
