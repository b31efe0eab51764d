package wake

import (
	"testing"
	"time"
)

// TestContenders starts a few tasks on every contender.
func TestContenders(t *testing.T) {
	for _, k := range append([]maker{{"ours", newOurs(0)}, {"ours, spinning", newOurs(longest)}}, peers...) {
		t.Run(k.name, func(t *testing.T) {
			s := &stopwatch{epoch: time.Now()}
			c, err := k.make(s.task)
			if err != nil {
				t.Fatal(err)
			}
			figures, err := s.round(c, 5, time.Microsecond)
			if err != nil || len(figures) != 2 || figures[0] > figures[1] {
				t.Errorf("%v, %v", figures, err)
			}
			if err := c.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
