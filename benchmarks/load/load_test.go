package load

import "testing"

// TestContenders starts a few requests on every contender, without load and with it.
func TestContenders(t *testing.T) {
	for name, make := range map[string]maker{"ours": newOurs, "alone": newAlone, "channel": newChannel, "goroutines": newGoroutines} {
		t.Run(name, func(t *testing.T) {
			c, err := make(1)
			if err != nil {
				t.Fatal(err)
			}
			for _, loaded := range []bool{false, true} {
				figures, err := measure(c, 2, loaded)
				if err != nil || len(figures) != 2 || figures[0] > figures[1] {
					t.Errorf("loaded %v: %v, %v", loaded, figures, err)
				}
			}
			figures, err := measureHeld(c, 1)
			if err != nil || len(figures) != 2 || figures[0] > figures[1] {
				t.Errorf("held: %v, %v", figures, err)
			}
			if err := c.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
