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

func TestFollow(t *testing.T) {
	shutdown, exit := frame(call(1, "shutdown", "")), frame(note("exit", ""))
	big := frame(note("big", `"`+strings.Repeat("x", 1<<17)+`"`))
	for in, want := range map[string]Seen{
		"":                                     {},
		shutdown + exit:                        {true, true},
		big + frame("{") + exit:                {false, true},
		frame(note("shutdown", "")) + shutdown: {true, false},
		frame(call(1, "exit", "")):             {},
		exit + "lost\r\n\r\n" + shutdown:       {false, true},
	} {
		if got := Follow(strings.NewReader(in)); got != want {
			t.Errorf("%.60q: %v", in, got)
		}
	}
}
