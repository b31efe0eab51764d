package query

import (
	"context"
	"fmt"
	"testing"
)

// Every contender gives the right sums in every shape.
func TestContenders(t *testing.T) {
	for _, m := range append([]maker{{"ours", newOurs}}, peers...) {
		for _, s := range []shape{{files: 37}, {files: 37, wide: true}, {files: 37, shared: true}} {
			t.Run(fmt.Sprintf("%s/%+v", m.name, s), func(t *testing.T) {
				ctx := context.Background()
				c, err := m.make(ctx, t.TempDir(), s)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := c.close(); err != nil {
						t.Error(err)
					}
				}()
				want := 37 * base
				if s.shared {
					want *= 2
				}
				check := func(key, text string, more int) {
					t.Helper()
					if err := c.set(ctx, key, text); err != nil {
						t.Fatal(err)
					}
					want += more
					if sum, _, err := c.ask(ctx); sum != want || err != nil {
						t.Errorf("after %s=%q: %d, %v, want %d", key, text, sum, err, want)
					}
				}
				if length, _, err := c.one(ctx); length != base || err != nil {
					t.Errorf("the first text has %d bytes, %v, want %d", length, err, base)
				}
				check("unread", "x", 0)
				check(key(7), "TEXT", 0)
				check(key(36), "a text", 2)
				check(key(36), "text", -2)
				if s.shared {
					check("shared", "texts", 37)
				}
			})
		}
	}
}
