package arena

import (
	"os"

	"golang.org/x/sys/unix"
)

// flushPages takes the pages out of the page tables. What was stored into them is the file's
// already, and fdatasync writes it; but it takes the leave to store from each page that it writes,
// and has all processors forget that page's entry, one by one. Here all are forgotten at once.
func flushPages(mem []byte) error {
	_ = unix.Madvise(mem, unix.MADV_DONTNEED)
	return nil
}

// adviseHuge asks for huge pages. Kernels that have none say so; the memory works all the same.
func adviseHuge(mem []byte) {
	if len(mem) >= slabPageBytes {
		_ = unix.Madvise(mem, unix.MADV_HUGEPAGE)
	}
}

// populateWrite sets up the page tables of mem in one call, which is cheap where the file has the
// pages (writeZeros). Kernels before 5.14 answer EINVAL; pages are then touched one by one as they
// are used.
func populateWrite(mem []byte) {
	_ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE)
}

// zeros is never written to, so the system backs it with one page of its own.
var zeros [64 << 10]byte

// writeZeros writes zeros over [from, to) of f, by calls of piece bytes, or by one if piece is 0:
// the file system takes pages no larger than what one call writes. A file that another program has
// cut is left as it is: a store behind its end is to fault.
func writeZeros(f *os.File, from, to, piece int64) {
	if fi, err := f.Stat(); err != nil || fi.Size() < to {
		return
	}
	if piece == 0 {
		piece = to
	}
	var parts [][]byte
	for from < to {
		parts = parts[:0]
		for left := min(piece-from%piece, to-from); left > 0; {
			n := min(left, int64(len(zeros)))
			parts = append(parts, zeros[:n])
			left -= n
		}
		n, err := unix.Pwritev(int(f.Fd()), parts, from)
		if err != nil || n <= 0 {
			return // the pages come with the first stores, as they would have
		}
		from += int64(n)
	}
}
