package gc

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// The check of what is needed finds a collector that loses something, and tells the way there.
func TestCheckFindsWhatIsLost(t *testing.T) {
	for _, m := range []struct {
		name string
		lose func(c *Collector, names []mmapcas.Hash) (done bool) // is called after each slice of marking
	}{
		{"nothing", func(*Collector, []mmapcas.Hash) bool { return false }},
		{"what is grey", func(c *Collector, _ []mmapcas.Hash) bool {
			lost := len(c.grey) > 0
			c.grey = nil
			return lost
		}},
		{"what was found", func(c *Collector, _ []mmapcas.Hash) bool {
			lost := len(c.found) > 0
			c.found = nil
			return lost
		}},
		{"what was marked and not queued", func(c *Collector, names []mmapcas.Hash) bool {
			_, first, err := c.cycle.MarkKind(names[1])
			return first && err == nil
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			st, d := newStore(t)
			c := New(Options{Store: st, DB: d, Logger: slog.New(slog.DiscardHandler), Refs: refsOf, Flush: func(context.Context) []mmapcas.Hash { return nil }})
			c.clockBytes = 1
			var told []string
			c.check = check{Check: Check{Fail: func(err error) { told = append(told, err.Error()) }, Every: 1}, strict: true}
			part, err := d.Partition("p", false)
			if err != nil {
				t.Fatal(err)
			}
			var names []mmapcas.Hash // each refers to the next one
			for i := range 4 {
				payload := []byte{0, byte(i)}
				if i > 0 {
					payload = append(append([]byte{1}, names[0][:]...), byte(i))
				}
				h, _, err := st.Put(kindObject, payload)
				if err != nil {
					t.Fatal(err)
				}
				names = append([]mmapcas.Hash{h}, names...)
			}
			if _, err := d.Commit(t.Context(), []db.Op{{Part: part, Key: "k", Verb: db.Put, Hash: names[0]}}); err != nil {
				t.Fatal(err)
			}
			lost := false
			err = c.Collect(t.Context(), Pace{Wait: func() {
				if Phase(c.phase.Load()) == Marking && !lost {
					lost = m.lose(c, names)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if !lost {
				if len(told) > 0 || m.name != "nothing" {
					t.Errorf("nothing was lost, and the check tells %q", told)
				}
				return
			}
			way := fmt.Sprintf("a tree of the database -> %v", names[0])
			if len(told) < 2 || !strings.Contains(told[0], way) || !strings.Contains(told[0], "white") {
				t.Fatalf("the check tells %q, want a white record and the way there", told)
			}
			if last := told[len(told)-1]; !strings.Contains(last, "the end") || !strings.Contains(last, "absent") {
				t.Errorf("at the end the check tells %q, want that a record was freed", last)
			}
		})
	}
}
