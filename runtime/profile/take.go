package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"

	"github.com/google/pprof/profile"
)

// ErrBusy: the process is being profiled already. One profile is taken at a time, because each
// changes what the process does, and Go has one profiler of each kind.
var ErrBusy = errors.New("profile: the process is being profiled already")

// MaxTime is the longest time that Take profiles.
const MaxTime = 10 * time.Minute

// taking is held while a profile is taken.
var taking sync.Mutex

// While locks are profiled, one in mutexFraction contentions is counted, and of waits one for each
// blockRate nanoseconds spent waiting. Both cost below one part in a hundred of a busy process.
const (
	mutexFraction = 10
	blockRate     = 100_000
)

// Check returns an error that says what is wrong with a kind, or with a time to profile it over.
func Check(kind Kind, over time.Duration) error {
	if err := kind.Check(); err != nil {
		return err
	}
	if kind.Lasting() && (over <= 0 || over > MaxTime) {
		return fmt.Errorf("profile: %v is no time to profile; it is more than 0 and at most %v", over, MaxTime)
	}
	return nil
}

// A Labeller is who marks samples of what it runs with labels; an engine is one.
type Labeller interface {
	Profiling(on bool)
}

// Take profiles this process for a time, which kinds of a moment do not use, and returns the
// profile as it is written to files. Tasks of the engine that begin meanwhile are labelled. When
// ctx ends, so does Take, with its cause and no profile. It may be called concurrently: all calls
// but one return ErrBusy.
func Take(ctx context.Context, eng Labeller, kind Kind, over time.Duration) ([]byte, error) {
	if err := Check(kind, over); err != nil {
		return nil, err
	}
	if !taking.TryLock() {
		return nil, ErrBusy
	}
	defer taking.Unlock()
	wait := func() error {
		t := time.NewTimer(over)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	var out bytes.Buffer
	var err error
	switch kind {
	case CPU:
		eng.Profiling(true)
		defer eng.Profiling(false)
		if err := pprof.StartCPUProfile(&out); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBusy, err)
		}
		err = wait()
		pprof.StopCPUProfile()
	case Trace:
		if err := trace.Start(&out); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBusy, err)
		}
		err = wait()
		trace.Stop()
	case FlightKind:
		var raw []byte
		raw, err = takeFlight()
		out.Write(raw)
	case Heap:
		goruntime.GC()
		err = pprof.Lookup("heap").WriteTo(&out, 0)
	case Goroutine:
		err = pprof.Lookup("goroutine").WriteTo(&out, 0)
	case Mutex:
		before := goruntime.SetMutexProfileFraction(mutexFraction)
		defer goruntime.SetMutexProfileFraction(before)
		err = difference(&out, "mutex", wait)
	case Block:
		goruntime.SetBlockProfileRate(blockRate)
		defer goruntime.SetBlockProfileRate(0)
		err = difference(&out, "block", wait)
	case Allocs:
		err = difference(&out, "allocs", wait)
	}
	if err != nil {
		return nil, fmt.Errorf("profile of kind %s: %w", kind, err)
	}
	return out.Bytes(), nil
}

// difference writes what a profile that adds up since the process began has gained during wait.
func difference(out *bytes.Buffer, name string, wait func() error) error {
	read := func() (*profile.Profile, error) {
		var raw bytes.Buffer
		if err := pprof.Lookup(name).WriteTo(&raw, 0); err != nil {
			return nil, err
		}
		return profile.ParseData(raw.Bytes())
	}
	began := time.Now()
	before, err := read()
	if err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	after, err := read()
	if err != nil {
		return err
	}
	before.Scale(-1)
	gained, err := profile.Merge([]*profile.Profile{before, after})
	if err != nil {
		return err
	}
	gained.TimeNanos = began.UnixNano()
	gained.DurationNanos = int64(time.Since(began))
	return gained.Write(out)
}
