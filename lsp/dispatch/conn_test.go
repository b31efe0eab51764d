package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

func TestLifecycle(t *testing.T) {
	w := start(t, lifecycle(nil), Options{Lifecycle: true})
	w.send(call(1, "echo", "[]"))
	w.wantCode("1", -32002, "echo came before initialize")
	w.send(note("echo", "[]"), call(2, "initialize", "{}"))
	w.want(result(2, "null"))
	w.send(call(3, "initialize", "{}"))
	w.wantCode("3", -32600, "initialize came twice")
	w.send(call("four", "echo", `{"x":1}`))
	w.want(result("four", `{"x":1}`))
	w.send(call(5, "nothing/here", "{}"))
	w.wantCode("5", -32601, `method "nothing/here" is not supported`)
	w.send(note("nothing/here", "{}"), note("$/whatever", "{}"), call(6, "$/whatever", "{}"))
	w.wantCode("6", -32601)
	w.send(call(7, "shutdown", ""))
	w.want(result(7, "null"))
	w.send(note("echo", "1"), call(8, "echo", "1"))
	w.wantCode("8", -32600, "echo came after shutdown")
	w.send(note("exit", ""))
	if code, err := w.end(); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func TestFailedInitializeMayBeRepeated(t *testing.T) {
	tries := 0
	w := start(t, lifecycle(map[string]Handler{"initialize": func(context.Context, *Request) (Outcome, error) {
		if tries++; tries == 1 {
			return Done, errors.New("not yet")
		}
		return Done, nil
	}}), Options{Lifecycle: true})
	w.send(call(1, "initialize", "{}"))
	w.wantCode("1", int(RequestFailed), "not yet")
	w.send(call(2, "echo", "1"))
	w.wantCode("2", -32002)
	w.send(call(3, "initialize", "{}"), call(4, "echo", "1"))
	w.want(result(3, "null"), result(4, "1"))
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		send []string
		code int
	}{
		{"exit alone", []string{note("exit", "")}, 1},
		{"exit without shutdown", []string{call(1, "initialize", "{}"), note("exit", "")}, 1},
		{"in one go", []string{call(1, "initialize", "{}"), call(2, "shutdown", ""), note("exit", "")}, 0},
		{"end of input", []string{call(1, "initialize", "{}")}, 1},
		{"end of input after shutdown", []string{call(1, "initialize", "{}"), call(2, "shutdown", "")}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, lifecycle(nil), Options{Lifecycle: true})
			w.send(c.send...)
			if !strings.Contains(c.send[len(c.send)-1], "exit") {
				for range c.send {
					w.next()
				}
				w.client.Close()
			}
			if code, err := w.end(); code != c.code || err != nil {
				t.Errorf("code %d, %v; want %d", code, err, c.code)
			}
		})
	}
}

// The answer to shutdown must arrive even when exit is right behind it.
func TestShutdownIsAnsweredBeforeExit(t *testing.T) {
	w := start(t, lifecycle(nil), Options{Lifecycle: true})
	w.send(call(1, "initialize", "{}"), call(2, "shutdown", ""), note("exit", ""))
	w.want(result(1, "null"), result(2, "null"), "<end>")
}

// Requests see exactly the edits that came before them (T0), although they run beside
// later edits and in any order.
func TestRequestsSeeTheTextOfTheirTicket(t *testing.T) {
	var version int // touched in turns only: the race detector checks T0
	handlers := map[string]Handler{
		"edit": func(context.Context, *Request) (Outcome, error) {
			version++
			return Done, nil
		},
		"ask": func(context.Context, *Request) (Outcome, error) {
			seen := version
			return Later(func(context.Context) (any, error) {
				for range seen % 7 {
					runtime.Gosched()
				}
				return protocol.Integer(seen), nil
			}), nil
		},
	}
	w := start(t, handlers, Options{MaxRequests: 1 << 20})
	const messages = 6000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	want := map[int]int{}
	edits := 0
	for id := range messages {
		if r.IntN(2) == 0 {
			edits++
			w.send(note("edit", "{}"))
			continue
		}
		want[id] = edits
		w.send(call(id, "ask", "{}"))
	}
	for range len(want) {
		var m struct{ ID, Result int }
		if got := w.next(); json.Unmarshal([]byte(got), &m) != nil || want[m.ID] != m.Result {
			t.Fatalf("got %s, want %d", got, want[m.ID])
		}
	}
}

