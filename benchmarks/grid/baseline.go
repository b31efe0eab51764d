package grid

import (
	"bytes"
	goruntime "runtime"
	"sort"
	"sync"
	"time"
)

// A chunk is a sorted array of keys, and what each leads to.
type chunk struct {
	keys    []byte // keyBytes each
	records []uint64
}

func (c *chunk) key(i int) []byte { return c.keys[i*keyBytes : (i+1)*keyBytes] }

// search returns the position of the first key that is not less than key.
func (c *chunk) search(key []byte) int {
	return sort.Search(len(c.records), func(i int) bool { return bytes.Compare(c.key(i), key) >= 0 })
}

// A hit is one entry that a chunk answers with.
type hit struct {
	key    []byte
	record uint64
}

// visit returns the entries of c from lo to before hi; those equal to lo, if hi is nil.
func (c *chunk) visit(lo, hi []byte) (out []hit) {
	for i := c.search(lo); i < len(c.records); i++ {
		k := c.key(i)
		if hi == nil && !bytes.Equal(k, lo) || hi != nil && bytes.Compare(k, hi) >= 0 {
			break
		}
		out = append(out, hit{k, c.records[i]})
	}
	return out
}

// A mode is how chunks are visited.
type mode string

const (
	sequential mode = "sequential"
	parallel   mode = "parallel"
	adaptive   mode = "adaptive"
)

// A list is chunks as they came.
type list struct {
	chunks []chunk
	mode   mode
	asked  int              // questions so far, of one kind
	took   [2]time.Duration // of the first, in sequence, and the second, in parallel
}

func (l *list) visit(lo, hi []byte) []hit {
	m := l.mode
	if m == adaptive {
		switch n := len(l.chunks); {
		case n < 10:
			m = sequential
		case n > 10_000:
			m = parallel
		case l.asked == 0, l.asked > 1 && l.took[0] <= l.took[1]:
			m = sequential
		default:
			m = parallel
		}
	}
	began := time.Now()
	var out []hit
	if m == parallel {
		out = l.fanOut(lo, hi)
	} else {
		for i := range l.chunks {
			out = append(out, l.chunks[i].visit(lo, hi)...)
		}
	}
	if l.asked < len(l.took) {
		l.took[l.asked] = time.Since(began)
	}
	l.asked++
	sort.Slice(out, func(i, j int) bool { return bytes.Compare(out[i].key, out[j].key) < 0 })
	return out
}

// fanOut visits chunks on all CPUs, each a run of them.
func (l *list) fanOut(lo, hi []byte) []hit {
	workers := min(goruntime.GOMAXPROCS(0), len(l.chunks))
	parts := make([][]hit, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * len(l.chunks) / workers; i < (w+1)*len(l.chunks)/workers; i++ {
				parts[w] = append(parts[w], l.chunks[i].visit(lo, hi)...)
			}
		})
	}
	wg.Wait()
	var out []hit
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func (l *list) get(key []byte) (uint64, bool, error) {
	out := l.visit(key, nil)
	if len(out) == 0 {
		return 0, false, nil
	}
	return out[0].record, true, nil
}

func (l *list) scan(lo, hi []byte) (n int, sum uint64, err error) {
	out := l.visit(lo, hi)
	for i := range out {
		sum += out[i].record
	}
	return len(out), sum, nil
}

// Baseline loads chunks and asks in all modes.
func Baseline(c Config) ([]Result, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	chunks := make([]chunk, c.Chunks)
	for i := range chunks {
		from, to := c.bounds(i)
		ch := chunk{make([]byte, 0, (to-from)*keyBytes), make([]uint64, 0, to-from)}
		for j := from; j < to; j++ {
			ch.keys = appendKey(ch.keys, j)
			ch.records = append(ch.records, uint64(j%c.Distinct))
		}
		chunks[i] = ch
	}
	load, heap := time.Since(began).Seconds(), liveHeap()
	var out []Result
	for _, m := range []mode{sequential, parallel, adaptive} {
		r := Result{Who: string(m), Records: c.Records, Chunks: c.Chunks, Load: load, HeapMiB: heap, PeakMiB: heap}
		few := c
		if m != adaptive || c.Chunks > 1000 {
			few.Asks = max(3, c.Asks/10) // slow, and all alike
		}
		var err error
		if r.Times, err = ask(few, &perQuestion{chunks: chunks, mode: m}); err != nil {
			return nil, err
		}
		r.RSSMiB = peakRSS()
		out = append(out, r)
	}
	return out, nil
}

// perQuestion lets the adaptive mode decide for each kind of question.
type perQuestion struct {
	chunks []chunk
	mode   mode
	lists  [2]*list
}

func (p *perQuestion) of(i int) *list {
	if p.lists[i] == nil {
		p.lists[i] = &list{chunks: p.chunks, mode: p.mode}
	}
	return p.lists[i]
}

func (p *perQuestion) get(key []byte) (uint64, bool, error) { return p.of(0).get(key) }

func (p *perQuestion) scan(lo, hi []byte) (int, uint64, error) { return p.of(1).scan(lo, hi) }
