package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
)

var bridgeSeed = flag.Uint64("bridge.seed", 0, "seed of TestTakeoversAgainstOneHost; 0 takes a new one")

// A fakeHost knows the texts of open documents. Its answers are about the text of their turn.
type fakeHost struct {
	*dispatch.Conn
	end  Conn
	die  context.CancelFunc // without a word
	gone chan struct{}      // closed when the connection has ended

	mu   sync.Mutex
	got  []string // guarded by mu: "method params" of what the bridge sent
	docs *document.Store
}

// A rig is a client, a bridge and the hosts that it has had.
type rig struct {
	t       testing.TB
	b       *Bridge
	client  *dispatch.Conn
	raw     Conn // of the client
	results chan rigResult
	mute    atomic.Bool // hosts do not answer "slow"
	refuse  atomic.Bool // hosts hang up on initialize
	notice  string

	mu     sync.Mutex
	change chan struct{} // guarded by mu: closed when anything below changes
	hosts  []*fakeHost   // guarded by mu
	told   []string      // guarded by mu: "method params" of what the client was sent
	fail   error         // guarded by mu: of the connector
	hold   bool          // guarded by mu: the client does not answer requests
	deny   bool          // guarded by mu: the client answers requests with an error
}

type rigResult struct {
	code int
	err  error
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, results: make(chan rigResult, 1), change: make(chan struct{})}
	near, far := Pipe()
	r.raw = near
	r.b = NewBridge(far, r.connect, Options{})
	handlers := map[string]dispatch.Handler{}
	for _, method := range []string{
		"window/showMessage", "$/progress", "textDocument/publishDiagnostics", "window/workDoneProgress/create",
		"client/registerCapability", "client/unregisterCapability", "host/asks",
	} {
		handlers[method] = r.take
	}
	r.client = dispatch.New(near, handlers, dispatch.Options{})
	var both sync.WaitGroup
	both.Go(func() {
		code, err := r.b.Run(context.Background())
		r.results <- rigResult{code, err}
	})
	both.Go(func() { _, _ = r.client.Run(context.Background()) })
	t.Cleanup(func() {
		r.client.Abort()
		both.Wait()
		for _, h := range r.allHosts() {
			<-h.gone
		}
	})
	return r
}

func (r *rig) changed() {
	close(r.change)
	r.change = make(chan struct{})
}

func (r *rig) connect(_ context.Context, _ int) (Link, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return Link{}, r.fail
	}
	near, far := Pipe()
	h := &fakeHost{end: far, gone: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	h.die = cancel
	h.Conn = dispatch.New(far, h.handlers(r), dispatch.Options{Lifecycle: true, HangUp: true})
	go func() {
		defer close(h.gone)
		defer cancel()
		_, _ = h.Run(ctx)
	}()
	r.hosts = append(r.hosts, h)
	r.changed()
	return Link{Conn: near, Notice: r.notice}, nil
}

