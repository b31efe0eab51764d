package gc

import (
	"context"
	"errors"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/runtime/latency"
	"github.com/cytisus/cytisus/runtime/profile"
)

// commits times commits of so many overwrites, each by itself.
func commits(ctx context.Context, w *world, overwrites int) ([]float64, error) {
	took := make([]float64, 0, overwrites/commitKeys+1)
	all := time.Duration(0)
	for done := 0; done < overwrites; done += commitKeys {
		w.next()
		began := time.Now()
		if err := w.commit(ctx); err != nil {
			return nil, err
		}
		d := time.Since(began)
		all += d
		took = append(took, float64(d.Nanoseconds())/1e3)
	}
	figures := []float64{compare.PerItem(all, len(took)*commitKeys)}
	for _, q := range []float64{0.5, 0.99, 1} {
		figures = append(figures, compare.Quantile(took, q))
	}
	return figures, nil
}

// overwrite is a round of commits. A contender that does not take back space by itself does so
// afterwards.
func overwrite(overwrites int) measure {
	return func(ctx context.Context, w *world, m maker) ([]float64, error) {
		figures, err := commits(ctx, w, overwrites)
		if err == nil && m.name == uncollected.name {
			err = w.collect(ctx)
		}
		return figures, err
	}
}

// beside is a round of commits while ours collects all the time.
func beside(overwrites int) measure {
	return func(ctx context.Context, w *world, m maker) ([]float64, error) {
		if m.name == uncollected.name {
			return overwrite(overwrites)(ctx, w, m)
		}
		return whileDoing(ctx, w, overwrites, func() error { return w.collect(ctx) })
	}
}

// whileDoing is commits while something is done over and over, at least once.
func whileDoing(ctx context.Context, w *world, overwrites int, do func() error) ([]float64, error) {
	until, stop := context.WithCancel(ctx)
	over := make(chan error)
	go func() {
		err := do()
		for err == nil && until.Err() == nil {
			err = do()
		}
		over <- err
	}()
	figures, err := commits(ctx, w, overwrites)
	stop()
	return figures, errors.Join(err, <-over)
}

// pause tells how long a collection works at a time while commits go on.
func pause(overwrites int) measure {
	return func(ctx context.Context, w *world, _ maker) ([]float64, error) {
		o := w.contender.(ours)
		before := o.slices()
		_, err := whileDoing(ctx, w, overwrites, func() error { return w.collect(ctx) })
		return pauses(o.slices(), before), err
	}
}

// spinSlice is how long spin computes at a time, as the slices of a collection are.
const spinSlice = 750 * time.Microsecond

// spin is pause with slices that look at nothing but the clock: what is above them, the machine
// adds.
func spin(overwrites int) measure {
	return func(ctx context.Context, w *world, m maker) ([]float64, error) {
		var slices latency.Recorder
		_, err := whileDoing(ctx, w, overwrites, func() error {
			began := time.Now()
			for time.Since(began) < spinSlice {
			}
			slices.Add(time.Since(began))
			goruntime.Gosched()
			return nil
		})
		if err == nil {
			err = w.collect(ctx)
		}
		return pauses(slices.Histogram(), latency.Histogram{}), err
	}
}

// pauses is what of some slices half, 99 of 100, and all are below.
func pauses(after, before latency.Histogram) (figures []float64) {
	for i := range after {
		after[i] -= before[i]
	}
	for _, q := range []float64{0.5, 0.99, 1} {
		figures = append(figures, float64(after.Below(q).Microseconds()))
	}
	return figures
}

// share is the part of the processor time of overwrites that goes into taking back space. Samples
// are a hundredth of a second apart.
func share(overwrites int) measure {
	return func(ctx context.Context, w *world, m maker) ([]float64, error) {
		began := false
		_, p, err := profile.Record(func() error {
			began = true
			return w.some(ctx, overwrites, nil)
		})
		if !began {
			return []float64{unknown}, nil // -cpuprofile records already
		}
		if err != nil {
			return nil, err
		}
		all, reclaiming := int64(0), int64(0)
		for _, s := range p.Sample {
			n := s.Value[0]
			var origin []string
			for _, l := range s.Location {
				for _, line := range l.Line {
					origin = append(origin, line.Function.Name)
				}
			}
			ours := m.reclaims(s.Label, strings.Join(origin, " "))
			if !ours && goReclaims(nil, strings.Join(origin, " ")) {
				continue // for all that the process holds: not this contender's
			}
			all += n
			if ours {
				reclaiming += n
			}
		}
		if all == 0 {
			return []float64{unknown}, nil
		}
		return []float64{float64(reclaiming) / float64(all)}, nil
	}
}

