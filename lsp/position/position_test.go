package position

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"go.lsp.dev/protocol"
	"pgregory.net/rapid"
)

// texts are the awkward ones: every terminator, every width, broken bytes.
var texts = []string{
	"", "a", "\n", "\r", "\r\n", "\n\r", "a\nb", "a\r\nb", "a\rb", "a\r\r\nb\n", "tail\n",
	"häß\n€uro\n", "😀x\n😀😀", "\xff\xfe\n\xc3", "\xf0\x9f\x98\n\x80\x80", "é\r\né\ré\né",
	"\xef\xbb\xbfbom\n", "a\u2028b\u0085c\vd\n", "日本語のテキスト\r\n", "\xed\xa0\x80surrogate\n", "\x00\x00\n",
}

var encodings = []Encoding{UTF8, UTF16, UTF32}

// naive walks the text a character at a time, as the protocol's prose does.
// It returns the position of every boundary, nil elsewhere.
func naive(text string, e Encoding) []*protocol.Position {
	out := make([]*protocol.Position, len(text)+1)
	var p protocol.Position
	for i := 0; i <= len(text); {
		at := p
		out[i] = &at
		if i == len(text) {
			break
		}
		rest := text[i:]
		if strings.HasPrefix(rest, "\r\n") {
			out[i+1] = &at // P4
			i += 2
			p = protocol.Position{Line: p.Line + 1}
			continue
		}
		if rest[0] == '\n' || rest[0] == '\r' {
			i++
			p = protocol.Position{Line: p.Line + 1}
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case e == UTF8:
			p.Character += uint32(size)
		case e == UTF16 && r > 0xFFFF:
			p.Character += 2
		default:
			p.Character++
		}
		for k := 1; k < size; k++ {
			out[i+k] = &at // P3
		}
		i += size
	}
	return out
}

func checkText(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string,
) {
	t.Helper()
	m := NewMapper([]byte(text))
	for _, e := range encodings {
		want := naive(text, e)
		for off := range want {
			got, err := m.Position(off, e)
			if err != nil || got != *want[off] {
				t.Fatalf("%q %v: Position(%d) = %v, %v; want %v", text, e, off, got, err, *want[off])
			}
			back, err := m.Offset(got, e)
			if err != nil {
				t.Fatalf("%q %v: Offset(%v): %v", text, e, got, err)
			}
			if first := firstWith(want, *want[off]); back != first { // P6
				t.Fatalf("%q %v: Offset(Position(%d)) = %d, want %d", text, e, off, back, first)
			}
		}
		last := want[len(text)]
		if m.Lines() != int(last.Line)+1 {
			t.Fatalf("%q: %d lines, want %d", text, m.Lines(), last.Line+1)
		}
		for line := range m.Lines() {
			end, err := m.Offset(protocol.Position{Line: uint32(line), Character: 1<<32 - 1}, e)
			if start := m.starts[line]; err != nil || end != start+len(m.Line(line)) { // P1
				t.Fatalf("%q %v: end of line %d = %d, %v", text, e, line, end, err)
			}
		}
		if _, err := m.Offset(protocol.Position{Line: last.Line + 1}, e); !errors.Is(err, ErrOutOfRange) { // P2
			t.Fatalf("%q: line after the last: %v", text, err)
		}
	}
}

func firstWith(all []*protocol.Position, p protocol.Position) int {
	for i, q := range all {
		if *q == p {
			return i
		}
	}
	return -1
}

func TestAwkwardTexts(t *testing.T) {
	for _, text := range texts {
		checkText(t, text)
	}
}

func TestAgainstNaiveModel(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "\n", "\r", "\r\n", "é", "€", "😀", "\xff", "\xe2\x82", "\xf0\x9f", "\x80", "word", " ", "\t"})
	rapid.Check(t, func(t *rapid.T) {
		checkText(t, strings.Join(rapid.SliceOfN(piece, 0, 24).Draw(t, "pieces"), ""))
	})
}

func FuzzPositions(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text), uint32(0), uint32(1), uint32(1), uint32(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, l0, c0, l1, c1 uint32) {
		if len(text) > 1<<10 {
			text = text[:1<<10]
		}
		checkText(t, string(text))
		m := NewMapper(text)
		r := protocol.Range{Start: protocol.Position{Line: l0, Character: c0}, End: protocol.Position{Line: l1, Character: c1}}
		for _, e := range encodings {
			start, end, err := m.Offsets(r, e)
			if err != nil {
				if !errors.Is(err, ErrOutOfRange) || err.Error() == "" {
					t.Fatalf("%v: %v", r, err)
				}
				continue
			}
			if start < 0 || end < start || end > len(text) {
				t.Fatalf("%v: [%d,%d) of %d", r, start, end, len(text))
			}
		}
	})
}