// A request that was cancelled while it waited for its turn has its answer, and its handler is not
// called: an edit that a client takes back is not made.
func TestCancelledBeforeItsTurn(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var called atomic.Int64
	w := start(t, map[string]Handler{
		"slow turn": func(context.Context, *Request) (Outcome, error) {
			close(begun)
			<-release
			return Done, nil
		},
		"edit": func(context.Context, *Request) (Outcome, error) { called.Add(1); return Done, nil },
		"echo": echo,
	}, Options{})
	w.send(note("slow turn", ""))
	<-begun
	w.send(call(1, "edit", ""), call(2, "edit", ""), note("$/cancelRequest", `{"id":1}`))
	w.wantCode("1", -32800)
	close(release)
	w.want(result(2, "null"))
	w.send(call(3, "echo", "3"))
	w.want(result(3, "3"))
	if n := called.Load(); n != 1 {
		t.Errorf("of two edits one was cancelled before its turn, and %d were made", n)
	}
	w.client.Close()
	w.end()
}

func TestCancel(t *testing.T) {
	begun, release := make(chan struct{}, 1), make(chan struct{})
	var cause, turn atomic.Value
	handlers := map[string]Handler{
		"deaf": func(context.Context, *Request) (Outcome, error) {
			return Later(func(ctx context.Context) (any, error) {
				begun <- struct{}{}
				<-release // does not look at ctx: the answer must not wait for it
				cause.Store(context.Cause(ctx))
				return protocol.Integer(1), nil
			}), nil
		},
		"slow turn": func(ctx context.Context, _ *Request) (Outcome, error) {
			turn.Store(ctx)
			begun <- struct{}{}
			<-ctx.Done()
			return Done, ctx.Err()
		},
		"echo": echo,
	}
	w := start(t, handlers, Options{})
	w.send(call(1, "deaf", ""))
	<-begun
	w.send(note("$/cancelRequest", `{"id":1}`))
	w.wantCode("1", -32800, "cancelled by the client")
	close(release)

	// Out of band: the turn is taken, the cancellation gets through, also to what waits.
	w.send(call("a", "slow turn", ""))
	<-begun
	w.send(call("b", "echo", "1"), note("$/cancelRequest", `{"id":"b"}`))
	w.wantCode(`"b"`, -32800)
	w.send(note("$/cancelRequest", `{"id":"a"}`))
	w.wantCode(`"a"`, -32800)
	if turn.Load().(context.Context).Err() == nil {
		t.Fatal("a request is answered as cancelled, and its context goes on")
	}

	// Unknown, answered and malformed ones are ignored.
	w.send(note("$/cancelRequest", `{"id":1}`), note("$/cancelRequest", `{"id":77}`), note("$/cancelRequest", `{"id":{}}`),
		note("$/cancelRequest", ""), note("$/cancelRequest", `{"id":null}`), call(2, "echo", "2"))
	w.want(result(2, "2"))
	w.client.Close()
	w.end()
	if c, _ := cause.Load().(error); !errors.Is(c, ErrCancelled) {
		t.Errorf("cause %v", c)
	}
	if s := w.conn.Stats(); s.Cancelled != 3 || s.Answered != 1 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
}

