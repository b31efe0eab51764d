package runtime_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func TestWaitForAKeyAPrefixARange(t *testing.T) {
	for name, c := range map[string]struct {
		pat  runtime.Pattern
		puts []string // the last one matches
	}{
		"key":    {runtime.Exact("k"), []string{"j", "k1", "k"}},
		"prefix": {runtime.Prefix("ready/"), []string{"ready", "other", "ready/1"}},
		"range":  {runtime.Range("b", "d"), []string{"a", "d", "c"}},
		"glob":   {runtime.Glob("**/*.go"), []string{"a.txt", "b/c.go"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, "", runtime.Options{Workers: 1})
			got := make(chan string, 1)
			h, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
				key, v, err := inputs.Wait(t, c.pat)
				got <- key + "=" + v
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range c.puts {
				put(t, e, inputs, key, "v of "+key)
			}
			last := c.puts[len(c.puts)-1]
			if g := <-got; g != last+"=v of "+last {
				t.Errorf("got %s", g)
			}
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			// What is there already needs no wait.
			err = e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
				_, _, err := inputs.WaitUntil(t, c.pat, time.Now().Add(-time.Hour))
				return err
			})
			if err != nil {
				t.Errorf("there already: %v", err)
			}
		})
	}
}

func TestWaitEnds(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		_, _, err := inputs.WaitUntil(t, runtime.Exact("never"), time.Now().Add(time.Millisecond))
		if t.Context().Err() != nil {
			return errors.New("the deadline of the wait cancelled the task")
		}
		return err
	})
	if !errors.Is(err, runtime.ErrTimeout) {
		t.Errorf("deadline: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	h, err := e.Go(ctx, lane.Default, func(t *runtime.Task) error {
		cancel(why)
		_, _, err := inputs.Wait(t, runtime.Exact("never"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(context.Background()); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
	inQuery := runtime.NewQuery("waits", 1, func(t *runtime.Task, key string) (string, error) {
		_, v, err := inputs.Wait(t, runtime.Exact(key))
		return v, err
	})
	if _, err := inQuery.Ask(t.Context(), e, "k"); !errors.Is(err, runtime.ErrInQuery) {
		t.Errorf("inside a query: %v", err)
	}
}

// Commits that race with the look for what they bring: none is missed.
func TestWaitRacesWithCommits(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	for range 200 {
		h, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
			_, _, err := inputs.Wait(t, runtime.Exact("k"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		put(t, e, inputs, "k", "v")
		if err := h.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		remove(t, e, inputs, "k")
	}
}
