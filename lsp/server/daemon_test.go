package server

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/daemon"
)

// listen makes a bench reachable as the host of a store.
func listen(t *testing.T, b *bench) (store string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cy") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	store = t.TempDir()
	d, err := daemon.Listen(store, daemon.Options{Build: "b"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- d.Serve(context.Background(), 0, func(ctx context.Context, conn net.Conn, _ daemon.Peer) { _, _ = b.host.Serve(ctx, conn) })
	}()
	t.Cleanup(func() {
		d.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestCommandsAskARunningHost(t *testing.T) {
	b := newBench(t, simple(), Options{})
	store := listen(t, b)
	editor := b.connect()
	editor.begin("file:///m", plainCaps, "")
	editor.indexed()
	editor.open(fileA, 1, "def one\n  def unsaved\n")
	editor.must("textDocument/documentSymbol", doc(fileA))

	conn, _, err := daemon.Dial(t.Context(), store, daemon.Options{Build: "b", Name: "cytisus def"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(t.Context(), conn, "/m", "cytisus def", nil)
	if err != nil {
		t.Fatal(err)
	}
	var found protocol.LocationSlice
	err = c.Call(t.Context(), protocol.MethodTextDocumentDefinition, &protocol.DefinitionParams{TextDocumentPositionParams: protocol.TextDocumentPositionParams{
		TextDocument: protocol.TextDocumentIdentifier{URI: uri.URI(fileB)}, Position: protocol.Position{Line: 1, Character: 5},
	}}, &found)
	if err != nil || len(found) != 1 || string(found[0].URI) != fileA {
		t.Error(found, err)
	}
	var outline protocol.DocumentSymbolSlice
	params := &protocol.DocumentSymbolParams{TextDocument: protocol.TextDocumentIdentifier{URI: uri.URI(fileA)}}
	if err := c.Call(t.Context(), protocol.MethodTextDocumentDocumentSymbol, params, &outline); err != nil || len(outline) != 1 || outline[0].Children[0].Name != "unsaved" {
		t.Error("a command sees what the editor sees:", outline, err)
	}
	s, err := c.Stats(t.Context())
	if err != nil || len(s.Sessions) != 2 || s.Sessions[1].Client != "cytisus def" || s.Roots[0].Indexes != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Stats(t.Context()); err == nil {
		t.Error("asked after the end")
	}
	editor.finish()
}

func TestClientWithoutAHost(t *testing.T) {
	near, far := net.Pipe()
	far.Close()
	if _, err := NewClient(t.Context(), near, "/m", "x", nil); err == nil {
		t.Error("began")
	}
	b := newBench(t, simple(), Options{})
	near, far = net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); _, _ = b.host.Serve(context.Background(), far) }()
	// A directory that is not there is no reason to refuse a client; questions about it are
	// refused.
	c, err := NewClient(t.Context(), near, "/missing", "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	params := &protocol.DocumentSymbolParams{TextDocument: protocol.TextDocumentIdentifier{URI: "file:///missing/a.txt"}}
	if err := c.Call(t.Context(), protocol.MethodTextDocumentDocumentSymbol, params, nil); err == nil || !strings.Contains(err.Error(), "no workspace is open") {
		t.Error(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	<-done
	near, far = net.Pipe()
	done = make(chan struct{})
	go func() { defer close(done); _, _ = b.host.Serve(context.Background(), far) }()
	c, err = NewClient(t.Context(), near, "/m", "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-done
}