// Handlers that wait for the client must never keep the reader from delivering what
// they wait for.
func TestReaderNeverWaitsForHandlers(t *testing.T) {
	const n = 500
	var conn atomic.Pointer[Conn]
	handlers := map[string]Handler{
		"ask back": func(context.Context, *Request) (Outcome, error) {
			return Later(func(ctx context.Context) (any, error) {
				var got protocol.Integer
				err := conn.Load().Call(ctx, "client/value", nil, &got)
				return got, err
			}), nil
		},
		"in turn": func(ctx context.Context, _ *Request) (Outcome, error) {
			return Done, conn.Load().Call(ctx, "client/value", nil, nil)
		},
	}
	w := start(t, handlers, Options{})
	conn.Store(w.conn)
	w.send(call("turn", "in turn", ""))
	w.wantCode(`"turn"`, int(RequestFailed), "a turn must not wait") // T2
	for i := range n {
		w.send(call(i, "ask back", ""))
	}
	var asked []json.RawMessage
	for range n { // all ask before anyone is answered
		var m struct{ ID json.RawMessage }
		if err := json.Unmarshal([]byte(w.next()), &m); err != nil {
			t.Fatal(err)
		}
		asked = append(asked, m.ID)
	}
	for _, id := range asked {
		w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":7}`, id))
	}
	for range n {
		if got := w.next(); !strings.HasSuffix(got, `"result":7}`) {
			t.Fatal(got)
		}
	}
	w.send(`{"jsonrpc":"2.0","id":99999,"result":1}`, `{"jsonrpc":"2.0","id":"x","result":1}`, `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}`)
}

