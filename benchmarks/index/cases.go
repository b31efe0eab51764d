package index

import (
	"errors"
	"fmt"
	"math"
	goruntime "runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A measure runs a round on a loaded contender.
type measure func(*loaded) ([]float64, error)

// window returns n consecutive indices below limit, other ones each time as far as there are
// others.
func (l *loaded) window(n, limit int) (from, to int) {
	n = min(n, limit)
	from = l.cursor % (limit - n + 1)
	l.cursor += n
	return from, from + n
}

// size is the live Go heap per entry. What the process has without a contender is some 100 KiB.
func size(c contender, entries int) float64 {
	heap := float64(compare.LiveHeap()) / float64(entries)
	goruntime.KeepAlive(c)
	return heap
}

func cycle(c contender, _ int) float64 {
	goruntime.GC() // ends what loading began
	gc := gcCPU()
	goruntime.KeepAlive(c)
	return gc
}

// gcCPU returns how many microseconds of processor time a collection takes now; the median of some.
func gcCPU() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	total := func() float64 {
		metrics.Read(s)
		return s[0].Value.Float64()
	}
	var took []float64
	for range 9 {
		before := total()
		goruntime.GC()
		took = append(took, total()-before)
	}
	slices.Sort(took)
	return took[len(took)/2] * 1e6
}

// beside reads one key after the other, first alone, then while groups are committed without a
// pause.
func beside(reads int) measure {
	return func(l *loaded) ([]float64, error) {
		from, to := l.window(reads, len(l.d.probes))
		read := func() (p99 float64, err error) {
			took := make([]time.Duration, 0, to-from)
			var s snapshot
			for i := from; i < to; i++ {
				if (i-from)%100 == 0 { // as tasks do: each has a snapshot of its own
					if s != nil {
						err = errors.Join(err, s.release())
					}
					var serr error
					if s, serr = l.c.snapshot(); serr != nil {
						return 0, errors.Join(err, serr)
					}
				}
				began := time.Now()
				_, ok := s.get(&l.d.probes[i])
				took = append(took, time.Since(began))
				if !ok {
					err = errors.Join(err, compare.Same("key there", ok, true))
				}
			}
			slices.Sort(took)
			return float64(took[len(took)*99/100]), errors.Join(err, s.release())
		}
		quiet, err := read()
		if err != nil {
			return nil, err
		}
		first, last := l.window(64, l.d.groups())
		var commits [2][][]entry
		for g := first; g < last; g++ {
			commits[0] = append(commits[0], l.d.edits(g, l.versions[g]+1))
			commits[1] = append(commits[1], l.d.edits(g, l.versions[g]+2))
		}
		var done atomic.Bool
		result := make(chan error)
		go func() {
			var err error
			for pass := 0; err == nil && (pass%2 == 1 || pass == 0 || !done.Load()); pass++ {
				for _, edits := range commits[pass%2] {
					if err = l.c.commit(edits); err != nil {
						break
					}
				}
			}
			result <- err
		}()
		busy, err := read()
		done.Store(true)
		if err = errors.Join(err, <-result); err != nil {
			return nil, err
		}
		for g := first; g < last; g++ {
			l.versions[g] += 2
		}
		return []float64{quiet, busy, busy / quiet}, l.checkGroups(first, last)
	}
}

// get reads keys that were read before, as were all others.
func get(l *loaded) ([]float64, error) {
	for pass := 0; pass < 2 && !l.warm; pass++ { // a cache that grows meanwhile wants two
		if _, err := l.read(0, len(l.d.probes)); err != nil {
			return nil, err
		}
	}
	l.warm = true
	return l.read(l.window(50_000, len(l.d.probes)))
}

// getFirst reads keys that were not read before, except by checks, as long as there are any.
func getFirst(l *loaded) ([]float64, error) {
	n := min(max(len(l.d.probes)/10, 1), 50_000)
	if l.firsts+n > len(l.d.probes) {
		return []float64{math.NaN()}, nil
	}
	l.firsts += n
	return l.read(l.firsts-n, l.firsts)
}

