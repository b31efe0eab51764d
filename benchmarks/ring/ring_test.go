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

// TestMoodycamel runs every loop of the C++ peer, where it can be built.
func TestMoodycamel(t *testing.T) {
	m := newMoodycamel(t.TempDir())
	if m.missing != "" {
		t.Skip(m.missing)
	}
	if testing.Short() {
		t.Skip("compiling takes seconds")
	}
	for _, name := range []string{"pair", "1P1C", "2P2C", "2T", "batch-64"} {
		s, err := m.entrant(name, 2*lap, 1).Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := s.Round(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMoodycamelMissing: where the peer cannot be built it is left out, with the reason.
func TestMoodycamelMissing(t *testing.T) {
	t.Setenv("PATH", "")
	if m := newMoodycamel(""); m.entrant("pair", lap, 1).Skip == "" {
		t.Error("takes part without a compiler")
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