func TestCallErrors(t *testing.T) {
	w := start(t, nil, Options{})
	fails := make(chan error, 1)
	go func() { fails <- w.conn.Call(t.Context(), "x", nil, nil) }()
	w.want(`{"jsonrpc":"2.0","method":"x","id":1}`)
	w.send(`{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"no"}}`)
	if err := <-fails; !errors.Is(err, &jsonrpc2.Error{Code: -5}) || !strings.Contains(err.Error(), "calling x: no") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { fails <- w.conn.Call(ctx, "y", nil, nil) }()
	w.next()
	cancel(errors.New("changed my mind"))
	if err := <-fails; err == nil || !strings.Contains(err.Error(), "changed my mind") {
		t.Error(err)
	}
	w.want(note("$/cancelRequest", `{"id":2}`))
	w.send(`{"jsonrpc":"2.0","id":2,"result":1}`) // late: dropped
	go func() { fails <- w.conn.Call(t.Context(), "z", nil, nil) }()
	w.next()
	w.client.Close()
	if err := <-fails; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	w.end()
	if err := w.conn.Call(t.Context(), "z", nil, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := w.conn.Notify("z", nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestPanics(t *testing.T) {
	reported := make(chan string, 8)
	handlers := map[string]Handler{
		"turn": func(context.Context, *Request) (Outcome, error) { panic("in turn") },
		"work": func(context.Context, *Request) (Outcome, error) {
			return Later(func(context.Context) (any, error) { panic(errors.New("in work")) }), nil
		},
		"encode": func(context.Context, *Request) (Outcome, error) { return Now(make(chan int)), nil },
		"echo":   echo,
	}
	w := start(t, handlers, Options{OnError: func(method string, err error) { reported <- method + ": " + err.Error() }})
	w.send(call(1, "turn", ""))
	w.wantCode("1", -32603, "turn panicked: in turn")
	w.send(call(2, "work", ""))
	w.wantCode("2", -32603, "in work")
	w.send(note("turn", ""), note("work", ""), call(3, "encode", ""))
	w.wantCode("3", -32603, "encoding the result")
	w.send(call(4, "echo", "4"))
	w.want(result(4, "4"))
	for range 4 {
		if got := <-reported; !strings.Contains(got, " panicked: in ") {
			t.Error(got)
		}
	}
	if s := w.conn.Stats(); s.Panicked != 4 {
		t.Errorf("%+v", s)
	}
}

func TestIDsAndLimits(t *testing.T) {
	release := make(chan struct{})
	wait := func(context.Context, *Request) (Outcome, error) {
		return Later(func(context.Context) (any, error) { <-release; return protocol.Integer(1), nil }), nil
	}
	w := start(t, map[string]Handler{"wait": wait, "echo": echo}, Options{MaxRequests: 2})
	w.send(call(1, "wait", ""), call(1, "echo", "1"))
	w.wantCode("1", -32600, "id 1 is in use")
	w.send(call("1", "echo", "2")) // a string is another id
	w.want(result("1", "2"))
	w.send(call(2, "wait", ""), call(3, "echo", "3"))
	w.wantCode("3", int(RequestFailed), "too many requests are open: at most 2")
	close(release)
	w.next()
	w.next()
	w.send(call(1, "echo", "4"))
	w.want(result(1, "4"))
}

// A result that is ready when the input ends is still delivered; a script may pipe its
// requests in.
func TestEndOfInputDrains(t *testing.T) {
	in := strings.NewReader(string(appendFrame(appendFrame(nil, []byte(call(1, "later", ""))), []byte(call(2, "later", "")))))
	var out strings.Builder
	c := New(stdio(in, nopCloser{&out}), map[string]Handler{"later": func(context.Context, *Request) (Outcome, error) {
		return Later(func(context.Context) (any, error) { return protocol.Integer(1), nil }), nil
	}}, Options{})
	if code, err := c.Run(t.Context()); code != 1 || err != nil {
		t.Error(code, err)
	}
	if n := strings.Count(out.String(), `"result":1`); n != 2 {
		t.Errorf("%d answers: %s", n, out.String())
	}
}

type nopCloser struct{ *strings.Builder }

func (nopCloser) Close() error { return nil }

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := make(chan struct{})
	w := startContext(t, ctx, map[string]Handler{"wait": func(context.Context, *Request) (Outcome, error) {
		return Later(func(ctx context.Context) (any, error) { close(begun); <-ctx.Done(); return nil, ctx.Err() }), nil
	}}, Options{})
	w.send(call(1, "wait", ""))
	<-begun
	why := errors.New("idle for an hour")
	cancel(why)
	w.wantCode("1", int(ServerCancelled))
	if code, err := w.end(); code != 1 || !errors.Is(err, why) {
		t.Error(code, err)
	}
}

// A client that is carried asks another server: it is not told that its requests were given up.
func TestHangUp(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	began := make(chan struct{})
	w := startContext(t, ctx, map[string]Handler{"wait": func(context.Context, *Request) (Outcome, error) {
		return Later(func(ctx context.Context) (any, error) {
			close(began)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}), nil
	}}, Options{HangUp: true})
	w.send(call(1, "wait", ""))
	<-began
	why := errors.New("logging out")
	cancel(why)
	w.want("<end>")
	if _, err := w.end(); !errors.Is(err, why) {
		t.Error(err)
	}
}

// Nor is a notification's failure reported that is only the end: the next host takes it.
func TestHangUpReportsNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	began := make(chan struct{})
	reported := make(chan error, 1)
	w := startContext(t, ctx, map[string]Handler{"note": func(ctx context.Context, _ *Request) (Outcome, error) {
		close(began)
		<-ctx.Done()
		return Done, context.Cause(ctx)
	}}, Options{HangUp: true, OnError: func(_ string, err error) { reported <- err }})
	w.send(`{"jsonrpc":"2.0","method":"note"}`)
	<-began
	cancel(errors.New("logging out"))
	w.want("<end>")
	_, _ = w.end()
	select {
	case err := <-reported:
		t.Error(err)
	default:
	}
}

func TestAbort(t *testing.T) {
	w := start(t, map[string]Handler{"echo": echo}, Options{})
	w.send(call(1, "echo", "1"))
	w.want(result(1, "1"))
	w.conn.Abort()
	if code, err := w.end(); code != 1 || !errors.Is(err, ErrClosed) {
		t.Error(code, err)
	}
}

func TestTrace(t *testing.T) {
	w := start(t, map[string]Handler{"echo": echo}, Options{})
	w.conn.SetTrace(protocol.TraceValueVerbose)
	w.send(call(1, "echo", "1"))
	w.want(result(1, "1"))
	if got := w.next(); !strings.Contains(got, "$/logTrace") || !strings.Contains(got, "echo (ticket 1, id 1) took") || !strings.Contains(got, "params: 1 bytes") {
		t.Error(got)
	}
	w.conn.SetTrace(protocol.TraceValueOff)
	w.send(call(2, "echo", "1"), call(3, "echo", "1"))
	w.want(result(2, "1"), result(3, "1"))
}

// A client that does not read costs a bounded amount of memory and ends by itself.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		c := New(server, nil, Options{MaxOutboundBytes: 1 << 10})
		done := make(chan error, 1)
		began := time.Now()
		go func() { _, err := c.Run(context.Background()); done <- err }()
		var err error
		for range 100 {
			if err = c.Notify("telemetry/event", protocol.String(strings.Repeat("x", 100))); err != nil {
				break
			}
			synctest.Wait() // the writer has taken what it can and hangs in its write
		}
		if !errors.Is(err, ErrSlowClient) && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, ErrSlowClient) {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("waited %v for the client, want the flush timeout", waited)
		}
	})
}

