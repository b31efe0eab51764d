// Gridstore fills a store with very many records of 64 bytes and says what each operation costs at
// that size. It keeps no record and no name in memory: both follow from a number.
//
//	gridstore [-n 100000000] [-dir DIR]
//
// It writes a store of about 105 bytes per record into DIR, by default the system's temporary
// directory, and removes it.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/mmapcas"
)

const (
	kind         = 40
	payloadBytes = 64
	batch        = 1000
	commitEvery  = 1_000_000
	probes       = 1_000_000
	group        = 16
)

func main() {
	n := flag.Int("n", 100_000_000, "records")
	dir := flag.String("dir", "", "where to make the store")
	flag.Parse()
	if err := run(*n, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gridstore:", err)
		os.Exit(1)
	}
}

func run(n int, dir string) error {
	if n < batch {
		return fmt.Errorf("-n is %d, want at least %d", n, batch)
	}
	for _, line := range compare.Machine() {
		fmt.Println("#", line)
	}
	scratch, err := os.MkdirTemp(dir, "cytisus-grid-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	g := &grid{dir: filepath.Join(scratch, "store"), n: n - n%batch}
	for _, step := range []func() error{g.put, g.gets, g.absent, g.batches, g.heap, g.close, g.open} {
		if err := step(); err != nil {
			return errors.Join(err, g.release())
		}
	}
	return nil
}

type grid struct {
	dir string
	n   int
	s   *mmapcas.Store
}

func (g *grid) release() error {
	if g.s == nil {
		return nil
	}
	s := g.s
	g.s = nil
	return s.Close()
}

func say(what string, v float64, unit string) { fmt.Printf("%-28s %10.4g %s\n", what, v, unit) }

// fill makes p the payload of a number.
func fill(p []byte, i uint64) {
	for at := 0; at < len(p); at += 8 {
		i = i*6364136223846793005 + 1442695040888963407
		binary.LittleEndian.PutUint64(p[at:], i)
	}
}

// names appends the names of random numbers from a range.
func names(rng *rand.Rand, from, n uint64, out []mmapcas.Hash) []mmapcas.Hash {
	p := make([]byte, payloadBytes)
	for len(out) < cap(out) {
		fill(p, from+rng.Uint64N(n))
		out = append(out, mmapcas.HashOf(kind, p))
	}
	return out
}

func (g *grid) put() (err error) {
	if g.s, err = mmapcas.Open(g.dir, mmapcas.Options{}); err != nil {
		return err
	}
	slab := make([]byte, batch*payloadBytes)
	payloads := make([][]byte, batch)
	for i := range payloads {
		payloads[i] = slab[i*payloadBytes : (i+1)*payloadBytes]
	}
	var out []mmapcas.Hash
	var filling time.Duration
	began := time.Now()
	for at := 0; at < g.n; at += batch {
		before := time.Now()
		for i, p := range payloads {
			fill(p, uint64(at+i))
		}
		filling += time.Since(before)
		if out, err = g.s.PutBatch(kind, payloads, out[:0]); err != nil {
			return err
		}
		if (at+batch)%commitEvery == 0 || at+batch == g.n {
			if err := g.s.Commit(nil); err != nil {
				return err
			}
		}
	}
	say("put, hash included", compare.PerItem(time.Since(began)-filling, g.n), "ns/record")
	if st := g.s.Stats(); st.Records != int64(g.n) {
		return fmt.Errorf("wrong answer: %d records, want %d", st.Records, g.n)
	}
	return nil
}

func (g *grid) probes() int { return min(probes, g.n) }

func (g *grid) gets() error {
	list := names(rand.New(rand.NewPCG(1, 1)), 0, uint64(g.n), make([]mmapcas.Hash, 0, g.probes()))
	r := g.s.NewReader()
	defer r.Close()
	sum := 0
	began := time.Now()
	for i := range list {
		if err := r.View(list[i], func(_ mmapcas.Kind, p []byte) error { sum += len(p); return nil }); err != nil {
			return err
		}
	}
	say("get", compare.PerItem(time.Since(began), len(list)), "ns/get")
	return compare.Same("bytes", sum, len(list)*payloadBytes)
}

func (g *grid) absent() error {
	list := names(rand.New(rand.NewPCG(2, 1)), uint64(g.n), 1<<40, make([]mmapcas.Hash, 0, g.probes()))
	r := g.s.NewReader()
	defer r.Close()
	found := 0
	began := time.Now()
	for i := range list {
		if r.View(list[i], func(mmapcas.Kind, []byte) error { return nil }) == nil {
			found++
		}
	}
	say("get of what is absent", compare.PerItem(time.Since(began), len(list)), "ns/get")
	return compare.Same("absent records found", found, 0)
}

func (g *grid) batches() error {
	list := names(rand.New(rand.NewPCG(3, 1)), 0, uint64(g.n), make([]mmapcas.Hash, 0, g.probes()))
	r := g.s.NewReader()
	defer r.Close()
	sum := 0
	began := time.Now()
	for at := 0; at < len(list); at += group {
		err := r.ViewBatch(list[at:min(at+group, len(list))], func(_ int, _ mmapcas.Kind, p []byte, err error) error {
			sum += len(p)
			return err
		})
		if err != nil {
			return err
		}
	}
	say("get in batches of 16", compare.PerItem(time.Since(began), len(list)), "ns/get")
	return compare.Same("bytes", sum, len(list)*payloadBytes)
}

func (g *grid) heap() error {
	goruntime.GC()
	began := time.Now()
	goruntime.GC()
	say("forced collection of Go's", float64(time.Since(began).Microseconds())/1000, "ms")
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	say("heap in use", float64(m.HeapInuse)/1e6, "MB")
	say("index in memory", float64(g.s.Stats().IndexBytes)/1e6, "MB")
	return nil
}

func (g *grid) close() error {
	began := time.Now()
	if err := g.release(); err != nil {
		return err
	}
	say("close", float64(time.Since(began).Microseconds())/1000, "ms")
	used, err := compare.DiskUsage(g.dir)
	say("disk", float64(used)/float64(g.n), "bytes/record")
	return err
}

func (g *grid) open() (err error) {
	list := names(rand.New(rand.NewPCG(4, 1)), 0, uint64(g.n), make([]mmapcas.Hash, 0, 1))
	began := time.Now()
	if g.s, err = mmapcas.Open(g.dir, mmapcas.Options{}); err != nil {
		return err
	}
	if _, _, err := g.s.Get(list[0], nil); err != nil {
		return err
	}
	say("open to the first answer", float64(time.Since(began).Microseconds())/1000, "ms")
	return g.release()
}
