package mmapcas

import (
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A put that panics between reserving and committing leaves no reservation open: its caller may
// recover, as a task's does, and others put with the same appender.
func TestAppenderAfterAPanic(t *testing.T) {
	for name, put := range map[string]func(s *Store, h Hash, p []byte) error{
		"one": func(s *Store, h Hash, p []byte) error {
			_, _, err := s.append(1, h, record.Plain(p))
			return err
		},
		"group": func(s *Store, h Hash, p []byte) error {
			return s.appendGroup(1, []Hash{h}, []record.Stored{record.Plain(p)}, &[index.BatchNames]arena.Addr{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open("", Options{SegmentBytes: 64 << 10, ReserveBytes: 16 << 20, Appenders: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer mustClose(t, s)
			p := payload(1, 100)
			h := HashOf(1, p)
			func() {
				whole := s.index
				defer func() {
					s.index = whole
					if recover() == nil {
						t.Error("the put did not panic")
					}
				}()
				s.index = nil // whose insert panics
				g := s.epochs.Pin()
				defer g.Unpin()
				if err := put(s, h, p); err != nil {
					t.Error(err)
				}
			}()
			for i := range 3 {
				if _, err := s.PutBatch(1, [][]byte{payload(i, 50), payload(10+i, 200)}, nil); err != nil {
					t.Fatal(err)
				}
			}
			if _, fresh, err := s.Put(1, p); err != nil || !fresh {
				t.Errorf("fresh %v, %v", fresh, err)
			}
			if rep, err := s.Verify(t.Context(), nil); err != nil || !rep.OK() {
				t.Errorf("%+v, %v", rep, err)
			}
		})
	}
}
