package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cytisus/cytisus/lsp"
)

var (
	// ErrNotRegular means that a name leads to a directory, a FIFO, a socket or a device.
	ErrNotRegular = errors.New("not a regular file")

	// ErrKernel means that a name leads to a file that the kernel makes up while it is read.
	ErrKernel = errors.New("a file of the kernel, which is not read")
)

// Stat looks at a file through symbolic links. What is no regular file is [ErrNotRegular], and
// what a link leads to in a file system of the kernel is [ErrKernel]: of both it says what they
// are, too.
func Stat(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	linked := err == nil && info.Mode()&fs.ModeSymlink != 0
	if linked {
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		err = ErrNotRegular
	case linked && leadsToKernel(path):
		err = ErrKernel
	}
	if err != nil {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return info, err
}

// Read returns the content of a regular file of at most limit bytes. A larger one is an error
// that matches [lsp.ErrTooLarge]. Errors name the path.
func Read(path string, limit int64) ([]byte, error) {
	if _, err := Stat(path); err != nil {
		return nil, err
	}
	return read(path, limit)
}

// read is Read for a name that led to a regular file a moment ago (F0).
func read(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		err = ErrNotRegular
	case madeUp(file):
		err = ErrKernel
	case info.Size() > limit:
		err = tooLarge(info.Size(), limit)
	}
	if err == nil {
		var text []byte
		if text, err = take(file, info.Size(), limit); err == nil {
			return text, nil
		}
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, err
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: err}
}

// take reads a file to its end, whatever size it claims, but no further than one byte behind the
// limit (F2).
func take(file io.Reader, size, limit int64) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(int(size) + bytes.MinRead)
	n, err := text.ReadFrom(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, tooLarge(n, limit)
	}
	return text.Bytes(), nil
}

func tooLarge(size, limit int64) error {
	return fmt.Errorf("%w: at least %d bytes, more than the limit of %d", lsp.ErrTooLarge, size, limit)
}
