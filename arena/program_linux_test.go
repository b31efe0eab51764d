package arena

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Pages of the program go, and come back as they were.
func TestDropProgram(t *testing.T) {
	said := strings.Repeat(someConstant, 3)
	before, ok := ReadResidence()
	dropped, known := DropProgram()
	if !ok || !known {
		t.Skip("this system does not say what is in memory")
	}
	after, _ := ReadResidence()
	if dropped == 0 || after.Files >= before.Files {
		t.Errorf("%d bytes were dropped, and files have %d in memory, %d before", dropped, after.Files, before.Files)
	}
	if strings.Repeat(someConstant, 3) != said {
		t.Error("a constant has changed")
	}
}

const someConstant = "a file has the page"

// Only what is the program's, and is never written to, is dropped.
func TestProgramMapping(t *testing.T) {
	const exe = "/usr/bin/some program"
	for line, want := range map[string]int{
		"00400000-00452000 r-xp 00000000 08:02 173521      " + exe:             0x52000,
		"00651000-00652000 r--p 00051000 08:02 173521      " + exe:             0x1000,
		"00652000-00655000 rw-p 00052000 08:02 173521      " + exe:             0,
		"00652000-00655000 r--s 00052000 08:02 173521      " + exe:             0,
		"00652000-00655000 ---p 00052000 08:02 173521      " + exe:             0,
		"35b1800000-35b1820000 r-xp 00000000 08:02 135522  /usr/lib64/ld-2.so": 0,
		"7ffc0000-7ffc1000 r-xp 00000000 00:00 0                  [vdso]":      0,
		"00452000-00400000 r-xp 00000000 08:02 173521      " + exe:             0,
		"nonsense r-xp " + exe: 0,
		"":                     0,
	} {
		if mem := programMapping([]byte(line), exe); len(mem) != want {
			t.Errorf("%q: %d bytes, want %d", line, len(mem), want)
		}
	}
}

// A page that was written to has left the file, and stays.
func TestDropCleanKeepsWhatWasWritten(t *testing.T) {
	f, err := pagemap()
	if err != nil {
		t.Skip(err)
	}
	mem := privateCopy(t, 8)
	page := os.Getpagesize()
	for i := range 8 {
		if mem[i*page] != byte(i+1) {
			t.Fatalf("page %d begins with %d", i, mem[i*page])
		}
	}
	mem[3*page] = 100
	if n := dropClean(f, mem); n != int64(7*page) {
		t.Errorf("%d bytes were dropped, want 7 pages", n)
	}
	if n, _ := residentIn(mem); n != int64(page) {
		t.Errorf("%d bytes are in memory, want the page that was written to", n)
	}
	for i := range 8 {
		want := byte(i + 1)
		if i == 3 {
			want = 100
		}
		if mem[i*page] != want {
			t.Errorf("page %d begins with %d, want %d", i, mem[i*page], want)
		}
	}
}

// privateCopy maps a file of so many pages privately. Each begins with its number, from 1 on.
func privateCopy(t *testing.T, pages int) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := os.Getpagesize()
	b := make([]byte, pages*page)
	for i := range pages {
		b[i*page] = byte(i + 1)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, len(b), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	return mem
}
