package dispatch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
)

const (
	headerLineMax  = 4 << 10 // bytes of one header line
	headerLinesMax = 32      // lines of one header, blank ones before it included
	bodyStep       = 1 << 20 // bytes allocated before any of a body has arrived
)

// A frameError is a message that could not be taken although its frame was
// understood: the input goes on behind it.
type frameError struct{ reason string }

func (e *frameError) Error() string { return e.reason }

// A frameReader takes messages apart:
//
//	Content-Length: <bytes of the body>\r\n
//	[Content-Type: ...; charset=utf-8\r\n]
//	\r\n
//	<body>
//
// It forgives bare newlines, blank lines before a header, any case, and fields it
// does not know.
type frameReader struct {
	r   *bufio.Reader
	max int // bytes of the largest body that is taken
}

func newFrameReader(r io.Reader, limit int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, headerLineMax), max: limit}
}

// next returns the next body in memory of its own. It returns io.EOF at the end of
// the input between two messages, io.ErrUnexpectedEOF inside one, a *frameError for a
// message that cannot be taken, an error that matches ErrTooLong, before any of its body is read,
// for one over the limit, and one that matches ErrFraming when the input is lost.
func (f *frameReader) next() ([]byte, error) {
	length, charset, err := f.header()
	if err != nil {
		return nil, err
	}
	if length > int64(f.max) {
		return nil, fmt.Errorf("%w: Content-Length is %d, the limit is %d bytes", ErrTooLong, length, f.max)
	}
	body, err := f.body(int(length))
	if err != nil {
		return nil, err
	}
	if charset != "" {
		return nil, &frameError{fmt.Sprintf("message has charset %q; only utf-8 is supported", charset)}
	}
	return body, nil
}

// header reads up to the blank line. charset is empty if it is UTF-8.
func (f *frameReader) header() (length int64, charset string, err error) {
	length = -1
	fields := 0
	for range headerLinesMax {
		line, err := f.r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, "", fmt.Errorf("%w: header line is longer than %d bytes: %q…", ErrFraming, headerLineMax, line[:64])
		case errors.Is(err, io.EOF) && len(line) == 0 && fields == 0:
			return 0, "", io.EOF
		case errors.Is(err, io.EOF):
			return 0, "", io.ErrUnexpectedEOF
		case err != nil:
			return 0, "", err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			if fields == 0 {
				continue
			}
			if length < 0 {
				return 0, "", fmt.Errorf("%w: header without Content-Length", ErrFraming)
			}
			return length, charset, nil
		}
		fields++
		name, value, ok := strings.Cut(string(line), ":")
		if !ok {
			return 0, "", fmt.Errorf("%w: header line %q has no colon", ErrFraming, clip(line))
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length":
			n, err := strconv.ParseUint(value, 10, 62)
			if err != nil {
				return 0, "", fmt.Errorf("%w: Content-Length is %q", ErrFraming, clip([]byte(value)))
			}
			if length >= 0 && length != int64(n) {
				return 0, "", fmt.Errorf("%w: Content-Length is both %d and %d", ErrFraming, length, n)
			}
			length = int64(n)
		case "content-type":
			charset = foreignCharset(value)
		}
	}
	return 0, "", fmt.Errorf("%w: header has more than %d lines", ErrFraming, headerLinesMax)
}

// foreignCharset returns the charset of a Content-Type unless it is UTF-8, which old
// clients also spell utf8.
func foreignCharset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "utf8":
		return ""
	default:
		return charset
	}
}

// body reads n bytes, and allocates them as they come: a header alone costs nothing, and what has
// come at most its fourfold.
func (f *frameReader) body(n int) ([]byte, error) {
	var body []byte
	for len(body) < n {
		from := len(body)
		step := min(n-from, max(bodyStep, 3*from))
		body = slices.Grow(body, step)[:from+step]
		if _, err := io.ReadFull(f.r, body[from:]); err != nil {
			return nil, unexpected(err)
		}
	}
	return body, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// clip bounds what an error message quotes.
func clip(b []byte) []byte { return b[:min(len(b), 64)] }

// appendFrame appends body with its header to dst.
func appendFrame(dst, body []byte) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}
