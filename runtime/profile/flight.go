package profile

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What a flight recorder keeps at most, in memory and in files.
const (
	flightBytes = 16 << 20
	flightAge   = 5 * time.Second
	flightFiles = 8
	flightPause = 10 * time.Second // between two files
)

const flightExt = ".trace"

// FlightDir is the directory below a store's own in which flights are written.
const FlightDir = "flights"

// ErrNoFlight: no flight recorder is on in the process.
var ErrNoFlight = errors.New("profile: no flight recorder is on; start the process with --flight-recorder")

// aloft is the recorder of the process; Go has one at most.
var aloft atomic.Pointer[Flight]

// A Flight keeps the last seconds of the process' execution trace in memory, and writes them to a
// file when something took too long. All methods may be called concurrently, Close once.
type Flight struct {
	dir    string
	slow   time.Duration
	log    *slog.Logger
	now    func() time.Time
	pauses time.Duration // between two files

	mu      sync.Mutex
	rec     *trace.FlightRecorder // guarded by mu; nil once closed
	last    time.Time             // of a file; guarded by mu
	writing sync.WaitGroup        // writers of files
	busy    atomic.Bool           // one of them is at work
}

// StartFlight begins to record. What takes slow or longer makes a file in dir, which is made then;
// of the files the newest 8 are kept, and there is one in 10 seconds at most. It costs what an
// execution trace costs, some percent of a busy process, and 16 MiB. It fails if the process has a
// recorder.
func StartFlight(dir string, slow time.Duration, log *slog.Logger) (*Flight, error) {
	if slow <= 0 {
		return nil, fmt.Errorf("profile: %v is no time that a request may take", slow)
	}
	f := &Flight{
		dir: dir, slow: slow, log: log, now: time.Now, pauses: flightPause,
		rec: trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: flightAge, MaxBytes: flightBytes}),
	}
	if !aloft.CompareAndSwap(nil, f) {
		return nil, errors.New("profile: the process has a flight recorder already")
	}
	if err := f.rec.Start(); err != nil {
		aloft.Store(nil)
		return nil, fmt.Errorf("profile: flight recorder: %w", err)
	}
	return f, nil
}

// Close ends recording when what is being written is written. Nil is allowed.
func (f *Flight) Close() {
	if f == nil {
		return
	}
	f.mu.Lock()
	rec := f.rec
	f.rec = nil
	f.mu.Unlock()
	f.writing.Wait()
	rec.Stop()
	aloft.Store(nil)
}

// Took tells of something that took a while. If that is too long, the flight is written by another
// goroutine, which logs where it is. Took does not wait, and takes nanoseconds otherwise. Nil is
// allowed.
func (f *Flight) Took(what string, took time.Duration) {
	if f == nil || took < f.slow {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.rec == nil || !f.last.IsZero() && now.Sub(f.last) < f.pauses || !f.busy.CompareAndSwap(false, true) {
		return
	}
	f.last = now
	rec := f.rec
	f.writing.Go(func() {
		defer f.busy.Store(false)
		file, err := f.write(rec, what, now)
		if err != nil {
			f.log.Warn("a slow request's flight is not written", "request", what, "took", took, "err", err)
			return
		}
		f.log.Warn("a request was slow", "request", what, "took", took, "flight", file, "look", "go tool trace "+file)
		if err := f.prune(); err != nil {
			f.log.Warn("old flights are not removed", "err", err)
		}
	})
}

// write writes the flight to a file.
func (f *Flight) write(rec *trace.FlightRecorder, what string, at time.Time) (string, error) {
	var raw bytes.Buffer
	if _, err := rec.WriteTo(&raw); err != nil {
		return "", fmt.Errorf("profile: flight recorder: %w", err)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", fmt.Errorf("profile: %w", err)
	}
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return '-'
	}, what[:min(len(what), 60)])
	file := filepath.Join(f.dir, at.UTC().Format("20060102-150405.000")+"-"+name+flightExt)
	if err := os.WriteFile(file, raw.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("profile: %w", err)
	}
	return file, nil
}

// prune removes the oldest files. Their names begin with the time.
func (f *Flight) prune() error {
	entries, err := os.ReadDir(f.dir) // by name
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return filepath.Ext(e.Name()) != flightExt })
	for _, old := range entries[:max(0, len(entries)-flightFiles)] {
		if err := os.Remove(filepath.Join(f.dir, old.Name())); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	return nil
}

// takeFlight returns what the process' recorder has now.
func takeFlight() ([]byte, error) {
	f := aloft.Load()
	if f == nil {
		return nil, ErrNoFlight
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rec == nil {
		return nil, ErrNoFlight
	}
	var raw bytes.Buffer
	if _, err := f.rec.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return raw.Bytes(), nil
}