func (h *fakeHost) handlers(r *rig) map[string]dispatch.Handler {
	on := func(fn func(*dispatch.Request) (dispatch.Outcome, error)) dispatch.Handler {
		return func(_ context.Context, q *dispatch.Request) (dispatch.Outcome, error) {
			h.mu.Lock()
			h.got = append(h.got, q.Method+" "+string(q.Params))
			h.mu.Unlock()
			r.mu.Lock()
			r.changed()
			r.mu.Unlock()
			return fn(q)
		}
	}
	done := on(func(*dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil })
	text := func(q *dispatch.Request) (string, error) {
		var p struct{ URI string }
		if err := json.Unmarshal(q.Params, &p); err != nil {
			return "", err
		}
		d, ok := h.docs.Get(p.URI)
		if !ok {
			return "not open", nil
		}
		if d.Err() != nil {
			return "", errors.New("out of sync")
		}
		return fmt.Sprint(d.Version(), " ", string(d.Text())), nil
	}
	return map[string]dispatch.Handler{
		"initialize": on(func(*dispatch.Request) (dispatch.Outcome, error) {
			if r.refuse.Load() {
				h.end.Close()
				return dispatch.Done, errors.New("no")
			}
			h.docs = document.NewStore(position.UTF8, 0)
			return dispatch.Now(json.RawMessage(`{"capabilities":{"positionEncoding":"utf-8"}}`)), nil
		}),
		"initialized": done, "shutdown": done, "$/setTrace": done, "workspace/didChangeConfiguration": done,
		"workspace/didChangeWorkspaceFolders": done, "cytisus/resumed": done, "window/workDoneProgress/cancel": done,
		"textDocument/didOpen": on(func(q *dispatch.Request) (dispatch.Outcome, error) {
			o, err := document.DecodeOpening(q.Params)
			if err != nil {
				return dispatch.Done, errors.Join(err, h.docs.Lose(o.URI, err))
			}
			_, _, err = h.docs.Open(o.URI, o.Language, o.Version, o.Text)
			return dispatch.Done, err
		}),
		"textDocument/didChange": on(func(q *dispatch.Request) (dispatch.Outcome, error) {
			edit, err := document.DecodeEdit(q.Params)
			if err != nil {
				return dispatch.Done, errors.Join(err, h.docs.Lose(edit.URI, err))
			}
			_, err = h.docs.Change(edit)
			return dispatch.Done, err
		}),
		"textDocument/didClose": on(func(q *dispatch.Request) (dispatch.Outcome, error) {
			var p protocol.DidCloseTextDocumentParams
			if err := q.Decode(&p); err != nil {
				return dispatch.Done, err
			}
			_, err := h.docs.Close(string(p.TextDocument.URI))
			return dispatch.Done, err
		}),
		"text": on(func(q *dispatch.Request) (dispatch.Outcome, error) {
			s, err := text(q)
			return dispatch.Now(s), err
		}),
		"slow": on(func(q *dispatch.Request) (dispatch.Outcome, error) {
			s, err := text(q)
			if err != nil || !r.mute.Load() {
				return dispatch.Now(s), err
			}
			return dispatch.Later(func(ctx context.Context) (any, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}), nil
		}),
	}
}

// take is the client's side of what hosts say.
func (r *rig) take(_ context.Context, q *dispatch.Request) (dispatch.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, q.Method+" "+string(q.Params))
	r.changed()
	if r.deny && q.IsCall() {
		return dispatch.Done, errors.New("denied")
	}
	if r.hold && q.IsCall() {
		return dispatch.Later(func(ctx context.Context) (any, error) {
			r.until(func() bool { return !r.hold })
			return nil, nil
		}), nil
	}
	return dispatch.Done, nil
}

func (r *rig) allHosts() []*fakeHost {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.hosts)
}

// until waits for a condition on what r.mu guards.
func (r *rig) until(ok func() bool) {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		good, change := ok(), r.change
		r.mu.Unlock()
		if good {
			return
		}
		select {
		case <-change:
		case <-deadline:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("what must come does not; the client was told %q", r.told)
		}
	}
}

// host waits for the n-th host, from 1.
func (r *rig) host(n int) *fakeHost {
	r.t.Helper()
	r.until(func() bool { return len(r.hosts) >= n })
	return r.allHosts()[n-1]
}

// heard waits until a host has been sent something, and returns all it has been sent so far.
func (r *rig) heard(h *fakeHost, part string) []string {
	r.t.Helper()
	all := func() []string {
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.Clone(h.got)
	}
	r.until(func() bool {
		return slices.ContainsFunc(all(), func(s string) bool { return strings.Contains(s, part) })
	})
	return all()
}

// awaitTold waits until the client has been told something n times.
func (r *rig) awaitTold(part string, n int) {
	r.t.Helper()
	r.until(func() bool { return countParts(r.told, part) >= n })
}

func countParts(list []string, part string) (n int) {
	for _, s := range list {
		if strings.Contains(s, part) {
			n++
		}
	}
	return n
}

func (r *rig) countTold(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return countParts(r.told, part)
}

// kill ends a host as the kernel does: the connection breaks.
func (h *fakeHost) kill() {
	h.die()
	<-h.gone
}

