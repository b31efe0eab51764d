package server

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

// edit connects an editor of package lsptest, whose only folder is /m, and lets it settle.
func (b *bench) edit(capabilities, options string, settings map[string]string) *editor.Editor {
	b.t.Helper()
	near, far := net.Pipe()
	var served sync.WaitGroup
	b.t.Cleanup(served.Wait) // runs after the editor's own
	served.Go(func() { _, _ = b.host.Serve(context.Background(), far) })
	e := editor.Connect(b.t, near)
	for section, text := range settings {
		e.Set(section, text)
	}
	e.Begin([]string{"/m"}, capabilities, options)
	e.Must(MethodSettle, nil)
	return e
}

func (l *fakeLanguage) configured() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.settings)
}

func TestSettingsAreAskedFor(t *testing.T) {
	b := newBench(t, simple(), Options{})
	e := b.edit(editor.Everything, "", map[string]string{"words": `{"long": true}`, "others": `1`})
	e.Await(0, protocol.MethodClientRegisterCapability, `"section":"words"`)
	e.Must(MethodSettle, nil)
	for _, settings := range []string{`{"long":  true}`, `{"long": false}`, `null`} {
		e.Configure("words", settings)
		e.Must(MethodSettle, nil)
	}
	if got, want := b.lang.configured(), []string{`{"long":true}`, `{"long":false}`, `null`}; !slices.Equal(got, want) {
		t.Errorf("the workspace was given %q, want %q", got, want)
	}

	other := b.edit(editor.Everything, "", nil) // has set nothing, and leaves what there is
	e.Configure("words", `{"long": 3}`)
	e.Must(MethodSettle, nil)
	other.Configure("others", `2`)
	other.Must(MethodSettle, nil)
	if got := b.lang.configured(); !strings.HasSuffix(got[len(got)-1], "3}") {
		t.Errorf("a client without settings has changed them to %s", got[len(got)-1])
	}

	from := e.Count()
	e.Configure("words", `"wrong"`)
	e.Await(from, protocol.MethodWindowShowMessage, "no such word")
}

// A client that cannot be asked says its settings in initialize, and when they change.
func TestSettingsAreSent(t *testing.T) {
	b := newBench(t, simple(), Options{})
	e := b.edit(plainCaps, `{"settings": {"long": 1}}`, nil)
	e.Must(MethodSettle, nil)
	e.Configure("others", `{"long": 2}`)
	e.Must(MethodSettle, nil)
	e.Configure("words", `{"long": 3}`)
	e.Must(MethodSettle, nil)
	if got, want := b.lang.configured(), []string{`{"long":1}`, `null`, `{"long":3}`}; !slices.Equal(got, want) {
		t.Errorf("the workspace was given %q, want %q", got, want)
	}
}

// Nothing waits for a client that is asked for its settings and does not answer well.
func TestSettingsThatAreNoAnswer(t *testing.T) {
	b := newBench(t, simple(), Options{})
	near, far := net.Pipe()
	var served sync.WaitGroup
	t.Cleanup(served.Wait)
	served.Go(func() { _, _ = b.host.Serve(context.Background(), far) })
	e := editor.Connect(t, near)
	e.Answer("workspace/configuration", func([]byte) any { return "none" })
	e.Begin([]string{"/m"}, editor.Everything, "")
	e.Await(0, protocol.MethodWindowShowMessage, "settings")
	e.Must(MethodSettle, nil)
	if got := b.lang.configured(); len(got) != 0 {
		t.Errorf("the workspace was given %q", got)
	}
}