func TestSurrogateMiddle(t *testing.T) {
	m := NewMapper([]byte("x😀y"))
	for character, want := range []int{0, 1, 1, 5, 6, 6} {
		if got, err := m.Offset(protocol.Position{Character: uint32(character)}, UTF16); err != nil || got != want {
			t.Errorf("character %d: %d, %v; want %d", character, got, err, want)
		}
	}
}

func TestRanges(t *testing.T) {
	m := NewMapper([]byte("one\ntwo\n"))
	pos := func(l, c uint32) protocol.Position { return protocol.Position{Line: l, Character: c} }
	for _, c := range []struct {
		r          protocol.Range
		start, end int
		message    string
	}{
		{protocol.Range{Start: pos(0, 1), End: pos(1, 1)}, 1, 5, ""},
		{protocol.Range{Start: pos(0, 0), End: pos(3, 0)}, 0, 8, ""}, // one past the last line: P2
		{protocol.Range{Start: pos(2, 0), End: pos(2, 0)}, 8, 8, ""},
		{protocol.Range{Start: pos(3, 0), End: pos(3, 0)}, 0, 0, "line 3, character 0 (counted from 0) is outside the document, which has 3 lines and 8 bytes"},
		{protocol.Range{Start: pos(0, 0), End: pos(3, 1)}, 0, 0, "line 3, character 1 (counted from 0) is outside the document, which has 3 lines and 8 bytes"},
		{protocol.Range{Start: pos(1, 2), End: pos(1, 1)}, 0, 0, "range ends at line 1, character 1, before its start at line 1, character 2"},
	} {
		start, end, err := m.Offsets(c.r, UTF16)
		if c.message != "" {
			if err == nil || err.Error() != c.message {
				t.Errorf("%v: %v, want %q", c.r, err, c.message)
			}
			continue
		}
		if err != nil || start != c.start || end != c.end {
			t.Errorf("%v: [%d,%d) %v, want [%d,%d)", c.r, start, end, err, c.start, c.end)
		}
	}
	if _, err := m.Position(9, UTF8); err == nil || err.Error() != "byte offset 9 is outside the document, which has 8 bytes" {
		t.Error(err)
	}
	if _, err := m.Position(-1, UTF8); !errors.Is(err, ErrOutOfRange) {
		t.Error(err)
	}
	if _, err := m.Range(3, 2, UTF8); err == nil || err.Error() != "span ends at byte 2, before its start at byte 3" {
		t.Error(err)
	}
	if r, err := m.Range(1, 5, UTF8); err != nil || r != (protocol.Range{Start: pos(0, 1), End: pos(1, 1)}) {
		t.Error(r, err)
	}
}

func TestNegotiate(t *testing.T) {
	kinds := func(names ...protocol.PositionEncodingKind) []protocol.PositionEncodingKind { return names }
	for _, c := range []struct {
		offer []protocol.PositionEncodingKind
		want  Encoding
	}{
		{nil, UTF16},
		{kinds("utf-16"), UTF16},
		{kinds("utf-16", "utf-8"), UTF8},
		{kinds("utf-32", "utf-16"), UTF32},
		{kinds("ebcdic", "utf-32"), UTF32},
		{kinds("ebcdic"), UTF16},
	} {
		if got := Negotiate(c.offer); got != c.want {
			t.Errorf("%v: %v, want %v", c.offer, got, c.want)
		}
	}
	for _, e := range encodings {
		if got, ok := Parse(e.Kind()); !ok || got != e || e.String() != string(e.Kind()) {
			t.Errorf("%v does not come back", e)
		}
	}
}

func BenchmarkMapper(b *testing.B) {
	text := []byte(strings.Repeat("	if err := m.Position(offset, encoding); err != nil { // ok\n", 10_000))
	b.Run("op=new", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			NewMapper(text)
		}
	})
	m := NewMapper(text)
	b.Run("op=position", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.Position(len(text)/2, UTF16); err != nil {
				b.Fatal(err)
			}
		}
	})
}
