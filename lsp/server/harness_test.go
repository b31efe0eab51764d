package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for that must come; a busy machine takes long for little.
const patience = 2 * time.Minute

// A bench is a host over an engine in memory.
type bench struct {
	t    testing.TB
	lang *fakeLanguage
	eng  *runtime.Engine
	host *Host
}

func newBench(t testing.TB, lang *fakeLanguage, o Options) *bench {
	t.Helper()
	eng, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if o.RefreshInterval == 0 {
		o.RefreshInterval = 4 * time.Millisecond
	}
	if o.ProgressInterval == 0 {
		o.ProgressInterval = time.Nanosecond
	}
	host, err := NewHost(eng, lang, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // runs after the clients' own
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if err := eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &bench{t: t, lang: lang, eng: eng, host: host}
}

// A client is a connected editor.
type client struct {
	*dispatch.Conn
	t    testing.TB
	raw  net.Conn
	done chan struct{}
	code int // of the server's session
	err  error

	mu     sync.Mutex
	got    []message                  // guarded by mu: notifications and requests of the server, in order
	change chan struct{}              // guarded by mu: closed when got grows
	refuse map[string]*jsonrpc2.Error // guarded by mu: answers to the server's requests, null by default
}

// A message is something the server sent of its own accord.
type message struct {
	Method string
	Params string
}

func (b *bench) connect() *client {
	b.t.Helper()
	near, far := net.Pipe()
	c := &client{t: b.t, raw: near, done: make(chan struct{}), change: make(chan struct{}), refuse: map[string]*jsonrpc2.Error{}}
	handlers := map[string]dispatch.Handler{}
	for _, method := range []string{
		protocol.MethodTextDocumentPublishDiagnostics, protocol.MethodWindowLogMessage, protocol.MethodWindowShowMessage, "$/progress", "$/logTrace",
		"window/workDoneProgress/create", protocol.MethodClientRegisterCapability, protocol.MethodWorkspaceDiagnosticRefresh, protocol.MethodWorkspaceSemanticTokensRefresh,
	} {
		handlers[method] = c.take
	}
	c.Conn = dispatch.New(near, handlers, dispatch.Options{})
	var both sync.WaitGroup
	both.Go(func() { c.code, c.err = b.host.Serve(context.Background(), far) })
	both.Go(func() { _, _ = c.Conn.Run(context.Background()) })
	go func() { both.Wait(); close(c.done) }()
	b.t.Cleanup(func() { near.Close(); <-c.done })
	return c
}

func (c *client) take(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, message{r.Method, string(r.Params)})
	close(c.change)
	c.change = make(chan struct{})
	if err := c.refuse[r.Method]; err != nil && r.IsCall() {
		return dispatch.Done, err
	}
	return dispatch.Done, nil
}

// await returns the first message, from the given index on, that fits, and the index behind it.
func (c *client) await(from int, method string, fits func(params string) bool) (string, int) {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		for i := from; i < len(c.got); i++ {
			if c.got[i].Method == method && (fits == nil || fits(c.got[i].Params)) {
				found := c.got[i].Params
				c.mu.Unlock()
				return found, i + 1
			}
		}
		change := c.change
		c.mu.Unlock()
		select {
		case <-change:
		case <-deadline:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.t.Fatalf("no %s; got %v", method, c.got)
		}
	}
}

func (c *client) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// count returns how many messages of a method fit.
func (c *client) count(from int, method, part string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, m := range c.got[from:] {
		if m.Method == method && strings.Contains(m.Params, part) {
			n++
		}
	}
	return n
}

func has(part string) func(string) bool {
	return func(s string) bool { return strings.Contains(s, part) }
}

// ask sends a request and returns the answer as JSON.
func (c *client) ask(method, params string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var raw json.RawMessage
	var p any
	if params != "" {
		p = json.RawMessage(params)
	}
	err := c.Call(ctx, method, p, &raw)
	return string(raw), err
}

// must is ask for what has to succeed.
func (c *client) must(method, params string) string {
	c.t.Helper()
	got, err := c.ask(method, params)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, params, err)
	}
	return got
}

func (c *client) tell(method, params string) {
	c.t.Helper()
	if err := c.Notify(method, json.RawMessage(params)); err != nil {
		c.t.Fatal(err)
	}
}

// wantCode checks an error's code and words.
func wantCode(t testing.TB, err error, code int, words ...string) {
	t.Helper()
	wire, ok := errors.AsType[*jsonrpc2.Error](err)
	if !ok || int(wire.Code) != code {
		t.Fatalf("got %v, want code %d", err, code)
	}
	for _, word := range words {
		if !strings.Contains(wire.Message, word) {
			t.Fatalf("got %v, want %q in it", err, word)
		}
	}
}

const (
	plainCaps = `{}`
	richCaps  = `{
		"general":{"positionEncodings":["utf-8","utf-16"]},
		"window":{"workDoneProgress":true},
		"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true,"relativePatternSupport":true},"symbol":{"resolveSupport":{"properties":["location.range"]}},"workspaceFolders":true,"diagnostics":{"refreshSupport":true}},
		"textDocument":{"definition":{"linkSupport":true},"hover":{"contentFormat":["markdown","plaintext"]},"documentSymbol":{"hierarchicalDocumentSymbolSupport":true},
			"publishDiagnostics":{"versionSupport":true,"relatedInformation":true,"tagSupport":{"valueSet":[1,2]}}%s}}`
	pullCaps = `,"diagnostic":{"dynamicRegistration":true}`
)

// begin initializes a session.
func (c *client) begin(root, caps, options string) string {
	c.t.Helper()
	if options == "" {
		options = "null"
	}
	result := c.must("initialize", fmt.Sprintf(`{"processId":1,"rootUri":%q,"capabilities":%s,"initializationOptions":%s}`, root, caps, options))
	c.tell("initialized", `{}`)
	return result
}

// indexed waits for the end of the index that follows begin.
func (c *client) indexed() {
	c.t.Helper()
	c.await(0, protocol.MethodWindowLogMessage, has("index of"))
}

func (c *client) open(name string, version int, text string) {
	c.t.Helper()
	c.tell("textDocument/didOpen", fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"words","version":%d,"text":%q}}`, name, version, text))
}

func at(name string, line, character int) string {
	return fmt.Sprintf(`{"textDocument":{"uri":%q},"position":{"line":%d,"character":%d}}`, name, line, character)
}

func doc(name string) string { return fmt.Sprintf(`{"textDocument":{"uri":%q}}`, name) }

func insert(name string, version, line, character int, text string) string {
	return fmt.Sprintf(`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":%d,"character":%d},"end":{"line":%d,"character":%d}},"text":%q}]}`,
		name, version, line, character, line, character, text)
}

// finish ends a session in the orderly way.
func (c *client) finish() {
	c.t.Helper()
	c.must("shutdown", "")
	if err := c.Notify("exit", nil); err != nil {
		c.t.Fatal(err)
	}
	select {
	case <-c.done:
	case <-time.After(patience):
		c.t.Fatal("the session does not end")
	}
	if c.code != 0 || c.err != nil {
		c.t.Errorf("session ended with code %d, %v", c.code, c.err)
	}
}
