package dispatch

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPeek(t *testing.T) {
	first := frame(call(1, "initialize", `{"rootUri":"file:///m"}`))
	for in, method := range map[string]string{
		first + frame(call(2, "echo", "1")): "initialize",
		frame(note("exit", "")):             "exit",
		frame(`{`):                          "",
		"Content-Length: x\r\n\r\n" + first: "",
		"Content-Length: 100\r\n\r\n{":      "",
		"":                                  "",
	} {
		seen, rw := Peek(stdio(strings.NewReader(in), nopWriteCloser{io.Discard}), Options{})
		if seen.Method != method || method == "initialize" && string(seen.Params) != `{"rootUri":"file:///m"}` {
			t.Errorf("%q: %q", in, seen.Method)
		}
		if all, err := io.ReadAll(rw); err != nil || string(all) != in {
			t.Errorf("%q comes back as %q, %v", in, all, err)
		}
		rw.Close()
	}
	broken := errors.New("cable")
	r, w := io.Pipe()
	w.CloseWithError(broken)
	if _, rw := Peek(&stdStreams{PipeReader: r, out: nopWriteCloser{io.Discard}}, Options{}); !errors.Is(readErr(rw), broken) {
		t.Error(readErr(rw))
	}
}

func readErr(r io.Reader) error {
	_, err := io.ReadAll(r)
	return err
}

// A process that carries messages tells their sender what a connection would have told.
func TestMessagesAreRefusedAsByAConnection(t *testing.T) {
	small := Options{MaxMessageBytes: 64}
	for in, more := range map[string]bool{
		frame(`"` + strings.Repeat("x", 100) + `"`):                      false,
		"Content-Length: 2\r\nContent-Type: x; charset=utf-16\r\n\r\n{}": true,
		"nonsense\r\n\r\n":             false,
		"Content-Length: 10\r\n\r\n{}": false,
		"Content-Length: 99999999999999999999999999999999999999999999999\r\n\r\n{}": false,
	} {
		_, err := NewMessages(strings.NewReader(in), small).Next()
		answer, goesOn := Refusal(err)
		if goesOn != more || err == nil {
			t.Errorf("%.60q: %v, goes on: %v", in, err, goesOn)
		}
		var out strings.Builder
		c := New(&stdStreams{PipeReader: pipeOf(in), out: nopWriteCloser{&out}}, nil, small)
		_, _ = c.Run(t.Context())
		if want := out.String(); want != onWire(answer) {
			t.Errorf("%.60q is answered with %q, by a connection with %q", in, answer, want)
		}
	}
}

func onWire(answer []byte) string {
	if answer == nil {
		return ""
	}
	return string(AppendMessage(nil, answer))
}

func pipeOf(in string) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, in)
		w.CloseWithError(err)
	}()
	return r
}