// cycle times a collection after half as many overwrites as there are keys.
func cycle(ctx context.Context, w *world, _ maker) ([]float64, error) {
	if err := w.some(ctx, len(w.versions)/2, nil); err != nil {
		return nil, err
	}
	before, known := processorTime()
	began := time.Now()
	if err := w.collect(ctx); err != nil {
		return nil, err
	}
	took := time.Since(began)
	figures := []float64{compare.PerItem(took, len(w.versions)), unknown}
	if known {
		after, _ := processorTime()
		figures[1] = compare.PerItem(after-before, len(w.versions))
	}
	return figures, nil
}

// slice tells how long a collection works at a time.
func slice(ctx context.Context, w *world, m maker) ([]float64, error) {
	o := w.contender.(ours)
	before := o.slices()
	if _, err := cycle(ctx, w, m); err != nil {
		return nil, err
	}
	return pauses(o.slices(), before)[1:], nil
}

// diskLooks is how often a round looks at what the disk has.
const diskLooks = 20

// disk compares what the files take during overwrites with what they take after a collection.
func disk(overwrites int) measure {
	return func(ctx context.Context, w *world, _ maker) ([]float64, error) {
		every := max(1, overwrites/commitKeys/diskLooks) * commitKeys
		var sum, most, looks float64
		err := w.some(ctx, overwrites, func(done int) error {
			if done%every != 0 {
				return nil
			}
			used, err := compare.DiskUsage(w.dir)
			sum += float64(used)
			most = max(most, float64(used))
			looks++
			return err
		})
		if err != nil {
			return nil, err
		}
		if err := w.collect(ctx); err != nil {
			return nil, err
		}
		live, err := compare.DiskUsage(w.dir)
		if err != nil {
			return nil, err
		}
		return []float64{sum / looks / float64(live), most / float64(live)}, nil
	}
}

// flatKeys is how many keys flat overwrites.
const flatKeys = 100_000

// alone has each contender do all overwrites of flat while no other one is there.
func (f *fleet) alone() (list []compare.Entrant) {
	overwrites := f.env.Size(2_000_000, 4000)
	for _, m := range append([]maker{collected}, peers...) {
		round := func(ctx context.Context) ([]float64, error) {
			w, err := newWorld(ctx, f.env, m, min(flatKeys, overwrites/10))
			if err != nil {
				return nil, err
			}
			figures, err := flat(ctx, w, m, overwrites)
			return figures, errors.Join(err, w.close())
		}
		list = append(list, compare.Entrant{
			Name: m.name, Ours: m.ours, Rounds: roundsMax,
			Start: func(context.Context) (compare.Session, error) {
				return compare.Session{Round: round}, nil
			},
		})
	}
	return append(list, aim(unknown, aimFlat, aimFlat)(f, nil)...)
}

// flatLooks is how often flat looks at memory and disk.
const flatLooks = 200

func flat(ctx context.Context, w *world, m maker, overwrites int) ([]float64, error) {
	every := max(1, overwrites/commitKeys/flatLooks) * commitKeys
	var memory, files [5]float64 // of each fifth
	looking := time.Duration(0)
	began := time.Now()
	err := w.some(ctx, overwrites, func(done int) error {
		if done%every != 0 {
			return nil
		}
		from := time.Now()
		defer func() { looking += time.Since(from) }()
		fifth := done * len(memory) / overwrites
		if r, ok := arena.ReadResidence(); ok {
			memory[fifth] += float64(r.Resident)
		}
		if !m.files {
			return nil
		}
		used, err := compare.DiskUsage(w.dir)
		files[fifth] += float64(used)
		return err
	})
	if err != nil {
		return nil, err
	}
	figures := []float64{compare.PerItem(time.Since(began)-looking, overwrites), unknown, unknown}
	for i, of := range [][5]float64{memory, files} {
		if of[1] > 0 {
			figures[1+i] = of[len(of)-1] / of[1]
		}
	}
	return figures, w.check()
}
