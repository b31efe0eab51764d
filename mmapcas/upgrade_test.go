package mmapcas

import (
	"errors"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// rewriteHeader changes the header of a segment file.
func rewriteHeader(t *testing.T, fs vfs.FS, name string, change func(*segmentHeader)) {
	t.Helper()
	f, err := fs.Open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, segmentHeaderBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	h, ok := parseSegmentHeader(b)
	if !ok {
		t.Fatal("no header")
	}
	change(&h)
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		t.Fatal(err)
	}
}

// A segment that a later version wrote keeps the store from opening, and nothing is changed,
// whatever there is to tidy up.
func TestNewerSegmentIsNotTouched(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		fs, records := smallStore(t)
		s := mustOpen(t, "/s", small(fs))
		name := s.segments()[0].name
		mustClose(t, s)
		rewriteHeader(t, fs, name, func(h *segmentHeader) { h.version = FormatVersion + 1 })
		for _, stray := range []string{"x" + vfs.TempSuffix, segmentName(0)} {
			if _, err := fs.Create("/s/" + stray); err != nil {
				t.Fatal(err)
			}
		}
		f, err := fs.Open("/s/"+manifestName, false)
		if err != nil {
			t.Fatal(err)
		}
		size, err := f.Size()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("torn"), size); err != nil {
			t.Fatal(err)
		}
		before := listing(t, fs, "/s")
		o := small(fs)
		o.ReadOnly = readOnly
		_, err = Open("/s", o)
		fe, ok := errors.AsType[*FormatError](err)
		if !ok || !errors.Is(err, ErrNewerFormat) || fe.Found != FormatVersion+1 || fe.Supported != FormatVersion || fe.Path != "/s" {
			t.Fatalf("open: %v", err)
		}
		if after := listing(t, fs, "/s"); after != before {
			t.Errorf("files changed:\n%s\n%s", before, after)
		}
		rewriteHeader(t, fs, name, func(h *segmentHeader) { h.version-- })
		s = mustOpen(t, "/s", small(fs))
		for h := range records {
			mustHave(t, s, []Hash{h})
		}
		mustClose(t, s)
	}
}

// A newer segment of another store is none of this one's business.
func TestNewerSegmentOfAnotherStore(t *testing.T) {
	fs, records := smallStore(t)
	s := mustOpen(t, "/s", small(fs))
	name := s.segments()[0].name
	mustClose(t, s)
	b, err := vfs.ReadFile(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	other := "/s/" + segmentName(77)
	f, err := fs.Create(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
	rewriteHeader(t, fs, other, func(h *segmentHeader) { h.version, h.number, h.identity[0] = 9, 77, h.identity[0]+1 })
	s = mustOpen(t, "/s", small(fs))
	for h := range records {
		mustHave(t, s, []Hash{h})
	}
	mustClose(t, s)
	if fileSize(t, fs, other) == 0 {
		t.Error("the other store's segment was changed")
	}
}
