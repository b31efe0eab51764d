package simtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/simtest"
)

var (
	purchases = runtime.NewPartition[int]("purchases") // by customer and number
	totals    = runtime.NewPartition[int]("totals")    // by customer; a watcher keeps them

	spent = runtime.NewQuery("spent", 1, func(t *runtime.Task, customer string) (int, error) {
		sum := 0
		err := purchases.Scan(t, runtime.Prefix(customer+"/"), func(_ string, n int) error { sum += n; return nil })
		return sum, err
	})
)

// buy has three customers buy at the same time, and compares the totals that a watcher keeps with
// what was bought.
func buy(w *simtest.World, keepTotals func(*runtime.Task, runtime.Changes) error) {
	eng := w.Open(runtime.Options{})
	if _, err := eng.Watch(purchases, runtime.All(), keepTotals); err != nil {
		w.Fatal(err)
	}
	told := map[string]int{}
	for _, customer := range []string{"ada", "bob", "eve"} {
		_, err := spent.Watch(w.Context(), eng, customer, func(_ *runtime.Task, old, now *runtime.Answer[int]) error {
			if old != nil && old.Value == now.Value {
				return fmt.Errorf("%s: told twice of %d", customer, now.Value)
			}
			told[customer] = now.Value
			return now.Err
		})
		if err != nil {
			w.Fatal(err)
		}
		n := 1 + w.Rand.IntN(5)
		w.Go(lane.Default, func(t *runtime.Task) error {
			for i := range n {
				err := t.Commit(func(c *runtime.Writer) error {
					return purchases.Put(c, fmt.Sprintf("%s/%d", customer, i%3), 1+i)
				})
				if err != nil {
					return err
				}
				t.Yield()
			}
			return nil
		})
	}
	w.Settle()
	for customer, last := range told {
		want, err := spent.Ask(w.Context(), eng, customer)
		if err != nil {
			w.Fatal(err)
		}
		s := eng.Snapshot()
		got, err := totals.Get(s, customer)
		s.Release()
		if err != nil || got != want || last != want {
			w.Errorf("%s has bought for %d; the total is %d, %v, and told was %d", customer, want, got, err, last)
		}
	}
}

func TestTotalsFollowOrders(t *testing.T) {
	simtest.Run(t, 30, func(w *simtest.World) {
		buy(w, func(t *runtime.Task, changes runtime.Changes) error {
			return t.Commit(func(c *runtime.Writer) error {
				var errs []error
				for _, ch := range changes.List {
					customer, _, _ := strings.Cut(ch.Key, "/")
					sum, err := spent.Get(t, customer)
					errs = append(errs, err, totals.Put(c, customer, sum))
				}
				return errors.Join(errs...)
			})
		})
	})
}

// A total to which each purchase is added counts one twice that is corrected before the watcher is
// told of it.
func TestTotalsThatAreAddedTwice(t *testing.T) {
	if os.Getenv(mistake) == "" {
		if out := failing(t); !strings.Contains(out, "has bought for") {
			t.Errorf("it says\n%s", out)
		}
		return
	}
	simtest.Run(t, 1000, func(w *simtest.World) {
		buy(w, func(t *runtime.Task, changes runtime.Changes) error {
			return t.Commit(func(c *runtime.Writer) error {
				var errs []error
				for _, ch := range changes.List {
					customer, _, _ := strings.Cut(ch.Key, "/")
					n, err := purchases.Load(t, ch.New)
					errs = append(errs, err, totals.Update(c, customer, func(old *int) (*int, error) {
						if old != nil {
							n += *old
						}
						return &n, nil
					}))
				}
				return errors.Join(errs...)
			})
		})
	})
}

func ExampleRun() {
	var t *testing.T // of the test
	seats := runtime.NewPartition[int]("seats")
	simtest.Run(t, 100, func(w *simtest.World) {
		eng := w.Open(runtime.Options{})
		for range 3 {
			w.Go(lane.Default, func(t *runtime.Task) error {
				return t.Commit(func(c *runtime.Writer) error {
					return seats.Update(c, "taken", func(old *int) (*int, error) {
						n := 1
						if old != nil {
							n += *old
						}
						return &n, nil
					})
				})
			})
		}
		w.Settle()
		s := eng.Snapshot()
		defer s.Release()
		if n, err := seats.Get(s, "taken"); err != nil || n != 3 {
			w.Errorf("%d seats are taken, %v", n, err)
		}
	})
}

func ExampleWorld_Kill() {
	var t *testing.T // of the test
	notes := runtime.NewPartition[string]("notes")
	simtest.Run(t, 100, func(w *simtest.World) {
		eng := w.Open(runtime.Options{Sync: mmapcas.SyncGroup})
		if err := eng.Commit(w.Context(), func(c *runtime.Writer) error { return notes.Put(c, "1", "kept") }); err != nil {
			w.Fatal(err)
		}
		began := w.Now()
		w.Go(lane.Default, func(t *runtime.Task) error { // goes on until the process ends
			_, _, err := notes.WaitUntil(t, runtime.Exact("2"), began.Add(time.Hour))
			return err
		})
		if w.Rand.IntN(2) == 0 {
			w.Kill()
		} else {
			w.CutPower()
		}
		s := w.Open(runtime.Options{}).Snapshot()
		defer s.Release()
		if text, err := notes.Get(s, "1"); err != nil || text != "kept" {
			w.Errorf("%q, %v", text, err)
		}
	})
}

// The deadline of a task is in the World's time.
func TestDeadlineInTheWorld(t *testing.T) {
	simtest.Run(t, 5, func(w *simtest.World) {
		eng := w.Open(runtime.Options{})
		h, err := eng.Go(w.Context(), lane.Default, func(t *runtime.Task) error {
			_, _, err := purchases.Wait(t, runtime.Exact("never"))
			return err
		}, runtime.Deadline(w.Now().Add(24*time.Hour)))
		if err != nil {
			w.Fatal(err)
		}
		w.Settle()
		if err := h.Err(); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("a day later: %v", err)
		}
	})
}
