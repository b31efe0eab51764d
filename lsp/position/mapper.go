package position

import (
	"bytes"
	"slices"

	"go.lsp.dev/protocol"
)

// A Mapper is the line index of one text. It is immutable: any number of
// goroutines may use it. Making one costs a scan of the text and 8 bytes per line.
type Mapper struct {
	text   []byte
	starts []int // offset of each line's first byte; starts[0] == 0
}

// NewMapper returns the index of text, which it keeps (P0).
func NewMapper(text []byte) *Mapper {
	return &Mapper{text: text, starts: AppendLineStarts(make([]int, 0, 1+bytes.Count(text, []byte{'\n'})), text)}
}

// AppendLineStarts appends the offset of the first byte of every line of text to
// starts and returns it. The first one is always 0.
func AppendLineStarts(starts []int, text []byte) []int {
	starts = append(starts, 0)
	if bytes.IndexByte(text, '\r') < 0 {
		for at := 0; ; {
			i := bytes.IndexByte(text[at:], '\n')
			if i < 0 {
				return starts
			}
			at += i + 1
			starts = append(starts, at)
		}
	}
	for i := 1; i <= len(text); i++ {
		if IsLineStart(text, i) {
			starts = append(starts, i)
		}
	}
	return starts
}

// IsLineStart reports whether a line of text begins at offset i. It depends on
// the bytes just before and at i only, so an edit moves no line but its own.
func IsLineStart(text []byte, i int) bool {
	switch {
	case i == 0:
		return true
	case i > len(text):
		return false
	case text[i-1] == '\n':
		return true
	case text[i-1] == '\r':
		return i == len(text) || text[i] != '\n'
	}
	return false
}

// Text returns the text the Mapper was made of: read only.
func (m *Mapper) Text() []byte { return m.text }

// Lines returns the number of lines, at least 1.
func (m *Mapper) Lines() int { return len(m.starts) }

// Line returns the content of a line without its terminator, nil for a line that
// does not exist.
func (m *Mapper) Line(line int) []byte {
	if line < 0 || line >= len(m.starts) {
		return nil
	}
	end := len(m.text)
	if line+1 < len(m.starts) {
		end = m.starts[line+1]
	}
	return TrimTerminator(m.text[m.starts[line]:end])
}

// TrimTerminator returns line without the one terminator it may end in.
func TrimTerminator(line []byte) []byte {
	n := len(line)
	switch {
	case n > 1 && line[n-2] == '\r' && line[n-1] == '\n':
		return line[:n-2]
	case n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'):
		return line[:n-1]
	}
	return line
}

// Offset returns the byte offset of p. A line that does not exist is a
// *[RangeError] (P2).
func (m *Mapper) Offset(p protocol.Position, e Encoding) (int, error) {
	if uint64(p.Line) >= uint64(len(m.starts)) {
		return 0, m.outside(p)
	}
	return m.starts[p.Line] + Column(m.Line(int(p.Line)), p.Character, e), nil
}

// Column returns the byte offset in line, a line without its terminator, of a
// character number (P1, P3).
func Column(line []byte, character uint32, e Encoding) int {
	if uint64(character) >= uint64(len(line)) {
		return len(line) // a line has no more units than bytes
	}
	return e.bytes(line, int(character))
}

// Position returns the position of a byte offset. An offset outside the text is
// an *[OffsetError].
func (m *Mapper) Position(offset int, e Encoding) (protocol.Position, error) {
	if offset < 0 || offset > len(m.text) {
		return protocol.Position{}, &OffsetError{Offset: offset, Bytes: len(m.text)}
	}
	line, ok := slices.BinarySearch(m.starts, offset)
	if !ok {
		line--
	}
	content := m.Line(line)
	column := floor(content, min(offset-m.starts[line], len(content))) // P3, P4
	return protocol.Position{Line: uint32(line), Character: uint32(e.units(content[:column]))}, nil
}

// Offsets returns the byte offsets of a range. A range whose end lies before its
// start, or whose lines do not exist, is a *[RangeError]; the end (Lines(), 0) is
// the end of the text (P2).
func (m *Mapper) Offsets(r protocol.Range, e Encoding) (start, end int, err error) {
	if start, err = m.Offset(r.Start, e); err != nil {
		return 0, 0, err
	}
	if uint64(r.End.Line) == uint64(len(m.starts)) && r.End.Character == 0 {
		return start, len(m.text), nil
	}
	if end, err = m.Offset(r.End, e); err != nil {
		return 0, 0, err
	}
	if Before(r.End, r.Start) {
		return 0, 0, &RangeError{Position: r.End, Start: &r.Start, Lines: len(m.starts), Bytes: len(m.text)}
	}
	return start, end, nil
}

// Before reports whether p comes before q.
func Before(p, q protocol.Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Character < q.Character
}

// Range returns the range of the bytes [start, end).
func (m *Mapper) Range(start, end int, e Encoding) (protocol.Range, error) {
	if end < start {
		return protocol.Range{}, &OffsetError{Offset: end, Start: start, Bytes: len(m.text)}
	}
	from, err := m.Position(start, e)
	if err != nil {
		return protocol.Range{}, err
	}
	to, err := m.Position(end, e)
	if err != nil {
		return protocol.Range{}, err
	}
	return protocol.Range{Start: from, End: to}, nil
}

func (m *Mapper) outside(p protocol.Position) error {
	return &RangeError{Position: p, Lines: len(m.starts), Bytes: len(m.text)}
}
