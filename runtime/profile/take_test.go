package profile

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// A switched counts how often labels were switched on and off.
type switched struct{ on, off int }

func (s *switched) Profiling(on bool) {
	if on {
		s.on++
	} else {
		s.off++
	}
}

func TestEachKindIsTaken(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			var eng switched
			if kind == FlightKind {
				f, err := StartFlight(t.TempDir(), time.Hour, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
			}
			raw, err := Take(t.Context(), &eng, kind, time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if want := kind == CPU; eng.on != eng.off || (eng.on == 1) != want {
				t.Errorf("labels were switched on %d times and off %d times", eng.on, eng.off)
			}
			if kind == Trace || kind == FlightKind {
				if !bytes.HasPrefix(raw, []byte("go 1.")) {
					t.Errorf("%d bytes that are no trace", len(raw))
				}
				return
			}
			if _, err := profile.ParseData(raw); err != nil {
				t.Error(err)
			}
		})
	}
}

// While one profile is taken another is refused; when its context ends it ends, with the cause.
func TestOneAtATime(t *testing.T) {
	why := errors.New("nobody waits any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	began := make(chan struct{})
	ended := make(chan error)
	go func() {
		_, err := Take(ctx, begun(began), CPU, MaxTime)
		ended <- err
	}()
	<-began
	if _, err := Take(t.Context(), new(switched), Heap, 0); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
	cancel(why)
	if err := <-ended; !errors.Is(err, why) {
		t.Errorf("after its context has ended: %v", err)
	}
	if _, err := Take(t.Context(), new(switched), Goroutine, 0); err != nil {
		t.Errorf("after the other: %v", err)
	}
}

// A begun closes itself when labels are switched on.
type begun chan struct{}

func (b begun) Profiling(on bool) {
	if on {
		close(b)
	}
}

// Who profiles the process by other means is not disturbed.
func TestProfiledByOthers(t *testing.T) {
	var other bytes.Buffer
	if err := pprof.StartCPUProfile(&other); err != nil {
		t.Skip("the tests themselves are profiled: ", err)
	}
	_, err := Take(t.Context(), new(switched), CPU, time.Millisecond)
	pprof.StopCPUProfile()
	if !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
}

func TestBadRequests(t *testing.T) {
	_, err := Take(t.Context(), new(switched), "memory", time.Second)
	if err == nil || !strings.Contains(err.Error(), "cpu, heap") {
		t.Errorf("no such kind: %v", err)
	}
	for _, over := range []time.Duration{0, -time.Second, MaxTime + 1} {
		if _, err := Take(t.Context(), new(switched), CPU, over); err == nil {
			t.Errorf("%v is taken", over)
		}
	}
}

// What was waited for during an earlier time is not in the profile of a later one.
func TestDifference(t *testing.T) {
	wait := func(done <-chan struct{}) {
		pings := make(chan struct{})
		go func() {
			defer close(pings)
			for {
				select {
				case pings <- struct{}{}:
				case <-done:
					return
				}
			}
		}()
		for range pings {
		}
	}
	waits := func(during func(done <-chan struct{})) (total int64) {
		done := make(chan struct{})
		var raw []byte
		var err error
		go func() {
			defer close(done)
			raw, err = Take(t.Context(), new(switched), Block, 300*time.Millisecond)
		}()
		during(done)
		<-done
		if err != nil {
			t.Fatal(err)
		}
		p, err := profile.ParseData(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Sample {
			for _, name := range stack(s) {
				if strings.Contains(name, "TestDifference.func1") {
					total += s.Value[0]
				}
			}
		}
		return total
	}
	if n := waits(wait); n <= 0 {
		t.Errorf("%d waits during the time are in the profile", n)
	}
	if n := waits(func(<-chan struct{}) {}); n != 0 {
		t.Errorf("%d waits of the time before are in the profile", n)
	}
}
