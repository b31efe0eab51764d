package server

import (
	"context"
	"errors"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// Where a definition leads is worked out below all other work, unless it is open; the next jump
// takes its place.
func TestLikelyJumps(t *testing.T) {
	lang := simple()
	began, ended := make(chan string, 8), make(chan error, 8)
	lang.outlining = func(t *runtime.Task, name string) error {
		began <- t.Lane().String() + " " + name
		err := t.Blocking(func() error { <-t.Context().Done(); return context.Cause(t.Context()) })
		ended <- err
		return err
	}
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	for range 2 {
		c.must("textDocument/definition", at(fileB, 1, 4))
		if got := <-began; got != "speculative "+fileA {
			t.Errorf("got %s", got)
		}
	}
	if err := <-ended; !errors.Is(err, runtime.ErrSuperseded) {
		t.Errorf("the first ended with %v", err)
	}
	c.open(fileA, 1, "def one")
	c.must("textDocument/definition", at(fileB, 1, 4)) // it is open
	c.must("textDocument/definition", at(fileB, 1, 0)) // there is none
	c.finish()
	if err := <-ended; err == nil || len(began) > 0 {
		t.Errorf("the second ended with %v, and %d more began", err, len(began))
	}
}

// Of jumps in a row only the last is followed, even if it comes before the others have waited.
func TestLastJump(t *testing.T) {
	var l latest
	first, second := l.come(), l.come()
	if first() || !second() {
		t.Errorf("the first of two is the last: %v, the second: %v", first(), second())
	}
	if third := l.come(); second() || !third() {
		t.Errorf("the second of three is the last: %v, the third: %v", second(), third())
	}
}
