package server

import (
	"fmt"
	"slices"
	"testing"
)

// A client whose session goes on here shows diagnostics that another host published: those
// that do not hold are taken back, and the disk is looked at.
func TestResumedSession(t *testing.T) {
	lang := simple()
	lang.seen = make(chan []string, 10)
	b := newBench(t, lang, Options{NoIndex: true})
	c := b.connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	c.tell("cytisus/resumed", fmt.Sprintf(`{"shown":[%q]}`, fileB))
	if names := <-lang.seen; !slices.Equal(names, []string{"file:///m"}) {
		t.Errorf("looked at %v", names)
	}
	c.await(0, "textDocument/publishDiagnostics", func(p string) bool { return has(fileB)(p) && has(`"diagnostics":[]`)(p) })
	c.finish()
}
