package dispatch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for that must come; a busy machine takes long for little.
const patience = 2 * time.Minute

// A wire is the other end of a Conn under test: raw bytes in, raw bodies out.
type wire struct {
	t      testing.TB
	conn   *Conn
	client net.Conn
	lines  chan string // bodies the Conn wrote, in order; closed at its end
	done   chan struct{}
	code   int
	err    error
}

// start runs a Conn over a pipe and gathers what it writes.
func start(t testing.TB, handlers map[string]Handler, o Options) *wire {
	return startContext(t, t.Context(), handlers, o)
}

func startContext(t testing.TB, ctx context.Context, handlers map[string]Handler, o Options) *wire {
	client, server := net.Pipe()
	w := &wire{t: t, conn: New(server, handlers, o), client: client, lines: make(chan string, 1<<16), done: make(chan struct{})}
	go func() {
		defer close(w.lines)
		r := newFrameReader(bufio.NewReader(client), 1<<30)
		for {
			body, err := r.next()
			if err != nil {
				return
			}
			w.lines <- string(body)
		}
	}()
	go func() {
		defer close(w.done)
		w.code, w.err = w.conn.Run(ctx)
	}()
	var once sync.Once
	t.Cleanup(func() {
		once.Do(func() { client.Close() })
		<-w.done
	})
	return w
}

// raw writes bytes as they are.
func (w *wire) raw(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w.client, s); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		w.t.Fatal(err)
	}
}

// send writes framed bodies.
func (w *wire) send(bodies ...string) {
	w.t.Helper()
	for _, b := range bodies {
		w.raw(string(appendFrame(nil, []byte(b))))
	}
}

// next returns the next body the Conn writes.
func (w *wire) next() string {
	w.t.Helper()
	return w.nextOf("anything")
}

// nextOf is next where something certain is due.
func (w *wire) nextOf(due string) string {
	w.t.Helper()
	select {
	case s, ok := <-w.lines:
		if !ok {
			return "<end>"
		}
		return s
	case <-time.After(patience):
		w.t.Fatalf("the connection writes nothing, due is %s", due)
		return ""
	}
}

// want checks the next bodies.
func (w *wire) want(bodies ...string) {
	w.t.Helper()
	for _, b := range bodies {
		if got := w.nextOf(b); got != b {
			w.t.Fatalf("got  %s\nwant %s", got, b)
		}
	}
}

// wantCode checks that the next body is an error of that code that mentions words.
func (w *wire) wantCode(id string, code int, words ...string) {
	w.t.Helper()
	got := w.nextOf(fmt.Sprintf("error %d for request %s", code, id))
	var m struct {
		ID    json.RawMessage
		Error struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal([]byte(got), &m); err != nil {
		w.t.Fatalf("%s: %v", got, err)
	}
	if string(m.ID) != id || m.Error.Code != code {
		w.t.Fatalf("got %s, want id %s and code %d", got, id, code)
	}
	for _, word := range words {
		if !strings.Contains(m.Error.Message, word) {
			w.t.Fatalf("got %s, want %q in it", got, word)
		}
	}
}

// end waits for Run to return.
func (w *wire) end() (int, error) {
	w.t.Helper()
	select {
	case <-w.done:
		return w.code, w.err
	case <-time.After(patience):
		w.t.Fatal("Run does not return")
		return 0, nil
	}
}

func call(id any, method, params string) string {
	raw, _ := json.Marshal(id)
	if params != "" {
		params = `,"params":` + params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q%s}`, raw, method, params)
}

func note(method, params string) string {
	if params != "" {
		params = `,"params":` + params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":%q%s}`, method, params)
}

func result(id any, value string) string {
	raw, _ := json.Marshal(id)
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, raw, value)
}

// echo is a handler that answers with the parameters.
func echo(_ context.Context, r *Request) (Outcome, error) {
	return Now(json.RawMessage(r.Params)), nil
}

func null(context.Context, *Request) (Outcome, error) { return Done, nil }

func lifecycle(more map[string]Handler) map[string]Handler {
	all := map[string]Handler{"initialize": null, "initialized": null, "shutdown": null, "echo": echo}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// begun calls a function on a goroutine of its own. What it returns tells, when all goroutines of
// the bubble stand still, whether the function has returned.
func begun(fn func()) (returned func() bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	return func() bool {
		synctest.Wait()
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}
