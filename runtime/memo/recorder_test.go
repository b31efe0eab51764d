package memo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/runtime/db"
)

// A recorder that expects the reads of a run before takes down the same as a list of what was read
// the first time, whatever has moved, come and gone since, and knows where each read was.
func TestRecorderAgainstAList(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	var before *trace
	for run := range 400 {
		var c recorder
		c.follow(before)
		sequence := []int{}
		if before != nil {
			for i := range before.reads {
				if rng.IntN(20) > 0 {
					sequence = append(sequence, int(before.reads[i].part))
				}
			}
		}
		for range rng.IntN(4) {
			at := rng.IntN(len(sequence) + 1)
			sequence = slices.Insert(sequence, at, rng.IntN(60))
		}
		if n := len(sequence); n > 1 && rng.IntN(3) == 0 {
			a, b := rng.IntN(n), rng.IntN(n)
			sequence[a], sequence[b] = sequence[b], sequence[a]
		}
		var want []read
		for _, n := range sequence {
			r := read{kind: readRecord, part: db.PartID(n), key: fmt.Sprint("key ", n)}
			r.hash[0] = byte(run)
			if !slices.ContainsFunc(want, func(o read) bool { return o.same(&r) }) {
				want = append(want, r)
			}
			c.add(r, nil)
		}
		if !slices.Equal(c.reads, want) {
			t.Fatalf("seed %d, run %d: took down %v, want %v", seed, run, c.reads, want)
		}
		to := make([]*source, len(c.reads))
		for i, was := range c.was {
			if was > 0 && !before.reads[was-1].same(&c.reads[i]) {
				t.Fatalf("seed %d, run %d: read %d was another one", seed, run, i)
			}
			to[i] = &source{}
		}
		before = &trace{reads: c.reads}
		before.holds.Store(&interval{links: linksOf(to)})
	}
}
