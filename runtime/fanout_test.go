package runtime_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A heavy is a number that a test can watch being decoded.
type heavy struct{ n uint64 }

var onDecode atomic.Pointer[func(n uint64) error]

func (h *heavy) UnmarshalBinary(p []byte) error {
	if len(p) != 8 {
		return errors.New("not a heavy")
	}
	h.n = binary.BigEndian.Uint64(p)
	if fn := onDecode.Load(); fn != nil {
		return (*fn)(h.n)
	}
	return nil
}

func (h *heavy) AppendBinary(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(b, h.n), nil
}

func (h *heavy) MarshalBinary() ([]byte, error) { return h.AppendBinary(nil) }

var heavies = runtime.NewPartition[heavy]("heavies")

func heavyKey(i int) string { return fmt.Sprintf("%d/%06d", i%2, i) }

// putHeavies puts n values; those with even numbers come first, in the order of numbers.
func putHeavies(t testing.TB, e *runtime.Engine, n int) {
	t.Helper()
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range n {
			if err := heavies.Put(w, heavyKey(i), heavy{uint64(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func watchDecodes(t *testing.T, fn func(n uint64) error) {
	onDecode.Store(&fn)
	t.Cleanup(func() { onDecode.Store(nil) })
}

// meet lets the first two that call it, from then on when ready says so, go on only when both have
// come. Then it calls then.
func meet(ready func(n uint64) bool, then func()) func(n uint64) error {
	var came atomic.Int32
	met := make(chan struct{})
	return func(n uint64) error {
		if !ready(n) {
			return nil
		}
		if came.Add(1) == 2 {
			if then != nil {
				then()
			}
			close(met)
		}
		<-met
		return nil
	}
}

// Any range, with help or without, in a task, in a query and outside, is what a walk over all keys
// says.
func TestScanWithHelpIsScan(t *testing.T) {
	const n = 4000
	inQuery := runtime.NewQuery("scanHeavies", 1, func(t *runtime.Task, fn string) (bool, error) {
		v, _ := scansInQuery.Load(fn)
		return true, v.(func(runtime.Reader) error)(t)
	})
	for _, workers := range []int{1, 3} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			e := open(t, "", runtime.Options{Workers: workers})
			putHeavies(t, e, n)
			var all []string
			for i := range n {
				all = append(all, heavyKey(i))
			}
			slices.Sort(all)
			round := 0
			rapid.Check(t, func(t *rapid.T) {
				round++
				bound := rapid.Custom(func(t *rapid.T) string {
					return rapid.SampledFrom(all).Draw(t, "key") + rapid.SampledFrom([]string{"", "x"}).Draw(t, "more")
				})
				var (
					pat  runtime.Pattern
					opts []runtime.ReadOption
				)
				switch rapid.IntRange(0, 3).Draw(t, "pattern") {
				case 0:
					pat = runtime.Range(bound.Draw(t, "lo"), bound.Draw(t, "hi"))
				case 1:
					pat = runtime.Glob("*/*[0-6]")
				case 2:
					pat = runtime.Prefix("1/")
				}
				want := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return !pat.Match(k) })
				if rapid.Bool().Draw(t, "backward") {
					opts = append(opts, runtime.Backward())
					slices.Reverse(want)
				}
				if limit := rapid.SampledFrom([]int{0, 255, 256, 257, 320, 1000, 3000}).Draw(t, "limit"); limit > 0 {
					opts = append(opts, runtime.Limit(limit))
					want = want[:min(limit, len(want))]
				}
				stopAfter := rapid.SampledFrom([]int{0, 0, 1, 256, 257, 800, 2500}).Draw(t, "stop")
				enough := errors.New("enough")
				var stop error
				if stopAfter > 0 && stopAfter <= len(want) {
					want, stop = want[:stopAfter], enough
				}
				scan := func(r runtime.Reader) error {
					var got []string
					err := heavies.Scan(r, pat, func(key string, v heavy) error {
						if heavyKey(int(v.n)) != key {
							return fmt.Errorf("%s has value %d", key, v.n)
						}
						if got = append(got, key); len(got) == stopAfter {
							return enough
						}
						return nil
					}, opts...)
					if !errors.Is(err, stop) || !slices.Equal(got, want) {
						return fmt.Errorf("%d keys, %v, want %d, %v", len(got), err, len(want), stop)
					}
					return nil
				}
				var err error
				switch rapid.IntRange(0, 2).Draw(t, "reader") {
				case 0:
					s := e.Snapshot()
					defer s.Release()
					err = scan(s)
				case 1:
					err = e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error { return scan(t) })
				default:
					name := fmt.Sprint(t.Name(), workers, round)
					scansInQuery.Store(name, scan)
					_, err = inQuery.Ask(t.Context(), e, name)
				}
				if err != nil {
					t.Fatalf("%v: %v", pat, err)
				}
			})
		})
	}
}