func (r *rig) tell(method, params string) {
	r.t.Helper()
	if err := r.client.Notify(method, json.RawMessage(params)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) ask(method, params string) *dispatch.Pending {
	r.t.Helper()
	p, err := r.client.Start(method, json.RawMessage(params))
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) answer(p *dispatch.Pending) (string, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var raw protocol.LSPAny
	err := p.Wait(ctx, &raw)
	return string(raw), err
}

func (r *rig) want(p *dispatch.Pending, want string) {
	r.t.Helper()
	if got, err := r.answer(p); err != nil || got != want {
		r.t.Errorf("answer %s, %v; want %s", got, err, want)
	}
}

func (r *rig) wantCode(p *dispatch.Pending, code int) {
	r.t.Helper()
	got, err := r.answer(p)
	wire, ok := errors.AsType[*jsonrpc2.Error](err)
	if !ok || int(wire.Code) != code {
		r.t.Errorf("answer %s, %v; want code %d", got, err, code)
	}
}

// begin initializes the client and waits until its host knows.
func (r *rig) begin() *fakeHost {
	r.t.Helper()
	if _, err := r.answer(r.ask("initialize", `{"rootUri":"file:///m","capabilities":{}}`)); err != nil {
		r.t.Fatal(err)
	}
	r.tell("initialized", `{}`)
	h := r.host(1)
	r.heard(h, "initialized")
	return h
}

func (r *rig) result() rigResult {
	r.t.Helper()
	select {
	case got := <-r.results:
		r.results <- got
		return got
	case <-time.After(patience):
		r.t.Fatal("the bridge does not end")
		return rigResult{}
	}
}

func (r *rig) finish() {
	r.t.Helper()
	if _, err := r.answer(r.ask("shutdown", `null`)); err != nil {
		r.t.Error(err)
	}
	if err := r.client.Notify("exit", nil); err != nil {
		r.t.Error(err)
	}
	if got := r.result(); got.code != 0 || got.err != nil {
		r.t.Errorf("the bridge ends with %+v", got)
	}
}

func opened(uri, text string, version int) string {
	return fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"x","version":%d,"text":%q}}`, uri, version, text)
}

func inserted(uri string, version, column int, text string) string {
	return fmt.Sprintf(`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":0,"character":%[3]d},"end":{"line":0,"character":%[3]d}},"text":%q}]}`,
		uri, version, column, text)
}

func about(uri string) string { return fmt.Sprintf(`{"uri":%q}`, uri) }

const docA, docB = "file:///m/a", "file:///m/b"

// B1: a request that was open when its host died is answered by the next one, about the text
// that the client had when it asked; the edits behind it count for what came behind them.
func TestOpenRequestIsRepeatedAmongTheSameEdits(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.mute.Store(true)
	r.tell("textDocument/didOpen", opened(docA, "one", 1))
	r.tell("textDocument/didChange", inserted(docA, 2, 3, " two"))
	slow := r.ask("slow", about(docA))
	r.tell("textDocument/didChange", inserted(docA, 3, 0, "zero "))
	r.want(r.ask("text", about(docA)), `"3 zero one two"`)
	r.heard(h, "slow")
	r.mute.Store(false)
	h.kill()
	r.want(slow, `"2 one two"`)
	r.want(r.ask("text", about(docA)), `"3 zero one two"`)
	got := r.heard(r.host(2), "text ")
	if n := countParts(got, "text "); n != 1 {
		t.Errorf("what was answered is repeated: %q", got)
	}
	if h := r.host(2); !strings.HasPrefix(got[0], "initialize ") || countParts(got, "initialized") != 1 || countParts(got, "rootUri") != 1 {
		t.Errorf("%q", h.got)
	}
	r.finish()
}

// What is sent while there is no host is kept in its order.
func TestEditsWithoutAHost(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.tell("textDocument/didOpen", opened(docA, "", 1))
	r.want(r.ask("text", about(docA)), `"1 "`)
	r.mu.Lock() // holds the connector
	h.die()
	for i := range 200 {
		r.tell("textDocument/didChange", inserted(docA, 2+i, i, string(rune('a'+i%26))))
	}
	asked := r.ask("text", about(docA))
	r.tell("textDocument/didClose", `{"textDocument":{"uri":"file:///m/a"}}`)
	r.mu.Unlock()
	want := ""
	for i := range 200 {
		want += string(rune('a' + i%26))
	}
	r.want(asked, fmt.Sprintf("%q", "201 "+want))
	r.want(r.ask("text", about(docA)), `"not open"`)
	r.finish()
}

