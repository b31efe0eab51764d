package store

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/mmapcas"
)

// kind of ours' records; any will do.
const kind mmapcas.Kind = 40

// Data is the records of a run and the orders in which they are read.
type data struct {
	records []record
	sums    []uint16 // of the ends of each value, by index
	probes  []probe  // all records, shuffled
	hot     []probe  // as many draws from 10,000 records
	absent  []key
}

// A probe is a key to read and what the read must give.
type probe struct {
	key key
	sum uint16
}

func newData(env *compare.Env, n int) *data {
	d := &data{records: make([]record, n), sums: make([]uint16, n), probes: make([]probe, n), absent: make([]key, min(n, 50_000))}
	slab := make([]byte, n*valueBytes)
	rng := env.Rand(1)
	for i := 0; i < len(slab); i += 8 {
		binary.LittleEndian.PutUint64(slab[i:], rng.Uint64())
	}
	for i := range d.records {
		value := slab[i*valueBytes : (i+1)*valueBytes : (i+1)*valueBytes]
		d.records[i] = record{mmapcas.HashOf(kind, value), value}
		d.sums[i] = uint16(ends(value))
	}
	for at, i := range env.Rand(2).Perm(n) {
		d.probes[at] = probe{d.records[i].key, d.sums[i]}
	}
	rng = env.Rand(3)
	for range min(n, 50_000) {
		i := rng.IntN(min(n, 10_000))
		d.hot = append(d.hot, probe{d.records[i].key, d.sums[i]})
	}
	rng = env.Rand(4)
	for i := range d.absent {
		binary.LittleEndian.PutUint64(d.absent[i][:], rng.Uint64())
		binary.LittleEndian.PutUint64(d.absent[i][8:], rng.Uint64())
	}
	return d
}
