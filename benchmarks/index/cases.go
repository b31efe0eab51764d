package index

import (
	"errors"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A measure runs a round on a loaded contender.
type measure func(*loaded) ([]float64, error)

// window returns n consecutive indices below limit, other ones each time as far as there are others.
func (l *loaded) window(n, limit int) (from, to int) {
	n = min(n, limit)
	from = l.cursor % (limit - n + 1)
	l.cursor += n
	return from, from + n
}

func size(l *loaded) ([]float64, error) { return []float64{l.heap}, nil }

func get(l *loaded) ([]float64, error) {
	s, err := l.c.snapshot()
	if err != nil {
		return nil, err
	}
	from, to := l.window(50_000, len(l.d.probes))
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
