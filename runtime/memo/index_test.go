package memo

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// keyed returns a source that is in no index.
func keyed(key string) *source {
	x := &source{}
	x.setKey(key)
	return x
}

// An index holds what a map does, while it grows and while it shrinks.
func TestIndexAgainstMap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var x index
		want := map[string]*source{}
		for n, step := 1+rng.IntN(2000), 0; step < 4000; step++ {
			key := fmt.Sprint(rng.IntN(n))
			switch rng.IntN(3) {
			case 0:
				o := keyed(key)
				in, was := x.put(o)
				if cur := want[key]; was != (cur != nil) || was && in != cur || !was && in != o {
					t.Fatalf("seed %d, step %d: put of %s gives %p and %t, there was %p", seed, step, key, in, was, cur)
				}
				want[key] = in
			case 1:
				o := want[key]
				if step > 2000 && o == nil { // it shrinks
					for key, o = range want {
						break
					}
				}
				if o == nil {
					continue
				}
				if !x.remove(o) || x.remove(o) {
					t.Fatalf("seed %d, step %d: %s is not taken out once", seed, step, key)
				}
				delete(want, key)
			default:
				if got := x.load(key); got != want[key] {
					t.Fatalf("seed %d, step %d: %s is %p, want %p", seed, step, key, got, want[key])
				}
			}
		}
		n := 0
		x.each(func(o *source) bool {
			n++
			return want[o.key()] == o
		})
		if n != len(want) {
			t.Errorf("seed %d: it has %d of %d", seed, n, len(want))
		}
	}
}

// What is in an index all the time is found all the time, and what is put is found from then on.
func TestIndexBesideWriters(t *testing.T) {
	const stay, come = 200, 20_000
	var x index
	for i := range stay {
		x.put(keyed(fmt.Sprint("stays ", i)))
	}
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range come {
				key := fmt.Sprint("comes ", w, i)
				o, was := x.put(keyed(key))
				if was || x.load(key) != o {
					t.Errorf("%s is not found", key)
					return
				}
				if i >= come/2 && !x.remove(x.load(fmt.Sprint("comes ", w, i-come/2))) {
					t.Errorf("number %d is not taken out", i-come/2)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for i := 0; ; i++ {
		key := fmt.Sprint("stays ", i%stay)
		if o := x.load(key); o == nil || o.key() != key {
			t.Fatalf("%s is %v", key, o)
		}
		if x.load("never") != nil {
			t.Fatal("what was never put is found")
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
