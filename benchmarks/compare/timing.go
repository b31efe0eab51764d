package compare

import (
	"context"
	"fmt"
	"time"
)

// Loop makes a Session whose round runs fn once and gives nanoseconds per item. fn does n items and
// reports whether what it computed is right.
func Loop(n int, fn func() error, closers ...func() error) Session {
	return Session{
		Round: func(context.Context) ([]float64, error) {
			began := time.Now()
			err := fn()
			return []float64{PerItem(time.Since(began), n)}, err
		},
		Close: func() (err error) {
			for _, c := range closers {
				if cerr := c(); err == nil {
					err = cerr
				}
			}
			return err
		},
	}
}

// PerItem is a duration divided by n, in nanoseconds.
func PerItem(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / float64(n) }

// Same returns an error if an answer is not what it should be.
func Same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("wrong answer: %s is %v, want %v", what, got, want)
	}
	return nil
}
