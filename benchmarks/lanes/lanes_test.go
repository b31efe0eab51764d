package lanes

import (
	"strings"
	"testing"
)

// TestContenders checks every contender, and every loop of it, without measuring.
func TestContenders(t *testing.T) {
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := check(c.make(), len(c.only) == 0); err != nil {
				t.Error(err)
			}
			for name, m := range map[string]measure{
				"empty-poll": emptyPoll, "empty-sleep": emptySleep, "lane-20": pairs, "lane-20-dry": dry,
				"spread": spread, "1P1C": crossing, "batch-16": batches,
			} {
				if strings.HasPrefix(name, "empty") && c.make().polls == nil {
					continue
				}
				if _, err := m(c.make(), 2*lap); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestCheckNotices: a set that forgets priorities, or order within a lane, does not pass.
func TestCheckNotices(t *testing.T) {
	if check(newSingle(), true) == nil {
		t.Error("a plain queue passed for lanes")
	}
	var stack []*item
	youngest := contender{
		push: func(_ int, it *item) bool { stack = append(stack, it); return true },
		pop: func() *item {
			if len(stack) == 0 {
				return nil
			}
			it := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			return it
		},
	}
	if check(youngest, false) == nil {
		t.Error("a stack passed for a queue")
	}
}
