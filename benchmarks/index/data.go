package index

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/mmapcas"
)

// kind of the records that the names name, in ours.
const kind mmapcas.Kind = 40

// Data is the entries of a run. They are sorted within a group; the groups are in random order.
type data struct {
	entries  []entry
	payloads [][]byte // of the records that are named, in the order of names
	names    []name
	probes   []entry // all entries, shuffled, in memory of their own
}

func newData(env *compare.Env, n int) *data {
	d := &data{entries: make([]entry, n/group*group)}
	// A prime number of names, so that the names of a group change with every version of it.
	rng := env.Rand(1)
	for range 1021 {
		p := binary.LittleEndian.AppendUint64(nil, rng.Uint64())
		d.payloads = append(d.payloads, p)
		d.names = append(d.names, mmapcas.HashOf(kind, p))
	}
	for g := 0; g < len(d.entries); g += group {
		var k key
		binary.BigEndian.PutUint64(k[:], rng.Uint64())
		binary.BigEndian.PutUint64(k[8:], rng.Uint64())
		for i := range group {
			binary.BigEndian.PutUint64(k[prefixBytes:], uint64(i)*7)
			d.entries[g+i] = entry{key: k, text: string(k[:]), name: d.nameOf(g+i, 0)}
		}
	}
	slab := make([]byte, 0, len(d.entries)*len(key{}))
	order := env.Rand(2).Perm(len(d.entries))
	for _, i := range order {
		slab = append(slab, d.entries[i].text...)
	}
	text := string(slab)
	for at, i := range order {
		e := d.entries[i]
		e.text = text[at*len(key{}) : (at+1)*len(key{})]
		d.probes = append(d.probes, e)
	}
	return d
}

// nameOf is what entry i leads to after its group has been changed so many times.
func (d *data) nameOf(i, version int) name { return d.names[(i+version)%len(d.names)] }

// edits is the commit that takes a group to a version.
func (d *data) edits(g, version int) []entry {
	list := append([]entry(nil), d.entries[g*group:(g+1)*group]...)
	for i := range list {
		list[i].name = d.nameOf(g*group+i, version)
	}
	return list
}

// bounds returns the first key of a group and the first key that is behind all its keys.
func (d *data) bounds(g int) (lo, hi entry) {
	lo = d.entries[g*group]
	hi.key = lo.key
	binary.BigEndian.PutUint64(hi.key[prefixBytes:], group*7)
	hi.text = string(hi.key[:])
	return lo, hi
}

// sum is what a scan of a group must give.
func (d *data) sum(g, version int) (sum int) {
	for i := range group {
		n := d.nameOf(g*group+i, version)
		sum += int(n[0]) + int(byte(i*7))
	}
	return sum
}

func (d *data) groups() int { return len(d.entries) / group }
