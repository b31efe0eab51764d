package ring

import "testing"

// TestContenders checks every queue, and every loop of it, without measuring.
func TestContenders(t *testing.T) {
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := check(c.make()); err != nil {
				t.Error(err)
			}
			for _, m := range []measure{pairs, crowd(1), crowd(2), twoThreads, batches(64), batches(7)} {
				if _, err := m(c.make(), 2*lap); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A leaky queue loses its third item; the check must notice.
type leaky struct {
	channel
	count *int
}

func (c leaky) push(it *item) {
	if *c.count++; *c.count == 3 {
		it = &items[0]
	}
	c.channel.push(it)
}

func TestCheckNotices(t *testing.T) {
	if check(leaky{newChannel().(channel), new(int)}) == nil {
		t.Error("a queue that replaces an item passed the check")
	}
}
