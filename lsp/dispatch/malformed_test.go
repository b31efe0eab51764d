package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/protocol"
)

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// What is broken inside its frame is refused, and the connection goes on.
func TestMalformedMessages(t *testing.T) {
	for _, c := range []struct {
		raw  string
		code int
		word string
	}{
		{frame(`{`), -32700, "parse error"},
		{frame(``), -32700, ""},
		{frame(`nonsense`), -32700, "nonsense"},
		{frame(`{}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0"}`), -32600, ""},
		{frame(`{"jsonrpc":"1.0","id":1,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":1.5,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":{},"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":1,"method":7}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":1,"method":"echo","result":1}`), -32600, ""},
		{frame(`[]`), -32600, "batches"},
		{frame(` [` + call(1, "echo", "1") + `]`), -32600, "batches"},
		{frame(`{"jsonrpc":"2.0","id":null,"method":"echo"}`), -32600, "must be a number or a string, not null"},
		{frame(`{"jsonrpc":"2.0","id":1.0,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":1e2,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":true,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":99999999999999999999,"method":"echo"}`), -32600, ""},
		{frame(`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", idMax) + `","method":"echo"}`), -32600, "id has 1026 bytes, at most 1024"},
		{frame("{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"echo\"}"), -32600, "id is no string"},
		{frame("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"), -32700, "not valid UTF-8"},
		{frame("\ufeff{}"), -32700, ""},
		{frame(call(2, "echo", "1") + call(3, "echo", "1")), -32700, ""},
		{frame(`{"jsonrpc":"2.0","method":"echo","params":[1,2,}`), -32700, ""},
		{frame(`{"jsonrpc":"2.0","method":"echo","params":` + strings.Repeat("[", 500)), -32700, ""},
		{"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-16\r\n\r\n{}", -32700, "utf-16"},
	} {
		w := start(t, map[string]Handler{"echo": echo}, Options{MaxMessageBytes: 2000})
		w.raw(c.raw)
		w.wantCode("null", c.code, c.word)
		w.send(call(1, "echo", "true"))
		w.want(result(1, "true"))
		w.client.Close()
		w.end()
	}
}

// What is odd but clear is taken.
func TestForgivenFraming(t *testing.T) {
	body := call(1, "echo", "1")
	n := len(body)
	for _, raw := range []string{
		fmt.Sprintf("content-length: %d\r\n\r\n%s", n, body),
		fmt.Sprintf("Content-Length:%d\n\n%s", n, body),
		fmt.Sprintf("\r\n\r\nContent-Length: %d\r\nX-Other: 1\r\n\r\n%s", n, body),
		fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", n, n, body),
		fmt.Sprintf("Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: %d\r\n\r\n%s", n, body),
		fmt.Sprintf("Content-Type: ;;;\r\nContent-Length: %d\r\n\r\n%s", n, body),
	} {
		w := start(t, map[string]Handler{"echo": echo}, Options{})
		w.raw(raw)
		w.want(result(1, "1"))
		w.client.Close()
		w.end()
	}
}

// What is malformed but has an id is refused under that id.
func TestMalformedRequests(t *testing.T) {
	for _, c := range []struct {
		body string
		code int
		word string
	}{
		{`{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", methodMax+1) + `"}`, -32600, "method has 257 bytes, at most 256"},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\xff\"}", -32700, "not valid UTF-8"},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":\"\xff\"}", -32700, "not valid UTF-8"},
		{`{"jsonrpc":"2.0","id":7,"method":""}`, -32601, ""},
		{`{"jsonrpc":"2.0","id":7,"method":"$/cancelRequest","params":{"id":1}}`, -32601, ""},
		{`{"jsonrpc":"2.0","id":7,"method":"exit"}`, -32601, ""},
		{`{"jsonrpc":"2.0","id":7,"method":"echo","params":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, -32603, ""},
		{`{"jsonrpc":"2.0","id":7,"method":"long"}`, int(RequestFailed), strings.Repeat("x", errorTextMax) + "…"},
	} {
		w := start(t, map[string]Handler{"echo": echo, "long": func(context.Context, *Request) (Outcome, error) {
			return Done, errors.New(strings.Repeat("x", 1<<20))
		}}, Options{})
		w.send(c.body)
		w.wantCode("7", c.code, c.word)
		w.send(call(7, "echo", "true"))
		w.want(result(7, "true"))
		w.client.Close()
		w.end()
	}
}

// A notification that is no UTF-8 is refused, and its handler told: what the client says that it
// has done has happened.
func TestBrokenNotifications(t *testing.T) {
	told := make(chan error, 2)
	decode := func(r *Request) error {
		var v any
		err := r.Decode(&v)
		told <- err
		return err
	}
	w := start(t, map[string]Handler{"echo": echo, "note": func(_ context.Context, r *Request) (Outcome, error) { return Done, decode(r) }},
		Options{Runs: map[string]RunHandler{"run": func(_ context.Context, run []*Request) []error { return []error{decode(run[0])} }}})
	for _, method := range []string{"note", "run"} {
		w.send("{\"jsonrpc\":\"2.0\",\"method\":\"" + method + "\",\"params\":[\"\xff\"]}")
		w.wantCode("null", -32700, "not valid UTF-8")
		if err := <-told; err == nil || !strings.Contains(err.Error(), "not valid UTF-8") {
			t.Errorf("%s: its handler is told %v", method, err)
		}
	}
	w.send(call(7, "echo", "true"))
	w.want(result(7, "true"))
	w.client.Close()
	w.end()
}

// A message over the limit ends the connection before any of it has come, and with a word about
// it: what follows would be swallowed without one.
func TestTooLongEndsAtOnce(t *testing.T) {
	for _, length := range []string{"1001", "4000", "99999999999", "4611686018427387903"} {
		w := start(t, map[string]Handler{"echo": echo}, Options{MaxMessageBytes: 1000})
		w.raw("Content-Length: " + length + "\r\n\r\n")
		w.wantCode("null", -32700, "message too long: Content-Length is "+length+", the limit is 1000 bytes")
		w.want("<end>")
		if code, err := w.end(); code != 1 || !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: %d, %v", length, code, err)
		}
	}
	w := start(t, map[string]Handler{"echo": echo}, Options{MaxMessageBytes: 1000})
	body := call(1, "echo", `"`+strings.Repeat("x", 900)+`"`)
	w.send(body + strings.Repeat(" ", 1000-len(body)))
	if got := w.next(); !strings.Contains(got, "xxx") {
		t.Errorf("a message at the limit: %s", got)
	}
}

// Requests of the lifecycle without an id are no requests: they change nothing.
func TestLifecycleNeedsAnID(t *testing.T) {
	served := 0
	count := func(context.Context, *Request) (Outcome, error) { served++; return Done, nil }
	w := start(t, lifecycle(map[string]Handler{"initialize": count, "shutdown": count}), Options{Lifecycle: true})
	w.send(note("initialize", "{}"), call(1, "echo", "1"))
	w.wantCode("1", -32002)
	w.send(call(2, "initialize", "{}"), note("shutdown", ""), call(3, "echo", "3"))
	w.want(result(2, "null"), result(3, "3"))
	w.send(note("exit", ""))
	if code, err := w.end(); code != 1 || err != nil || served != 1 {
		t.Errorf("exit code %d, %v, %d served", code, err, served)
	}
}

// A header without a usable length loses the input: one refusal, then the end.
func TestLostFraming(t *testing.T) {
	for _, raw := range []string{
		"Content-Length: -1\r\n\r\n", "Content-Length: x\r\n\r\n", "Content-Length:\r\n\r\n", "Content-Length: 1e3\r\n\r\n",
		"Content-Length: 99999999999999999999999\r\n\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"Content-Length: +2\r\n\r\n{}", "Content-Length: 0x2\r\n\r\n{}", "Content-Length: 2, 2\r\n\r\n{}", "Content-Length: 1_0\r\n\r\n",
		"Content-Length: 9223372036854775808\r\n\r\n", "Content-Length: 2\x00\r\n\r\n{}", "Content-Length 2\r\n\r\n{}", "\xff\xfeC\x00o\x00\r\n",
		"X: 1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", `{"jsonrpc":"2.0","method":"x"}` + "\n\n", strings.Repeat("\n", 40),
		"X: " + strings.Repeat("y", 5000), strings.Repeat("X: 1\n", 40),
	} {
		w := start(t, nil, Options{})
		go w.raw(raw)
		w.wantCode("null", -32700, "malformed framing")
		w.want("<end>")
		if code, err := w.end(); code != 1 || !errors.Is(err, ErrFraming) {
			t.Errorf("%q: %d, %v", raw, code, err)
		}
	}
}

func TestTruncatedInput(t *testing.T) {
	for _, raw := range []string{"Content-Length: 10\r\n\r\n{}", "Content-Le", "Content-Length: 2\r\n", "Content-Length: 1000\r\n\r\nx"} {
		w := start(t, nil, Options{MaxMessageBytes: 1000})
		w.raw(raw)
		w.client.Close()
		if code, err := w.end(); code != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %d, %v", raw, code, err)
		}
	}
}

// A header that promises much must cost nothing until it is kept.
func TestHugeLengthAllocatesNothing(t *testing.T) {
	r := newFrameReader(strings.NewReader("Content-Length: 1000000000\r\n\r\nshort"), 1<<30)
	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r = newFrameReader(strings.NewReader("Content-Length: 1000000000\r\n\r\nshort"), 1<<30)
			if _, err := r.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
				b.Fatal(err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 4<<20 {
		t.Errorf("%d bytes allocated", allocated)
	}
}

func TestDecode(t *testing.T) {
	for params, code := range map[string]int{
		``: -32602, `[]`: -32602, `{"textDocument":3}`: -32602, `{"position":{"line":-1,"character":0}}`: -32602, `{"textDocument":{"uri":,}}`: -32700,
	} {
		r := &Request{Method: "m", Params: []byte(params)}
		var p protocol.HoverParams
		err := r.Decode(&p)
		if wire := wireError(t.Context(), err); err == nil || int(wire.Code) != code || !strings.HasPrefix(wire.Message, "m: ") {
			t.Errorf("%q: %v, want code %d", params, wire, code)
		}
	}
}

// Whatever comes in, nothing panics, the connection ends when the input does, and
// everything that goes out is a well-formed message.
func FuzzConn(f *testing.F) {
	f.Add([]byte(frame(call(1, "echo", `{"a":[1,2]}`)) + frame(note("$/cancelRequest", `{"id":1}`)) + frame(note("exit", ""))))
	f.Add([]byte("Content-Length: 5\r\n\r\n{\"a\":\r\n\r\n"))
	f.Add([]byte(frame(`{"jsonrpc":"2.0","id":"\ud800","method":"\u0065cho","params":null}`)))
	f.Add([]byte(frame(`{"jsonrpc":"2.0","id":1,"error":{"code":99999999999,"message":"x"}}`)))
	f.Add([]byte(frame(call(3, "textDocument/hover", `{"textDocument":{"uri":"file:///a"},"position":{"line":1,"character":2}}`))))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		hover := func(_ context.Context, r *Request) (Outcome, error) {
			var p protocol.HoverParams
			err := r.Decode(&p)
			return Later(func(context.Context) (any, error) { return &protocol.Hover{}, nil }), err
		}
		c := New(stdio(bytes.NewReader(in), nopWriteCloser{&out}), map[string]Handler{"echo": echo, "textDocument/hover": hover, "shutdown": null},
			Options{MaxMessageBytes: 1 << 16, OnError: func(method string, err error) {
				if p, ok := errors.AsType[*PanicError](err); ok {
					t.Errorf("%v\n%s", p, p.Stack)
				}
			}})
		c.Run(t.Context())
		r := newFrameReader(&out, 1<<30)
		for {
			body, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || !jsontext.Value(body).IsValid() {
				t.Fatalf("%q: %v", body, err)
			}
		}
	})
}

type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }

func frame(body string) string { return string(appendFrame(nil, []byte(body))) }

func BenchmarkRoundTrip(b *testing.B) {
	w := start(b, map[string]Handler{"echo": echo}, Options{})
	msg := appendFrame(nil, []byte(call(1, "echo", `{"line":1,"character":2}`)))
	b.ReportAllocs()
	for b.Loop() {
		w.client.Write(msg)
		<-w.lines
	}
}
