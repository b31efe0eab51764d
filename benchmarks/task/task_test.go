package task

import (
	"testing"
	"time"
)

// TestContenders runs every case on every contender, small.
func TestContenders(t *testing.T) {
	for _, k := range contenders {
		t.Run(k.name, func(t *testing.T) {
			c, err := k.make()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.close(); err != nil {
					t.Error(err)
				}
			}()
			for _, m := range []measure{outside(2000), inside(2000)} {
				if _, err := m(c); err != nil {
					t.Error(err)
				}
			}
			if _, ok := c.(waiter); ok {
				if _, err := waiting(999)(c); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestTally checks that lost and doubled tasks are noticed.
func TestTally(t *testing.T) {
	tl := newTally(2)
	tl.task()
	if tl.wait(time.Millisecond) == nil {
		t.Error("a lost task was not noticed")
	}
	tl.task()
	if err := tl.wait(time.Minute); err != nil {
		t.Error(err)
	}
	if err := tl.check(); err != nil {
		t.Error(err)
	}
	tl.left.Add(-1)
	if tl.check() == nil {
		t.Error("a task that ran twice was not noticed")
	}
}
