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
		{frame(`"` + strings.Repeat("x", 2000) + `"`), -32700, "larger than the limit of 1000 bytes"},
		{"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-16\r\n\r\n{}", -32700, "utf-16"},
	} {
		w := start(t, map[string]Handler{"echo": echo}, Options{MaxMessageBytes: 1000})
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

// A header without a usable length loses the input: one refusal, then the end.
func TestLostFraming(t *testing.T) {
	for _, raw := range []string{
		"Content-Length: -1\r\n\r\n", "Content-Length: x\r\n\r\n", "Content-Length:\r\n\r\n", "Content-Length: 1e3\r\n\r\n",
		"Content-Length: 99999999999999999999999\r\n\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
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
	for _, raw := range []string{"Content-Length: 10\r\n\r\n{}", "Content-Le", "Content-Length: 2\r\n", "Content-Length: 4000\r\n\r\nx"} {
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
