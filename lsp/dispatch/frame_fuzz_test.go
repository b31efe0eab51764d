package dispatch

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzFrames: whatever comes before, between and in messages, what is read of it is bodies within
// the limit that lie in the input, and it ends with the input or with the reason why it is lost.
func FuzzFrames(f *testing.F) {
	for _, in := range []string{
		"Content-Length: 2\r\n\r\n{}Content-Length: 2\r\n\r\n[]", "content-length:2\n\n{}", "\r\n\r\nContent-Length: 1\r\nContent-Type: a; charset=utf-16\r\n\r\nx",
		"Content-Length: 99999999999999999999\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc", "Content-Length: 200\r\n\r\nx",
		"X: y\r\n\r\n", ": \r\n\r\n", "Content-Type: ;;;=\r\nContent-Length: 0\r\n\r\n", "Content-Length: 1 \r\n\r\nxGET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 100
		r := newFrameReader(bytes.NewReader(in), limit)
		for range len(in) + 2 {
			body, err := r.next()
			if bad, ok := errors.AsType[*frameError](err); ok && bad.Error() != "" {
				continue
			}
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrFraming) && !errors.Is(err, ErrTooLong) {
					t.Errorf("an error of no kind: %v", err)
				}
				return
			}
			if len(body) > limit || !bytes.Contains(in, body) {
				t.Fatalf("a body of %d bytes: %.120q", len(body), body)
			}
			again, err := newFrameReader(bytes.NewReader(appendFrame(nil, body)), limit).next()
			if err != nil || !bytes.Equal(again, body) {
				t.Fatalf("%q is written and read as %q, %v", body, again, err)
			}
		}
		t.Fatal("it does not end")
	})
}
