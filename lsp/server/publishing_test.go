package server

import (
	"fmt"
	"sync"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/runtime"
)

// However many documents a client opens, diagnostics of a few are computed at once; all are
// published in the end, and one that is edited meanwhile does not wait for the others.
func TestFewDocumentsArePublishedAtOnce(t *testing.T) {
	lang := simple()
	var (
		mu        sync.Mutex
		now, most int
		gate      = make(chan struct{})
		began     = make(chan struct{}, 1<<10)
	)
	lang.judging = func(t *runtime.Task) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		defer func() { mu.Lock(); now--; mu.Unlock() }()
		began <- struct{}{}
		return t.Blocking(func() error {
			select {
			case <-gate:
			case <-t.Context().Done():
			}
			return t.Context().Err()
		})
	}
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	const documents = 60
	name := func(i int) string { return fmt.Sprintf("file:///m/n%d.txt", i) }
	for i := range documents {
		c.open(name(i), 1, fmt.Sprintf("undefined%d\n", i))
	}
	for range publishingMax {
		<-began
	}
	// One of those under way is superseded at once. Which those are is not known: all are edited.
	for i := range documents {
		c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":2},"contentChanges":[{"text":"other%d\n"}]}`, name(i), i))
	}
	for range publishingMax {
		<-began
	}
	close(gate)
	for i := range documents {
		c.await(0, protocol.MethodTextDocumentPublishDiagnostics, has(fmt.Sprintf("other%d\"", i)))
	}
	c.finish()
	mu.Lock()
	defer mu.Unlock()
	if most > 2*publishingMax { // those that were superseded may not have ended yet
		t.Errorf("%d documents at once", most)
	}
}
