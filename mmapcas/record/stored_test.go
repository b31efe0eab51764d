package record

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	goruntime "runtime"
	"strings"
	"testing"
)

// What was compressed expands to what it was, with whatever room, and takes less.
func TestCompress(t *testing.T) {
	text := []byte(strings.Repeat("a record of some words, and of numbers: 12345. ", 1000))
	noise := make([]byte, 40_000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	var in, out []byte
	for _, n := range []int{0, 1, CompressMin - 1, CompressMin, 1000, 20_000, 40_000, 700} {
		for name, p := range map[string][]byte{"text": text[:n], "noise": noise[:n]} {
			s := Compress(p, &in)
			if want := name == "text" && n >= CompressMin; s.Compressed != want {
				t.Errorf("%s of %d bytes: compressed is %v", name, n, s.Compressed)
			}
			if s.Compressed && len(s.Bytes)*8 > len(p)*7 {
				t.Errorf("%s of %d bytes takes %d", name, n, len(s.Bytes))
			}
			if got, ok := s.Expand(&out); !ok || !bytes.Equal(got, p) {
				t.Errorf("%s of %d bytes comes back as %d, %v", name, n, len(got), ok)
			}
			var none []byte
			if got, ok := s.Expand(&none); !ok || !bytes.Equal(got, p) {
				t.Errorf("%s of %d bytes, without room: %d, %v", name, n, len(got), ok)
			}
		}
	}
}

// What is longer than an encoder looks back comes back whole, and after the longest an encoder
// keeps little, as it does so for as long as the process lives.
func TestCompressKeepsLittle(t *testing.T) {
	p := make([]byte, CompressMax)
	rand.NewChaCha8([32]byte{2}).Read(p)
	for at := 64; at+64 <= len(p); at += 128 {
		copy(p[at:at+64], p) // near half of it is repeated
	}
	var in, out []byte
	for _, n := range []int{compressWindow, compressWindow + 1, 3*compressWindow + 17, CompressMax} {
		s := Compress(p[:n], &in)
		if got, ok := s.Expand(&out); !s.Compressed || !ok || !bytes.Equal(got, p[:n]) {
			t.Errorf("%d bytes come back as %d, %v, %v", n, len(got), s.Compressed, ok)
		}
	}
	heap := func() int64 {
		var m goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	e := newEncoder()
	in = e.EncodeAll(p, in[:0])
	with := heap()
	goruntime.KeepAlive(e)
	e = nil
	if kept := with - heap(); kept > 2<<20 {
		t.Errorf("an encoder keeps %d bytes", kept)
	}
	goruntime.KeepAlive(in)
	goruntime.KeepAlive(p)
}

// Neither way costs memory once there is room.
func TestCompressAllocations(t *testing.T) {
	text := []byte(strings.Repeat("a record of some words, and of numbers: 12345. ", 100))
	var in, out []byte
	s := Compress(text, &in)
	if n := testing.AllocsPerRun(200, func() {
		s = Compress(text, &in)
		if _, ok := s.Expand(&out); !ok {
			t.Error("not whole")
		}
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

// No bytes expand to more than they say, or to other than what Compress was given; and none panic.
func FuzzExpand(f *testing.F) {
	var room []byte
	f.Add(bytes.Clone(Compress(bytes.Repeat([]byte("text"), 300), &room).Bytes), false)
	f.Add(bytes.Repeat([]byte("text"), 300), true)
	f.Add([]byte{}, false)
	f.Add([]byte{0, 2, 0, 0}, false)
	f.Fuzz(func(t *testing.T, b []byte, payload bool) {
		var in, out []byte
		if payload {
			s := Compress(b, &in)
			if got, ok := s.Expand(&out); !ok || !bytes.Equal(got, b) {
				t.Fatalf("%d bytes came back as %d, %v", len(b), len(got), ok)
			}
			return
		}
		got, ok := Stored{b, true}.Expand(&out)
		if ok && (len(b) < lengthBytes || len(got) != int(binary.LittleEndian.Uint32(b))) {
			t.Fatalf("%d bytes expand to %d", len(b), len(got))
		}
		if cap(out) > CompressMax {
			t.Fatalf("room for %d bytes", cap(out))
		}
	})
}