func TestNotifyLatest(t *testing.T) {
	o := newOutbox(1<<20, 1<<20)
	put := func(body, key string) {
		if err := o.put([]byte(body), key); err != nil {
			t.Fatal(err)
		}
	}
	put("a1", "a")
	put("b1", "b")
	put("plain", "")
	put("a2", "a")
	put("plain", "")
	got := fmt.Sprintf("%s", o.take(nil))
	if got != "[a2 b1 plain plain]" {
		t.Error(got)
	}
	put("a3", "a") // a2 is on its way: nothing to replace
	if len(o.queue) != 1 {
		t.Fatalf("%d messages wait, want the state that is newer than the one on its way", len(o.queue))
	}
	if got := fmt.Sprintf("%s", o.take(nil)); got != "[a3]" || o.bytes != 0 {
		t.Error(got, o.bytes)
	}
}

// Edits are never dropped: when too much waits, the reader pauses until a turn ends.
func TestQueuePausesTheReader(t *testing.T) {
	gate := make(chan struct{})
	var turns atomic.Int32
	w := start(t, map[string]Handler{"edit": func(context.Context, *Request) (Outcome, error) {
		<-gate
		turns.Add(1)
		return Done, nil
	}, "echo": echo}, Options{MaxQueueBytes: 200})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 50 {
			w.send(note("edit", `"`+strings.Repeat("x", 50)+`"`))
		}
		w.send(call(1, "echo", "1"))
	}()
	for waiting := 0; waiting < 1; waiting = w.conn.Stats().Waiting {
		runtime.Gosched()
	}
	if n := w.conn.Stats().Waiting; n > 3 {
		t.Errorf("%d messages wait", n)
	}
	close(gate)
	<-sent
	w.want(result(1, "1"))
	if n := turns.Load(); n != 50 {
		t.Errorf("%d edits", n)
	}
}

func TestStuckTurnIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		var log strings.Builder
		c := New(server, map[string]Handler{"hang": func(ctx context.Context, _ *Request) (Outcome, error) {
			time.Sleep(7 * time.Second)
			return Done, nil
		}}, Options{Logger: logTo(&log)})
		done := make(chan struct{})
		go func() { defer close(done); c.Run(context.Background()) }()
		client.Write(appendFrame(nil, []byte(note("hang", ""))))
		client.Close()
		<-done
		synctest.Wait()
		if !strings.Contains(log.String(), "a turn takes long") || !strings.Contains(log.String(), "method=hang") {
			t.Error(log.String())
		}
	})
}
