package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// A traceFile takes down what happens to answers, a line of JSON for each event.
type traceFile struct {
	mu      sync.Mutex
	file    *os.File
	w       *bufio.Writer // guarded by mu
	flushed time.Time     // guarded by mu
	err     error         // guarded by mu: the first
}

// A traceLine is one of its lines.
type traceLine struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Query  string    `json:"query"`
	Key    string    `json:"key"`
	Micros float64   `json:"us,omitempty"`
	Cause  string    `json:"cause"`
}

// traceFlushEvery is how old what is not written yet may be when something else happens.
const traceFlushEvery = 100 * time.Millisecond

func openTrace(path string) (*traceFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--trace: %w", err)}
	}
	return &traceFile{file: file, w: bufio.NewWriterSize(file, 64<<10)}, nil
}

// add is a runtime.Options.Trace.
func (f *traceFile) add(ev runtime.TraceEvent) {
	now := time.Now()
	line, err := json.Marshal(traceLine{now, ev.What.String(), ev.Query, ev.Key, float64(ev.Took) / float64(time.Microsecond), ev.Cause})
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		_, err = f.w.Write(append(line, '\n'))
	}
	if err == nil && now.Sub(f.flushed) > traceFlushEvery {
		f.flushed = now
		err = f.w.Flush()
	}
	if f.err == nil {
		f.err = err
	}
}

// close returns what went wrong. The engine that calls add is closed. A nil traceFile is none.
func (f *traceFile) close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.Join(f.err, f.w.Flush(), f.file.Close())
	if err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}
