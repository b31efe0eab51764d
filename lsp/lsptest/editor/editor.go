package editor

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// Patience is how long anything that must happen is waited for before the test fails.
const Patience = time.Minute

// An Editor is a client in a test. All methods may be called from any goroutine.
type Editor struct {
	t     testing.TB
	conn  *dispatch.Conn
	ended chan struct{} // closed when the connection has ended

	mu       sync.Mutex
	got      []Message                          // guarded by mu: in the order of the stream
	change   chan struct{}                      // guarded by mu: closed when got grows
	answers  map[string]func(params []byte) any // guarded by mu
	settings map[string]json.RawMessage         // guarded by mu: by section
	docs     map[string]*document               // guarded by mu: by path
}

// A Message is what a server said of its own accord, a notification or a request.
type Message struct {
	Method string
	Params string // JSON
}

type document struct {
	text    string
	version int
}

// fromServer are the methods that the protocol lets a server send.
var fromServer = []string{
	"$/logTrace", "$/progress", "client/registerCapability", "client/unregisterCapability", "telemetry/event",
	"textDocument/publishDiagnostics", "window/logMessage", "window/showDocument", "window/showMessage", "window/showMessageRequest",
	"window/workDoneProgress/create", "workspace/applyEdit", "workspace/codeLens/refresh", "workspace/configuration",
	"workspace/diagnostic/refresh", "workspace/foldingRange/refresh", "workspace/inlayHint/refresh", "workspace/inlineValue/refresh",
	"workspace/semanticTokens/refresh", "workspace/textDocumentContent/refresh", "workspace/workspaceFolders",
}

// Connect begins to speak over rw, which is closed when the test ends.
func Connect(t testing.TB, rw io.ReadWriteCloser) *Editor {
	e := &Editor{
		t: t, ended: make(chan struct{}), change: make(chan struct{}),
		settings: map[string]json.RawMessage{}, docs: map[string]*document{},
	}
	e.answers = map[string]func([]byte) any{
		"workspace/configuration": e.configuration,
		"workspace/applyEdit":     e.applyEdit,
		"window/showDocument":     func([]byte) any { return map[string]bool{"success": true} },
	}
	handlers := map[string]dispatch.Handler{}
	for _, method := range fromServer {
		handlers[method] = e.take
	}
	e.conn = dispatch.New(rw, handlers, dispatch.Options{})
	go func() {
		defer close(e.ended)
		_, _ = e.conn.Run(context.Background())
	}()
	t.Cleanup(func() {
		e.conn.Abort()
		<-e.ended
	})
	return e
}

// take notes what the server said, and answers.
func (e *Editor) take(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	e.mu.Lock()
	answer := e.answers[r.Method]
	e.mu.Unlock()
	var value any
	if r.IsCall() && answer != nil {
		value = answer(r.Params)
	}
	e.mu.Lock()
	e.got = append(e.got, Message{r.Method, string(r.Params)})
	close(e.change)
	e.change = make(chan struct{})
	e.mu.Unlock()
	if wire, ok := value.(*jsonrpc2.Error); ok {
		return dispatch.Done, wire
	}
	return dispatch.Now(encoded(value)), nil
}

// Answer sets how requests of the server are answered: with what fn returns, which is encoded with
// the standard library, or refused if that is a *jsonrpc2.Error.
func (e *Editor) Answer(method string, fn func(params []byte) any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers[method] = fn
}

// Set sets what the server is told of a section of the settings, JSON, when it asks.
func (e *Editor) Set(section, settings string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settings[section] = json.RawMessage(settings)
}

// Configure is Set, and says that the section has changed.
func (e *Editor) Configure(section, settings string) {
	e.t.Helper()
	e.Set(section, settings)
	e.Tell("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{section: json.RawMessage(settings)}})
}

func (e *Editor) configuration(params []byte) any {
	var p struct{ Items []struct{ Section string } }
	if err := json.Unmarshal(params, &p); err != nil {
		return jsonrpc2.NewError(jsonrpc2.InvalidParams, err.Error())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]json.RawMessage, len(p.Items))
	for i, item := range p.Items {
		if list[i] = e.settings[item.Section]; list[i] == nil {
			list[i] = json.RawMessage("null")
		}
	}
	return list
}

