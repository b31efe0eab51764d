package arena

import (
	"encoding/binary"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// residentLook is how many pages are asked about at a time.
const residentLook = 1024

// pagemapPresent is the bit of a page's entry that says that it is in memory; proc(5).
const pagemapPresent = 63

var (
	pagemap = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/pagemap") })
	statm   = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/statm") })
)

func readResidence() (r Residence, ok bool) {
	f, err := statm()
	if err != nil {
		return r, false
	}
	var b [128]byte
	n, _ := f.ReadAt(b[:], 0)
	var fields [3]int64 // size, resident, and of it what files have; in pages
	i := 0
	for _, c := range b[:n] {
		switch {
		case c >= '0' && c <= '9':
			fields[i] = 10*fields[i] + int64(c-'0')
		default:
			if i++; i == len(fields) {
				page := int64(os.Getpagesize())
				return Residence{Resident: fields[1] * page, Files: fields[2] * page}, true
			}
		}
	}
	return r, false
}

// looks is what pagemap is read into, by one at a time: who holds to a limit on memory asks often.
var looks struct {
	sync.Mutex
	bytes [8 * residentLook]byte
}

// residentIn counts the pages of mem that the page tables of this process lead to.
func residentIn(mem []byte) (int64, bool) {
	if len(mem) == 0 {
		return 0, true
	}
	f, err := pagemap()
	if err != nil {
		return 0, false
	}
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	first, end := start/page, (start+uintptr(len(mem))+page-1)/page
	looks.Lock()
	defer looks.Unlock()
	b := looks.bytes[:]
	var pages int64
	for at := first; at < end; {
		n := min(len(b), 8*int(end-at))
		if _, err := f.ReadAt(b[:n], int64(at)*8); err != nil {
			return 0, false
		}
		for i := 0; i < n; i += 8 {
			pages += int64(binary.NativeEndian.Uint64(b[i:]) >> pagemapPresent)
		}
		at += uintptr(n / 8)
	}
	return pages * int64(page), true
}

// drop takes the pages out of this process' page tables. Those that were written to are marked so
// in the file's cache on the way, as munmap does it: the mapping is shared.
func (file) drop(mem []byte) bool {
	return len(mem) > 0 && unix.Madvise(mem, unix.MADV_DONTNEED) == nil
}
