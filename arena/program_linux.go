package arena

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pagemapFile is the bit of a page's entry that says that a file has the page, and not this process
// alone; proc(5).
const pagemapFile = 61

// program finds the read-only mappings of the program's file: its code and its
// constants. They stay where they are for as long as the process lives.
var program = sync.OnceValue(func() (maps [][]byte) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if mem := programMapping(lines.Bytes(), exe); mem != nil {
			maps = append(maps, mem)
		}
	}
	return maps
})

// programMapping is the memory that a line of maps speaks of, nil if it is not the program's or may
// be written to.
func programMapping(line []byte, exe string) []byte {
	where, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 4 || rest[0] != 'r' || rest[1] != '-' || rest[3] != 'p' || !bytes.HasSuffix(line, []byte(" "+exe)) {
		return nil
	}
	first, last, _ := bytes.Cut(where, []byte("-"))
	from, err1 := strconv.ParseUint(string(first), 16, 64)
	to, err2 := strconv.ParseUint(string(last), 16, 64)
	if err1 != nil || err2 != nil || to <= from {
		return nil
	}
	// Made from a pointer to something, not from the number, which vet would take for a mistake.
	at := uintptr(from)
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), int(to-from))
}

func dropProgram() (dropped int64, ok bool) {
	maps := program()
	f, err := pagemap()
	if err != nil || len(maps) == 0 {
		return 0, false
	}
	for _, mem := range maps {
		dropped += dropClean(f, mem)
	}
	return dropped, true
}

// dropClean takes out of the page tables those pages of a private mapping of a file that are the
// file's still, and returns how many bytes that were. A page that was written to has left the file:
// a loader has relocated it, or a debugger has set a breakpoint. It would come back as the file has
// it, so it stays.
func dropClean(f *os.File, mem []byte) (dropped int64) {
	page := os.Getpagesize()
	first := uintptr(unsafe.Pointer(unsafe.SliceData(mem))) / uintptr(page)
	looks.Lock()
	defer looks.Unlock()
	for at, pages := 0, len(mem)/page; at < pages; {
		b := looks.bytes[:min(len(looks.bytes), 8*(pages-at))]
		if _, err := f.ReadAt(b, int64(first+uintptr(at))*8); err != nil {
			return dropped
		}
		n := len(b) / 8
		for i := 0; i < n; {
			from := i
			for ; i < n && isClean(binary.NativeEndian.Uint64(b[8*i:])); i++ {
			}
			if run := mem[(at+from)*page : (at+i)*page]; len(run) > 0 && unix.Madvise(run, unix.MADV_DONTNEED) == nil {
				dropped += int64(len(run))
			}
			for ; i < n && !isClean(binary.NativeEndian.Uint64(b[8*i:])); i++ {
			}
		}
		at += n
	}
	return dropped
}

// isClean reports whether an entry of pagemap is of a page that is in memory and a file's.
func isClean(entry uint64) bool {
	const clean = 1<<pagemapPresent | 1<<pagemapFile
	return entry&clean == clean
}
