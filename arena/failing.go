package arena

import (
	"errors"
	"unsafe"
)

// Failing returns src with every call that a system may refuse announced to step first: "map",
// "unmap", "protect", "flush". What step returns, if not nil, is the call's error, and of these
// calls only unmap is made all the same. It is for tests of the layers above: a file system that
// fails on command supplies memory that does.
func Failing(src Source, step func(call string) error) Source { return failing{src, step} }

type failing struct {
	src  Source
	step func(call string) error
}

func (f failing) place(at unsafe.Pointer, n int64, readOnly bool) ([]byte, func() error, error) {
	if err := f.step("map"); err != nil {
		return nil, nil, err
	}
	mem, release, err := f.src.place(at, n, readOnly)
	if err != nil {
		return nil, nil, err
	}
	return mem, func() error {
		if err := f.step("unmap"); err != nil {
			return errors.Join(err, release()) // the place is not reused, but tests need not leak it
		}
		return release()
	}, nil
}

func (f failing) writeAhead(from, to, piece int64) { f.src.writeAhead(from, to, piece) }

func (f failing) populate(mem []byte) { f.src.populate(mem) }

func (f failing) protect(mem []byte) error {
	if err := f.step("protect"); err != nil {
		return err
	}
	return f.src.protect(mem)
}

func (f failing) flush(mem []byte, from int64) error {
	if err := f.step("flush"); err != nil {
		return err
	}
	return f.src.flush(mem, from)
}

func (f failing) drop(mem []byte) bool { return f.src.drop(mem) }