func (l *loaded) read(from, to int) ([]float64, error) {
	s, err := l.c.snapshot()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	wrong := 0
	for i := from; i < to; i++ {
		if n, ok := s.get(&l.d.probes[i]); !ok || n != l.d.probes[i].name {
			wrong++
		}
	}
	took := time.Since(began)
	return []float64{compare.PerItem(took, to-from)}, errors.Join(compare.Same("number of wrong gets", wrong, 0), s.release())
}

func scan(l *loaded) ([]float64, error) {
	s, err := l.c.snapshot()
	if err != nil {
		return nil, err
	}
	from, to := l.window(1000, l.d.groups())
	type bounds struct{ lo, hi entry }
	list := make([]bounds, 0, to-from)
	want := 0
	for g := from; g < to; g++ {
		lo, hi := l.d.bounds(g)
		list = append(list, bounds{lo, hi})
		want += l.d.sum(g, l.versions[g])
	}
	began := time.Now()
	count, sum := 0, 0
	for i := range list {
		n, s := s.scan(&list[i].lo, &list[i].hi)
		count += n
		sum += s
	}
	took := time.Since(began)
	return []float64{compare.PerItem(took, len(list))}, errors.Join(
		compare.Same("number of keys", count, len(list)*group), compare.Same("sum of names", sum, want), s.release())
}

func take(n int) measure {
	return func(l *loaded) ([]float64, error) {
		began := time.Now()
		for range n {
			s, err := l.c.snapshot()
			if err != nil {
				return nil, err
			}
			if err := s.release(); err != nil {
				return nil, err
			}
		}
		return []float64{compare.PerItem(time.Since(began), n)}, nil
	}
}

func commit(n int) measure {
	return func(l *loaded) ([]float64, error) {
		from, to := l.window(n, l.d.groups())
		var commits [][]entry
		for g := from; g < to; g++ {
			l.versions[g]++
			commits = append(commits, l.d.edits(g, l.versions[g]))
		}
		before, err := l.c.snapshot()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		for _, edits := range commits {
			if err := l.c.commit(edits); err != nil {
				return nil, err
			}
		}
		took := time.Since(began)
		return []float64{compare.PerItem(took, len(commits))}, errors.Join(
			l.checkGroup(before, from, l.versions[from]-1), // isolation
			before.release(),
			l.checkGroups(from, to))
	}
}

// update keeps a snapshot over each change of one key, so that nothing can be changed in place.
func update(n int) measure {
	return func(l *loaded) ([]float64, error) {
		g := l.cursor % l.d.groups()
		l.cursor++
		versions := [2][]entry{l.d.edits(g, l.versions[g]+1), l.d.edits(g, l.versions[g]+2)}
		held, err := l.c.snapshot()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		for i := range n {
			// Every pass over the group takes it to the other of two versions.
			at := i % group
			if err := l.c.commit(versions[i/group%2][at : at+1]); err != nil {
				return nil, err
			}
			next, err := l.c.snapshot()
			if err != nil {
				return nil, err
			}
			if err := held.release(); err != nil {
				return nil, err
			}
			held = next
		}
		took := time.Since(began)
		last := versions[(n-1)/group%2]
		at := (n - 1) % group
		got, ok := held.get(&last[at])
		err = errors.Join(compare.Same("last name", got, last[at].name), compare.Same("last key there", ok, true), held.release())
		if err == nil {
			// Leave a whole version behind.
			l.versions[g] += 2
			err = l.c.commit(versions[1])
		}
		return []float64{compare.PerItem(took, n)}, err
	}
}

func (l *loaded) checkGroups(from, to int) error {
	s, err := l.c.snapshot()
	if err != nil {
		return err
	}
	for g := from; g < to; g++ {
		if err := l.checkGroup(s, g, l.versions[g]); err != nil {
			return errors.Join(err, s.release())
		}
	}
	return s.release()
}

func (l *loaded) checkGroup(s snapshot, g, version int) error {
	lo, hi := l.d.bounds(g)
	if count, sum := s.scan(&lo, &hi); count != group || sum != l.d.sum(g, version) {
		return fmt.Errorf("wrong answer: group %d has %d keys with sum %d, want %d with %d", g, count, sum, group, l.d.sum(g, version))
	}
	return nil
}
