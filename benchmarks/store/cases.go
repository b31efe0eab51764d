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

// A way of reading probes with one reader.
type way func(reader, []probe) error

// uniform reads all records in random order, on one or two threads; each round goes on where the
// one before ended.
func uniform(d *data, threads int, read way) measure {
	each := min(perRound, len(d.probes)/threads)
	return func(l *loaded) ([]float64, error) {
		from := l.cursor
		l.cursor += threads * each
		took, mallocs, err := inThreads(threads, func(t int) error {
			at := (from + t*each) % (len(d.probes) - each + 1)
			return read(l.readers[t], d.probes[at:at+each])
		})
		figures := []float64{compare.PerItem(took, each)}
		if threads == 1 {
			figures = append(figures, float64(mallocs)/float64(each))
		}
		return figures, err
	}
}

// inThreads runs fn on so many threads and says how long it took until the last was done, and how
// often memory was allocated.
func inThreads(threads int, fn func(t int) error) (took time.Duration, mallocs uint64, err error) {
	errs := make([]error, threads)
	begin := make(chan struct{})
	var done sync.WaitGroup
	for t := range threads {
		done.Go(func() {
			<-begin
			errs[t] = fn(t)
		})
	}
	before := compare.Mallocs()
	began := time.Now()
	close(begin)
	done.Wait()
	took = time.Since(began)
	return took, compare.Mallocs() - before, errors.Join(errs...)
}

func hot(d *data) measure {
	return func(l *loaded) ([]float64, error) {
		began := time.Now()
		err := readAll(l.readers[0], d.hot)
		return []float64{compare.PerItem(time.Since(began), len(d.hot))}, err
	}
}

// absent looks for keys that are not there, on one or two threads.
func absent(d *data, threads int) measure {
	return func(l *loaded) ([]float64, error) {
		took, _, err := inThreads(threads, func(t int) error {
			found := 0
			err := looking(l.readers[t], func(get func(*key) (int, bool)) {
				for i := range d.absent {
					if _, ok := get(&d.absent[i]); ok {
						found++
					}
				}
			})
			return errors.Join(err, compare.Same("absent keys found", found, 0))
		})
		return []float64{compare.PerItem(took, len(d.absent))}, err
	}
}

func size(l *loaded) ([]float64, error) {
	return []float64{l.diskPerRecord, l.heapPerRecord, l.gcMillis}, nil
}

func readAll(r reader, probes []probe) error {
	wrong := 0
	err := looking(r, func(get func(*key) (int, bool)) {
		for i := range probes {
			if sum, ok := get(&probes[i].key); !ok || sum != int(probes[i].sum) {
				wrong++
			}
		}
	})
	if err == nil && wrong > 0 {
		err = fmt.Errorf("wrong answer: %d of %d gets", wrong, len(probes))
	}
	return err
}

// looking calls fn with the reader's way to get many in a row.
func looking(r reader, fn func(get func(*key) (int, bool))) error {
	if v, ok := r.(visitor); ok {
		return v.visit(fn)
	}
	fn(r.get)
	return nil
}

// groupSize is how many records readGroups asks for at once.
const groupSize = 16

// readGroups is readAll for readers that take many keys at once.
func readGroups(r reader, probes []probe) error {
	b, ok := r.(batchReader)
	if !ok {
		return readAll(r, probes)
	}
	var (
		keys [groupSize]key
		sums [groupSize]int
	)
	wrong := 0
	for len(probes) > 0 {
		now := probes[:min(groupSize, len(probes))]
		probes = probes[len(now):]
		for i := range now {
			keys[i] = now[i].key
		}
		if b.getBatch(keys[:len(now)], sums[:]) != len(now) {
			wrong++
		}
		for i := range now {
			if sums[i] != int(now[i].sum) {
				wrong++
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("wrong answer: %d times", wrong)
	}
	return nil
}
