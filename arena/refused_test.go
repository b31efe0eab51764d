package arena

import (
	"errors"
	"testing"
)

// refusing is a source whose calls of one name fail, and so does each, if the error is not nil.
func refusing(t *testing.T, call string, fails *error) Source {
	t.Helper()
	src, _ := fileSource(t, 1<<20)
	return Failing(src, func(c string) error {
		if c == call {
			return *fails
		}
		return nil
	})
}

// What the system refuses is an error that names the call and costs no address: a map that failed
// gives its slots back, one that cannot be taken out of the address space keeps them.
func TestRefusedCalls(t *testing.T) {
	refused := errors.New("refused")
	for _, call := range []string{"map", "unmap", "protect", "flush"} {
		t.Run(call, func(t *testing.T) {
			a, err := New(Options{SegmentBytes: 1 << 20, ReserveBytes: slotsMin << 20})
			if err != nil {
				t.Fatal(err)
			}
			fails := refused
			src := refusing(t, call, &fails)
			s, err := a.Map(Spec{Source: src, Length: Unit})
			if call == "map" {
				for range 2 * slotsMin { // more than there are slots
					if !errors.Is(err, refused) {
						t.Fatalf("a segment that cannot be mapped: %v, want the system's error", err)
					}
					_, err = a.Map(Spec{Source: src})
				}
				fails = nil
				s, err = a.Map(Spec{Source: src, Length: Unit})
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Mem()[0] = 7
			if err := s.Flush(0); (call == "flush") != errors.Is(err, refused) {
				t.Errorf("Flush: %v", err)
			}
			s.Seal()
			if s.Seal(); !s.Sealed() || s.Mem()[0] != 7 {
				t.Error("Seal, twice, left a segment that is not sealed or not as it was")
			}
			if call == "protect" { // then the pages can still be stored to, but no appender does
				s.Mem()[0] = 8
				if err := new(Appender).Attach(s); !errors.Is(err, ErrSealed) {
					t.Errorf("an appender of a sealed segment: %v", err)
				}
			}
			first := s.First()
			if err := s.Unmap(); (call == "unmap") != errors.Is(err, refused) {
				t.Errorf("Unmap: %v", err)
			}
			if call != "unmap" {
				return
			}
			fails = nil
			for range slotsMin {
				s, err := a.Map(Spec{Source: src})
				if err != nil {
					break
				}
				if s.First() == first {
					t.Error("a segment lies where the memory of another may still be")
				}
				t.Cleanup(func() { _ = s.Unmap() })
			}
		})
	}
}

// A fault on memory that is not the arena's is not its to explain: it goes on as the panic it is,
// in both forms of confinement.
func TestFaultElsewhereGoesOn(t *testing.T) {
	if !canPlace {
		t.Skip("stores into sealed segments do not fault here")
	}
	sealed := func(table bool) (*Arena, *Segment) {
		a, err := New(Options{SegmentBytes: 1 << 20, Table: table})
		if err != nil {
			t.Fatal(err)
		}
		src, _ := fileSource(t, 1<<20)
		s, err := a.Map(Spec{Source: src, Length: Unit})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Unmap() })
		s.Seal()
		return a, s
	}
	for _, table := range []bool{false, true} {
		a, own := sealed(table)
		_, other := sealed(table)
		store := func(s *Segment) (fault *FaultError, panicked any) {
			defer func() { panicked = recover() }()
			func() {
				old := a.BeginConfined()
				defer func() { fault = a.EndConfined(old, recover()) }()
				s.Mem()[5] = 1
			}()
			return fault, nil
		}
		if fault, panicked := store(own); panicked != nil || fault == nil || fault.Segment != own || fault.Offset != 5 || !errors.Is(fault, ErrFault) {
			t.Errorf("table %t: a store into a sealed segment: fault %+v, panic %v", table, fault, panicked)
		}
		if fault, panicked := store(other); panicked == nil || fault != nil {
			t.Errorf("table %t: a store into a segment of another arena: fault %+v, panic %v; want the panic to go on", table, fault, panicked)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("table %t: Confine ends the panic of a fault elsewhere", table)
				}
			}()
			_ = a.Confine(func() error { other.Mem()[5] = 1; return nil })
		}()
		if fault, panicked := store(own); panicked != nil || fault == nil {
			t.Errorf("table %t: after that, fault %+v, panic %v", table, fault, panicked)
		}
	}
}