// B3: what was cancelled is answered so, and not repeated; neither is what hosts die of.
func TestRequestsThatAreNotRepeated(t *testing.T) {
	r := newRig(t)
	r.begin()
	r.mute.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	deadly := r.ask("slow", about(docA))
	cancelled := r.ask("slow", about(docB))
	r.heard(r.host(1), docB)
	cancel()
	if err := cancelled.Wait(ctx, nil); !errors.Is(err, context.Canceled) { // tells the host
		t.Error(err)
	}
	r.want(r.ask("text", about("behind")), `"not open"`) // so the cancellation has come, too
	for n := 1; n <= triesMax; n++ {
		h := r.host(n)
		r.heard(h, docA)
		if n > 1 && countParts(h.got, docB) > 0 {
			t.Error("a cancelled request is repeated")
		}
		h.kill()
	}
	r.wantCode(deadly, int(jsonrpc2.InternalError))
	r.want(r.ask("text", about(docA)), `"not open"`)
	r.finish()
}

// A request that no host has yet is cancelled by the bridge.
func TestCancelWithoutAHost(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.mu.Lock()
	h.kill()
	r.b.mu.Lock()
	for r.b.link != nil {
		r.b.change.Wait()
	}
	r.b.mu.Unlock()
	p := r.ask("text", about(docA))
	r.tell("$/cancelRequest", `{"id":2}`) // initialize was 1
	r.mu.Unlock()
	r.wantCode(p, int(protocol.CodeRequestCancelled))
	r.finish()
}

// B3: a request behind which too much has come cannot be repeated; the log stays small.
func TestLogIsBounded(t *testing.T) {
	defer func(n int) { logBytesMax = n }(logBytesMax)
	logBytesMax = 4 << 10
	r := newRig(t)
	h := r.begin()
	r.mute.Store(true)
	r.tell("textDocument/didOpen", opened(docA, "", 1))
	slow := r.ask("slow", about(docA))
	for i := range 100 {
		r.tell("textDocument/didChange", inserted(docA, 2+i, 0, "x"))
	}
	r.want(r.ask("text", about(docA)), fmt.Sprintf("%q", "101 "+strings.Repeat("x", 100)))
	h.kill()
	r.wantCode(slow, int(protocol.CodeContentModified))
	r.want(r.ask("text", about(docA)), fmt.Sprintf("%q", "101 "+strings.Repeat("x", 100)))
	r.finish()
}

// A document that is out of sync is so at the next host.
func TestOutOfSyncStaysSo(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.tell("textDocument/didOpen", opened(docA, "one", 1))
	r.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a","version":2},"contentChanges":[{"range":{"start":{"line":9,"character":0},"end":{"line":9,"character":0}},"text":"x"}]}`)
	r.tell("textDocument/didChange", inserted(docA, 3, 0, "y"))
	r.wantCode(r.ask("text", about(docA)), int(dispatch.RequestFailed))
	h.kill()
	r.wantCode(r.ask("text", about(docA)), int(dispatch.RequestFailed))
	r.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a","version":4},"contentChanges":[{"text":"whole"}]}`)
	r.want(r.ask("text", about(docA)), `"4 whole"`)
	r.host(2).kill()
	r.want(r.ask("text", about(docA)), `"4 whole"`)
	r.finish()
}

// So is one whose change could not be understood, and what a host has refused is not told to the
// next.
func TestUnreadableChangeIsNotForgotten(t *testing.T) {
	for _, bad := range [][2]string{
		{"textDocument/didChange", `{"textDocument":{"uri":"file:///m/a","version":2},"contentChanges":[{"text":7}]}`},
		{"textDocument/didOpen", `{"textDocument":{"uri":"file:///m/a","version":2,"text":7}}`},
	} {
		r := newRig(t)
		h := r.begin()
		r.tell("textDocument/didOpen", opened(docA, "one", 1))
		r.tell(bad[0], bad[1])
		r.wantCode(r.ask("text", about(docA)), int(dispatch.RequestFailed))
		for n := 2; n < 4; n++ {
			h.kill()
			r.wantCode(r.ask("text", about(docA)), int(dispatch.RequestFailed))
			h = r.host(n)
		}
		r.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a","version":4},"contentChanges":[{"text":"whole"}]}`)
		r.want(r.ask("text", about(docA)), `"4 whole"`)
		r.finish()
	}
}

