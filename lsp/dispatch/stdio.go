package dispatch

import (
	"errors"
	"io"
	"os"
)

// Stdio returns the process' standard input and output as a connection. Closing it
// ends a Read that waits, which closing the real standard input does not do on every
// system; the goroutine that copies standard input then lives until its next byte, or
// until the process ends. It must be called at most once.
func Stdio() io.ReadWriteCloser { return stdio(os.Stdin, os.Stdout) }

func stdio(in io.Reader, out io.WriteCloser) io.ReadWriteCloser {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err) // nil is the end of the input
	}()
	return &stdStreams{PipeReader: r, out: out}
}

type stdStreams struct {
	*io.PipeReader
	out io.WriteCloser
}

func (s *stdStreams) Write(p []byte) (int, error) { return s.out.Write(p) }

func (s *stdStreams) Close() error { return errors.Join(s.PipeReader.Close(), s.out.Close()) }
