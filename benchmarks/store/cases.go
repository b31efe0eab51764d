package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// load puts records, a batch at a time, and gives nanoseconds per record.
func load(c contender, records []record) (ns float64, err error) {
	began := time.Now()
	for at := 0; at < len(records); at += batch {
		if err := c.put(records[at:min(at+batch, len(records))]); err != nil {
			return 0, err
		}
	}
	return compare.PerItem(time.Since(began), len(records)), nil
}

// A measure runs a round on a loaded contender.
type measure func(*loaded) ([]float64, error)

// perRound is how many gets a round does on each thread.
const perRound = 50_000

// uniform reads all records in random order, on one or two threads; each round goes on where the one before ended.
func uniform(d *data, threads int) measure {
	each := min(perRound, len(d.probes)/threads)
	return func(l *loaded) ([]float64, error) {
		errs := make([]error, threads)
		begin := make(chan struct{})
		var done sync.WaitGroup
		for t := range threads {
			from := (l.cursor + t*each) % (len(d.probes) - each + 1)
			done.Go(func() {
				<-begin
				errs[t] = readAll(l.readers[t], d.probes[from:from+each])
			})
		}
		l.cursor += threads * each
		before := compare.Mallocs()
		began := time.Now()
		close(begin)
		done.Wait()
		figures := []float64{compare.PerItem(time.Since(began), each)}
		if threads == 1 {
			figures = append(figures, float64(compare.Mallocs()-before)/float64(each))
		}
		return figures, errors.Join(errs...)
	}
}

func hot(d *data) measure {
	return func(l *loaded) ([]float64, error) {
		began := time.Now()
		err := readAll(l.readers[0], d.hot)
		return []float64{compare.PerItem(time.Since(began), len(d.hot))}, err
	}
}

func absent(d *data) measure {
	return func(l *loaded) ([]float64, error) {
		began := time.Now()
		found := 0
		for i := range d.absent {
			if _, ok := l.readers[0].get(&d.absent[i]); ok {
				found++
			}
		}
		took := time.Since(began)
		return []float64{compare.PerItem(took, len(d.absent))}, compare.Same("absent keys found", found, 0)
	}
}

func size(l *loaded) ([]float64, error) {
	return []float64{l.diskPerRecord, l.heapPerRecord}, nil
}

func readAll(r reader, probes []probe) error {
	wrong := 0
	for i := range probes {
		if sum, ok := r.get(&probes[i].key); !ok || sum != int(probes[i].sum) {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("wrong answer: %d of %d gets", wrong, len(probes))
	}
	return nil
}
