package lsptest

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

// Options say how a language is served in a test. The zero value is ready for use.
type Options struct {
	// Server are the options of the host.
	Server server.Options

	// Capabilities are those of the client, JSON. Empty are those of an editor that can do all that
	// the protocol has, and counts columns in bytes.
	Capabilities string

	// Initialization are the initialization options, JSON; there may be none.
	Initialization string

	// Settings are sections of the user's settings from the beginning, each JSON.
	Settings map[string]string

	// Elsewhere are names for directories outside of the folder, for answers.
	Elsewhere map[string]string
}

// Start serves a language to an editor, whose only folder is root, from an engine in memory. The
// session has been initialized. All ends with the test, which fails if anything panicked meanwhile.
func Start(t testing.TB, lang lsp.Language, root string, o Options) *editor.Editor {
	t.Helper()
	e, _ := start(t, lang, root, o)
	return e
}

// start is Start that also returns what initialize answered.
func start(t testing.TB, lang lsp.Language, root string, o Options) (*editor.Editor, string) {
	t.Helper()
	alarm := NewAlarm(t.Output())
	logger := slog.New(slog.NewTextHandler(alarm, &slog.HandlerOptions{Level: slog.LevelWarn}))
	eng, err := runtime.Open("", runtime.Options{Workers: 1, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	if o.Server.RefreshInterval == 0 {
		o.Server.RefreshInterval = time.Millisecond
	}
	if o.Server.Logger == nil {
		o.Server.Logger = logger
	} else {
		o.Server.Logger = slog.New(slog.NewMultiHandler(o.Server.Logger.Handler(), logger.Handler()))
	}
	host, err := server.NewHost(eng, lang, o.Server)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	var served sync.WaitGroup
	t.Cleanup(func() { // runs after the editor's
		served.Wait()
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if err := eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := alarm.Err(); err != nil {
			t.Error(err)
		}
	})
	served.Go(func() { _, _ = host.Serve(context.Background(), far) })
	e := editor.Connect(t, near)
	for section, settings := range o.Settings {
		e.Set(section, settings)
	}
	if o.Capabilities == "" {
		o.Capabilities = editor.Everything
	}
	return e, e.Begin([]string{root}, o.Capabilities, o.Initialization)
}