// encoded makes of a value what a connection takes: it knows only the protocol's own types.
func encoded(v any) any {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // a test's own value
	}
	return json.RawMessage(raw)
}

// Ask sends a request and waits for the answer, JSON. The parameters are encoded with the standard
// library; nil sends none. An error of the server is a *jsonrpc2.Error.
func (e *Editor) Ask(method string, params any) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var raw json.RawMessage
	err := e.conn.Call(ctx, method, encoded(params), &raw)
	return string(raw), err
}

// Must is Ask for a request that the server has to answer.
func (e *Editor) Must(method string, params any) string {
	e.t.Helper()
	answer, err := e.Ask(method, params)
	if err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
	return answer
}

// Tell sends a notification.
func (e *Editor) Tell(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(method, encoded(params)); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

// Conn is the connection, for tests of what no editor does.
func (e *Editor) Conn() *dispatch.Conn { return e.conn }

// Count is how many messages the server has sent of its own accord: where Await may begin.
func (e *Editor) Count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got)
}

// Said are the messages of a method, from the given one on.
func (e *Editor) Said(from int, method string) (list []Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.got[from:] {
		if m.Method == method {
			list = append(list, m)
		}
	}
	return list
}

// Published are the diagnostics that the server has published last, by URI, each as JSON.
func (e *Editor) Published() map[string][]json.RawMessage {
	byURI := map[string][]json.RawMessage{}
	for _, m := range e.Said(0, "textDocument/publishDiagnostics") {
		var p struct {
			URI         string
			Diagnostics []json.RawMessage
		}
		if err := json.Unmarshal([]byte(m.Params), &p); err != nil {
			e.t.Fatalf("diagnostics: %v: %s", err, m.Params)
		}
		byURI[p.URI] = p.Diagnostics
	}
	return byURI
}

// Await waits for the first message of a method, from the given one on, whose parameters hold a
// text. It returns the parameters, and how many messages there were up to this one.
func (e *Editor) Await(from int, method, text string) (params string, next int) {
	e.t.Helper()
	for i := from; ; i++ {
		m, ok := e.message(i)
		if !ok {
			e.t.Fatalf("the server does not say %s with %q", method, text)
		}
		if m.Method == method && strings.Contains(m.Params, text) {
			return m.Params, i + 1
		}
	}
}

// AwaitUntil waits until fits, which is asked after every message, is true.
func (e *Editor) AwaitUntil(fits func() bool) bool {
	for i := e.Count(); !fits(); i++ {
		if _, ok := e.message(i); !ok {
			return fits()
		}
	}
	return true
}

// message waits for the message with an index.
func (e *Editor) message(i int) (Message, bool) {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		e.mu.Lock()
		change := e.change
		if i < len(e.got) {
			defer e.mu.Unlock()
			return e.got[i], true
		}
		e.mu.Unlock()
		select {
		case <-change:
		case <-e.ended:
			return Message{}, false
		case <-deadline.C:
			return Message{}, false
		}
	}
}

// Begin initializes the session. The capabilities and options are JSON; empty options are none. It
// returns the answer of the server.
func (e *Editor) Begin(folders []string, capabilities, options string) string {
	e.t.Helper()
	if options == "" {
		options = "null"
	}
	list := []map[string]string{}
	for _, dir := range folders {
		list = append(list, map[string]string{"uri": URI(dir), "name": dir})
	}
	answer := e.Must("initialize", map[string]any{
		"processId": os.Getpid(), "workspaceFolders": list,
		"capabilities": json.RawMessage(capabilities), "initializationOptions": json.RawMessage(options),
	})
	e.Tell("initialized", map[string]any{})
	return answer
}

// End ends the session in the orderly way and waits for it.
func (e *Editor) End() {
	e.t.Helper()
	e.Must("shutdown", nil)
	if err := e.conn.Notify("exit", nil); err != nil {
		e.t.Fatal(err)
	}
	select {
	case <-e.ended:
	case <-time.After(Patience):
		e.t.Fatal("the session does not end")
	}
}

// URI names a file as editors do.
func URI(path string) string { return string(uri.File(path)) }
