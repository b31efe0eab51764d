package mmapcas

import (
	"errors"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A sizedFile says how long it is and takes disk space up to a bound; it has no bytes.
type sizedFile struct {
	vfs.File
	size, most int64
}

func (f *sizedFile) Size() (int64, error) { return f.size, nil }

func (f *sizedFile) Allocate(_, to int64) error {
	if to > f.most {
		return syscall.ENOSPC
	}
	f.size = max(f.size, to)
	return nil
}

// What a file is given ahead is an eighth of what it has, but 64 KiB at least and 16 MiB at most,
// and less where the disk has no room for that; a file that was cut short gets nothing.
func TestFilesGrowByAnEighth(t *testing.T) {
	const (
		kib, mib = 1 << 10, 1 << 20
		whole    = 1 << 30
		disk     = 600 * mib
	)
	for _, c := range []struct{ ready, need, want int64 }{
		{64 * kib, 65 * kib, 128 * kib},
		{512 * kib, 513 * kib, 576 * kib},
		{8 * mib, 8*mib + 32, 9 * mib},
		{64 * mib, 65 * mib, 72 * mib},
		{128 * mib, 129 * mib, 144 * mib},
		{512 * mib, 513 * mib, 528 * mib},
		{64 * kib, 3*mib + 1, 3*mib + 64*kib}, // a large record
		{592 * mib, 592*mib + 32, 592*mib + 64*kib},
		{disk, disk + 32, 0},
	} {
		f := &sizedFile{size: c.ready, most: disk}
		got, err := growFile(&segment{file: f}, whole, allocateBytesMin)(c.ready, c.need)
		if got != c.want || (err == nil) != (c.want > 0) || c.want == 0 && !errors.Is(err, ErrNoSpace) {
			t.Errorf("a file of %d bytes that needs %d gets %d, want %d: %v", c.ready, c.need, got, c.want, err)
		}
	}
	f := &sizedFile{size: whole - 96*kib, most: 2 * whole}
	if got, err := growFile(&segment{file: f}, whole, allocateBytesMin)(f.size, whole); got != whole || err != nil {
		t.Errorf("the end of a segment: %d, %v", got, err)
	}
	const odd = 96*mib + 64*kib
	f = &sizedFile{size: 96 * mib, most: 2 * whole}
	if got, err := growFile(&segment{file: f}, odd, allocateBytesMin)(f.size, f.size+32); got != odd || f.size != odd || err != nil {
		t.Errorf("the file of a segment of %d bytes has %d, of which %d are said to be ready: %v", odd, f.size, got, err)
	}
	f = &sizedFile{size: 100 * kib, most: disk}
	if _, err := growFile(&segment{file: f}, whole, allocateBytesMin)(128*kib, 129*kib); !errors.Is(err, errCutShort) {
		t.Errorf("a file that was cut short: %v", err)
	}
}
