package lsptest

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// An Alarm is where a server in a test writes its log. It takes note of what no request may lead
// to: that something panicked. All methods may be called from any goroutine.
type Alarm struct {
	mu   sync.Mutex
	next io.Writer // guarded by mu
	said string    // guarded by mu: the first record about a panic
}

// NewAlarm passes what is written on to next, each write as a whole: a write is a record.
func NewAlarm(next io.Writer) *Alarm { return &Alarm{next: next} }

// panicked stands in the records of all layers about a panic: the scheduler's, the connection's and
// the server's.
var panicked = []byte(" panicked")

// Write implements io.Writer.
func (a *Alarm) Write(record []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == "" && bytes.Contains(record, panicked) {
		a.said = string(record)
	}
	return a.next.Write(record)
}

// Err says what panicked first; nil if nothing did.
func (a *Alarm) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == "" {
		return nil
	}
	return fmt.Errorf("the server panicked: %s", a.said)
}
