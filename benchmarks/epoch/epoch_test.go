package epoch

import "testing"

// TestContenders runs every loop of every contender, small.
func TestContenders(t *testing.T) {
	ours := []maker{{"participant", newOurs}, {"guard", newOursGuard}}
	for _, k := range append(ours, pinners...) {
		t.Run(k.name, func(t *testing.T) {
			measures := []measure{pins(1, 1000), pins(2, 1000)}
			c := k.make(newObject())
			if _, ok := c.(reclaimer); ok && k.name != "guard" {
				measures = append(measures, grace(20), retire(3))
			}
			r := c.reader()
			if _, ok := r.(repinner); ok {
				measures = append(measures, repins(1000))
			}
			r.close()
			for _, m := range measures {
				if _, err := m(c); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// hasty frees at once; the case must notice.
type hasty struct{ *rwMutex }

func (c hasty) task(_ reader, read func(*object)) { read(c.shared) }

func (c hasty) replace(_ *object, free func(*object)) { free(c.shared) }

func TestEarlyFreeIsNoticed(t *testing.T) {
	if _, err := retire(5)(hasty{newRWMutex(newObject()).(*rwMutex)}); err == nil {
		t.Error("objects that are read were freed, and nobody noticed")
	}
}