// What is no UTF-8 is refused by a host, and is not in the state either.
func TestStateTakesNoBrokenText(t *testing.T) {
	s := state{}
	s.begin(&message{accepted: []byte(`{}`), body: []byte(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)})
	notify := func(method, params string) {
		s.take([]*message{classify(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":%s}`, method, params))})
	}
	notify("textDocument/didOpen", opened(docA, "one", 1))
	notify("textDocument/didOpen", "{\"textDocument\":{\"uri\":\""+docB+"\",\"languageId\":\"x\",\"version\":1,\"text\":\"\xff\"}}")
	notify("textDocument/didChange", "{\"textDocument\":{\"uri\":\""+docA+"\",\"version\":2},\"contentChanges\":[{\"text\":\"\xff\"}]}")
	if d, ok := s.docs.Get(docA); !ok || !errors.Is(d.Err(), document.ErrOutOfSync) || s.unfit[docA] == nil {
		t.Errorf("%+v, %s", d, s.unfit[docA])
	}
	if d, ok := s.docs.Get(docB); ok {
		t.Errorf("%+v", d)
	}
}

// The next host is told of everything else that the client has said to last, and of what it
// shows.
func TestStateIsReplayed(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.tell("$/setTrace", `{"value":"off"}`)
	r.tell("$/setTrace", `{"value":"verbose"}`)
	r.tell("workspace/didChangeConfiguration", `{"settings":1}`)
	folders := func(added, removed string) string {
		list := func(names string) string {
			var out []string
			for _, name := range strings.Fields(names) {
				out = append(out, fmt.Sprintf(`{"uri":"file:///%[1]s","name":%[1]q}`, name))
			}
			return "[" + strings.Join(out, ",") + "]"
		}
		return fmt.Sprintf(`{"event":{"added":%s,"removed":%s}}`, list(added), list(removed))
	}
	r.tell("workspace/didChangeWorkspaceFolders", folders("x y", "m"))
	r.tell("workspace/didChangeWorkspaceFolders", folders("z", "x"))
	r.tell("textDocument/didOpen", opened(docA, "one", 1))
	r.want(r.ask("text", about(docA)), `"1 one"`)
	for _, d := range []string{docA, docB, docB} {
		list := `[{}]`
		if countParts([]string{d}, "b") > 0 && r.countTold(docB) > 0 {
			list = `[]`
		}
		if err := h.Notify("textDocument/publishDiagnostics", json.RawMessage(fmt.Sprintf(`{"uri":%q,"diagnostics":%s}`, d, list))); err != nil {
			t.Fatal(err)
		}
		r.awaitTold(d, 1)
	}
	r.awaitTold(docB, 2)
	h.kill()
	r.want(r.ask("text", about(docA)), `"1 one"`)
	got := r.heard(r.host(2), "text ")
	want := []string{
		"initialize ", "initialized ", `$/setTrace {"value":"verbose"}`, `workspace/didChangeConfiguration {"settings":1}`,
		"workspace/didChangeWorkspaceFolders " + folders("y z", "m"), `cytisus/resumed {"shown":["file:///m/a"]}`, "textDocument/didOpen ", "text ",
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("the next host is told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.finish()
}

// B2, B4: requests of several hosts have ids of their own towards the client, and an answer
// goes to the host that asked, or nowhere.
func TestHostsAsk(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.mu.Lock()
	r.hold = true
	r.mu.Unlock()
	if _, err := h.Start("host/asks", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	r.awaitTold("host/asks 1", 1)
	h.kill()
	second := r.host(2)
	r.b.mu.Lock()
	if n := len(r.b.asks); n != 0 {
		t.Errorf("%d requests of a dead host are remembered", n)
	}
	r.b.mu.Unlock()
	p, err := second.Start("host/asks", json.RawMessage(`2`))
	if err != nil {
		t.Fatal(err)
	}
	r.awaitTold("host/asks 2", 1)
	r.mu.Lock()
	r.hold = false
	r.changed()
	r.mu.Unlock()
	if err := p.Wait(t.Context(), nil); err != nil {
		t.Error(err)
	}
	r.mu.Lock()
	r.deny = true
	r.mu.Unlock()
	if err := second.Call(t.Context(), "host/asks", json.RawMessage(`3`), nil); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Error(err)
	}
	r.finish()
}

// B6: the client is not asked for what it has registered already.
func TestRegistrationsOutliveHosts(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	register := func(h *fakeHost, id, option string) {
		t.Helper()
		err := h.Call(t.Context(), "client/registerCapability", json.RawMessage(fmt.Sprintf(`{"registrations":[{"id":%q,"method":"m","registerOptions":{"o":%q}}]}`, id, option)), nil)
		if err != nil {
			t.Error(err)
		}
	}
	register(h, "files", "a")
	h.kill()
	second := r.host(2)
	r.heard(second, "resumed")
	register(second, "files", "a")
	if n := r.countTold("client/registerCapability"); n != 1 {
		t.Errorf("registered %d times", n)
	}
	register(second, "files", "b")
	if a, b := r.countTold("client/registerCapability"), r.countTold("client/unregisterCapability"); a != 2 || b != 1 {
		t.Errorf("registered %d times, unregistered %d times", a, b)
	}
	r.mu.Lock()
	r.deny = true
	r.mu.Unlock()
	if second.Call(t.Context(), "client/registerCapability", json.RawMessage(`{"registrations":[{"id":"no","method":"m"}]}`), nil) == nil {
		t.Error("a refusal is lost")
	}
	r.mu.Lock()
	r.deny = false
	r.mu.Unlock()
	second.kill()
	r.heard(r.host(3), "resumed")
	register(r.host(3), "no", "a") // what was refused is asked for again
	if n := r.countTold(`"no"`); n != 2 {
		t.Errorf("asked %d times", n)
	}
	r.finish()
}

// B5: progress of a dead host ends, names are not used twice, and what a request is shown on
// begins once.
func TestProgressTokens(t *testing.T) {
	r := newRig(t)
	h := r.begin()
	r.mute.Store(true)
	create := func(h *fakeHost) {
		t.Helper()
		if err := h.Call(t.Context(), "window/workDoneProgress/create", json.RawMessage(`{"token":"index-1"}`), nil); err != nil {
			t.Fatal(err)
		}
	}
	say := func(h *fakeHost, token, value string) {
		t.Helper()
		if err := h.Notify("$/progress", json.RawMessage(fmt.Sprintf(`{"token":%s,"value":%s}`, token, value))); err != nil {
			t.Fatal(err)
		}
	}
	slow := r.ask("slow", `{"uri":"x","workDoneToken":7}`)
	r.heard(h, "slow")
	create(h)
	say(h, `"index-1"`, `{"kind":"begin","title":"Indexing"}`)
	say(h, `7`, `{"kind":"begin","title":"Looking","percentage":10}`)
	say(h, `7`, `{"kind":"report","percentage":60}`)
	r.awaitTold(`"percentage":60`, 1)
	h.kill()
	r.awaitTold(`{"token":"index-1","value":{"kind":"end"}}`, 1)
	second := r.host(2)
	create(second)
	r.awaitTold(`{"token":"index-1#2"}`, 1)
	say(second, `"index-1"`, `{"kind":"begin","title":"Indexing"}`)
	r.awaitTold(`{"token":"index-1#2","value":{"kind":"begin"`, 1)
	r.heard(second, "slow")
	say(second, `7`, `{"kind":"begin","title":"Looking","percentage":10}`)
	say(second, `7`, `{"kind":"report","percentage":30}`)
	say(second, `7`, `{"kind":"report","percentage":70}`)
	r.awaitTold(`"percentage":70`, 1)
	if n := r.countTold(`"percentage":60`); n != 3 || r.countTold("Looking") != 1 || r.countTold(`"percentage":30`) != 0 {
		t.Errorf("%q", r.told)
	}
	r.tell("window/workDoneProgress/cancel", `{"token":"index-1#2"}`)
	r.heard(second, `window/workDoneProgress/cancel {"token":"index-1"}`)
	second.kill()
	r.heard(r.host(3), "slow")
	r.host(3).kill()
	r.wantCode(slow, int(jsonrpc2.InternalError))
	r.awaitTold(`{"token":7,"value":{"kind":"end"}}`, 1)
	r.finish()
}

// The ways in which a client ends, with a host and without.
func TestClientEnds(t *testing.T) {
	t.Run("exit alone", func(t *testing.T) {
		r := newRig(t)
		r.begin()
		if err := r.client.Notify("exit", nil); err != nil {
			t.Fatal(err)
		}
		if got := r.result(); got.code != 1 || got.err != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("input ends", func(t *testing.T) {
		r := newRig(t)
		h := r.begin()
		p := r.ask("text", about(docA))
		r.heard(h, "text ")
		if err := r.raw.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		r.want(p, `"not open"`)
		if got := r.result(); got.code != 1 || got.err != nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("host dies after shutdown", func(t *testing.T) {
		r := newRig(t)
		h := r.begin()
		if _, err := r.answer(r.ask("shutdown", `null`)); err != nil {
			t.Fatal(err)
		}
		early := r.ask("text", about(docA))
		h.kill()
		_, _ = r.answer(early) // an error of one of the two
		r.b.mu.Lock()
		for r.b.link != nil {
			r.b.change.Wait()
		}
		r.b.mu.Unlock()
		r.wantCode(r.ask("text", about(docA)), int(jsonrpc2.InvalidRequest)) // there is no host to say so
		if err := r.client.Notify("exit", nil); err != nil {
			t.Fatal(err)
		}
		if got := r.result(); got.code != 0 || got.err != nil || len(r.allHosts()) != 1 {
			t.Errorf("%+v with %d hosts", got, len(r.allHosts()))
		}
	})
	t.Run("gone while there is no host", func(t *testing.T) {
		hold := make(chan struct{})
		near, far := Pipe()
		b := NewBridge(far, func(ctx context.Context, _ int) (Link, error) {
			close(hold)
			<-ctx.Done()
			return Link{}, context.Cause(ctx)
		}, Options{})
		done := make(chan error, 1)
		go func() { _, err := b.Run(t.Context()); done <- err }()
		go io.Copy(io.Discard, near)
		<-hold
		if err := near.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("context ends", func(t *testing.T) {
		near, far := Pipe()
		go io.Copy(io.Discard, near)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("logging out")
		host, other := Pipe()
		go io.Copy(io.Discard, other)
		b := NewBridge(far, func(context.Context, int) (Link, error) { cancel(why); return Link{Conn: host}, nil }, Options{})
		if code, err := b.Run(ctx); !errors.Is(err, why) || code != 1 {
			t.Error(code, err)
		}
		near.Close()
	})
}

// No host can be had any more: all is answered, and the client told why.
func TestTakeoverFails(t *testing.T) {
	t.Run("the connector fails", func(t *testing.T) {
		r := newRig(t)
		h := r.begin()
		r.mute.Store(true)
		slow := r.ask("slow", about(docA))
		r.heard(h, "slow")
		r.mu.Lock()
		r.fail = errors.New("no store, no memory")
		r.mu.Unlock()
		h.kill()
		r.wantCode(slow, int(dispatch.ServerCancelled))
		r.awaitTold("no store, no memory", 1)
		if got := r.result(); !errors.Is(got.err, ErrHostLost) || got.code != 1 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("hosts die while they are told", func(t *testing.T) {
		r := newRig(t)
		h := r.begin()
		r.refuse.Store(true)
		h.kill()
		if got := r.result(); !errors.Is(got.err, ErrHostLost) {
			t.Errorf("%+v", got)
		}
		if n := len(r.allHosts()); n != 1+linksMax {
			t.Errorf("%d hosts", n)
		}
	})
}

// A notice about a host waits for the answer to initialize.
func TestNotice(t *testing.T) {
	r := newRig(t)
	r.mu.Lock()
	r.notice = "from memory"
	r.mu.Unlock()
	h := r.begin()
	h.kill()
	r.awaitTold("from memory", 1)
	r.finish()
}

// What is no message is answered by a host as ever; an id in use and a broken frame are
// answered at once.
func TestMalformedMessagesOnABridge(t *testing.T) {
	near, far := Pipe()
	r := &rig{t: t, change: make(chan struct{})}
	b := NewBridge(far, r.connect, Options{})
	done := make(chan error, 1)
	go func() { _, err := b.Run(t.Context()); done <- err }()
	in := dispatch.NewMessages(near, dispatch.Options{})
	say := func(body string) {
		t.Helper()
		if _, err := near.Write(dispatch.AppendMessage(nil, []byte(body))); err != nil {
			t.Fatal(err)
		}
	}
	next := func(parts ...string) {
		t.Helper()
		body, err := in.Next()
		for _, part := range parts {
			if err != nil || !strings.Contains(string(body), part) {
				t.Fatalf("%s, %v; want %s in it", body, err, part)
			}
		}
	}
	say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
	next(`"id":1`, "capabilities")
	say(`{nonsense`)
	next(`"id":null`, "-32700")
	say(`[]`)
	next(`"id":null`, "-32600")
	say(`{"jsonrpc":"2.0","id":"a","method":"nothing"}`)
	next(`"id":"a"`, "-32601")
	r.mute.Store(true)
	say(`{"jsonrpc":"2.0","id":"b","method":"slow","params":{"uri":"x"}}`)
	say(`{"jsonrpc":"2.0","id":"b","method":"slow","params":{"uri":"x"}}`)
	next(`"id":"b"`, "in use")
	say(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"b"}}`)
	next(`"id":"b"`, "-32800")
	say(`{"jsonrpc":"2.0","id":99,"result":null}`) // nobody asked
	if _, err := io.WriteString(near, "nonsense\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	next(`"id":null`, "-32700")
	if err := <-done; err != nil {
		t.Error(err)
	}
	near.Close()
	for _, h := range r.allHosts() {
		<-h.gone
	}
}

// Any history of edits and questions, with hosts that die in the middle of it, gives the
// answers that one host would have given.
func TestTakeoversAgainstOneHost(t *testing.T) {
	seed := *bridgeSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -bridge.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		r := newRig(t)
		r.begin()
		docs := document.NewStore(position.UTF8, 0)
		var asked []*dispatch.Pending
		var want []string
		kills := 0
		for step := range 300 {
			uri := fmt.Sprintf("file:///m/%d", rng.IntN(3))
			d, open := docs.Get(uri)
			switch n := rng.IntN(20); {
			case !open:
				text := strings.Repeat("line\n", rng.IntN(4))
				r.tell("textDocument/didOpen", opened(uri, text, step))
				_, _, _ = docs.Open(uri, "x", int32(step), text)
			case n == 0:
				r.tell("textDocument/didClose", fmt.Sprintf(`{"textDocument":{"uri":%q}}`, uri))
				_, _ = docs.Close(uri)
			case n < 10:
				version := step
				if rng.IntN(20) == 0 {
					version = 0 // goes back: out of sync from here
				}
				params := inserted(uri, version, rng.IntN(3), string(rune('a'+step%26)))
				if d.Err() != nil {
					params = fmt.Sprintf(`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"text":"whole"}]}`, uri, step)
				}
				r.tell("textDocument/didChange", params)
				edit, err := document.DecodeEdit([]byte(params))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = docs.Change(edit) // or it is out of sync
			case n < 18:
				asked = append(asked, r.ask("text", about(uri)))
				answer := fmt.Sprintf("%q", fmt.Sprint(d.Version(), " ", string(d.Text())))
				if d.Err() != nil {
					answer = ""
				}
				want = append(want, answer)
			case n == 18:
				hosts := r.allHosts()
				hosts[len(hosts)-1].die()
				kills++
			default: // let the bridge come to rest
				for i, p := range asked {
					check(t, r, p, want[i])
				}
				asked, want = nil, nil
			}
		}
		for i, p := range asked {
			check(t, r, p, want[i])
		}
		r.finish()
		if t.Failed() {
			t.Fatalf("with %d kills", kills)
		}
	}
}

func check(t *testing.T, r *rig, p *dispatch.Pending, want string) {
	t.Helper()
	got, err := r.answer(p)
	if got != want || (err != nil) != (want == "") {
		if wire, ok := errors.AsType[*jsonrpc2.Error](err); ok && wire.Code == jsonrpc2.InternalError {
			return // three hosts have died with it
		}
		t.Errorf("answer %s, %v; one host would have said %s", got, err, want)
	}
}