var scansInQuery sync.Map // name -> func(runtime.Reader) error

// A second worker decodes at the same time as the caller, and what comes out is in order.
func TestScanIsHelped(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	putHeavies(t, e, 4000)
	watchDecodes(t, meet(func(n uint64) bool { return n >= 512 }, nil)) // the first 256 keys are read alone
	s := e.Snapshot()
	defer s.Release()
	next := 0
	err := heavies.Scan(s, runtime.All(), func(_ string, v heavy) error {
		if want := next * 2; want < 4000 && v.n != uint64(want) {
			return fmt.Errorf("value %d, want %d", v.n, want)
		}
		next++
		return nil
	})
	if err != nil || next != 4000 {
		t.Errorf("%d values, %v", next, err)
	}
}

func TestScanIsCancelled(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	putHeavies(t, e, 4000)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	watchDecodes(t, meet(func(n uint64) bool { return n >= 512 }, func() { cancel(why) }))
	calls := 0
	h, err := e.Go(ctx, lane.Default, func(t *runtime.Task) error {
		return heavies.Scan(t, runtime.All(), func(string, heavy) error { calls++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(context.Background()); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
	if calls != 256 {
		t.Errorf("%d values after the cancellation", calls-256)
	}
}

// Errors and panics of decoding come when it is the value's turn, whoever met them first.
func TestScanFailsInItsTurn(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	putHeavies(t, e, 4000)
	bad := errors.New("bad")
	for name, fail := range map[string]func() error{
		"error": func() error { return bad },
		"panic": func() error { panic("bad") },
	} {
		watchDecodes(t, func(n uint64) error {
			if n == 1500 {
				return fail()
			}
			return nil
		})
		calls := 0
		err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
			return heavies.Scan(t, runtime.All(), func(string, heavy) error { calls++; return nil })
		})
		var panicked *runtime.PanicError
		if calls != 750 || err == nil || (name == "panic") != errors.As(err, &panicked) || (name == "error") != errors.Is(err, bad) {
			t.Errorf("%s: %v after %d values", name, err, calls)
		}
	}
}

// What a query has fetched ahead and not been given is not read.
func TestScanWithHelpIsRecordedExactly(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	putHeavies(t, e, 4000)
	enough := errors.New("enough")
	some := runtime.NewQuery("someHeavies", 1, func(t *runtime.Task, n int) (string, error) {
		var b strings.Builder
		left := n
		err := heavies.Scan(t, runtime.All(), func(_ string, v heavy) error {
			fmt.Fprintln(&b, v.n)
			if left--; left == 0 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			return "", fmt.Errorf("the scan ended with %w", err)
		}
		return b.String(), nil
	})
	ask(t, e, some, 600)
	for _, step := range []struct {
		at   int // the number of the entry
		runs bool
	}{{600, false}, {700, false}, {3999, false}, {599, true}, {300, true}, {255, true}, {0, true}} {
		before := e.Stats().Queries["someHeavies"].Ran
		key := heavyKey(2 * step.at)
		if step.at >= 2000 {
			key = heavyKey(2*(step.at-2000) + 1)
		}
		put(t, e, heavies, key, heavy{uint64(1e6 + step.at)})
		ask(t, e, some, 600)
		if ran := e.Stats().Queries["someHeavies"].Ran > before; ran != step.runs {
			t.Errorf("entry %d changed: ran: %t", step.at, ran)
		}
	}
}
