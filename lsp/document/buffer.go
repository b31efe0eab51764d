package document

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/position"
)

// A buffer is a text under edit: bytes with a gap where the last edit was, and the
// line starts on either side of it.
//
//	data  text before the gap | gap | text behind it
//	      0                gap  tail            len(data)
//
// Invariants: head holds the starts of all lines at or before the gap, ascending,
// from the start of the text; rest holds those behind it, the nearest last, counted
// from the end of the text. So an edit at the gap moves neither.
type buffer struct {
	data      []byte
	gap, tail int
	head      []int
	rest      []int
	moved     int // bytes the gap has passed, the cost of the edits so far
}

// newBuffer returns a buffer over a copy of text, with room for all that changes
// insert: the gap never has to grow.
func newBuffer(text []byte, changes []Change) *buffer {
	room := 0
	for _, c := range changes {
		room += len(c.Text)
	}
	b := &buffer{data: make([]byte, len(text)+room), tail: room}
	copy(b.data[room:], text)
	b.head = append(b.head, 0)
	starts := position.AppendLineStarts(nil, text)
	b.rest = make([]int, 0, len(starts))
	for i := len(starts) - 1; i > 0; i-- {
		b.rest = append(b.rest, len(text)-starts[i])
	}
	return b
}

func (b *buffer) size() int  { return len(b.data) - (b.tail - b.gap) }
func (b *buffer) lines() int { return len(b.head) + len(b.rest) }

// text returns the text in a slice of its own.
func (b *buffer) text() []byte {
	out := make([]byte, 0, b.size())
	out = append(out, b.data[:b.gap]...)
	return append(out, b.data[b.tail:]...)
}

// start returns the offset of the first byte of a line, the size of the text for the
// line after the last.
func (b *buffer) start(line int) int {
	switch {
	case line < len(b.head):
		return b.head[line]
	case line < b.lines():
		return b.size() - b.rest[len(b.rest)-1-(line-len(b.head))]
	}
	return b.size()
}

// at returns the byte at offset i.
func (b *buffer) at(i int) byte {
	if i < b.gap {
		return b.data[i]
	}
	return b.data[b.tail+i-b.gap]
}

// moveTo moves the gap to offset to, 0 <= to <= size.
func (b *buffer) moveTo(to int) {
	size := b.size()
	if to < b.gap {
		n := b.gap - to
		b.moved += n
		copy(b.data[b.tail-n:b.tail], b.data[to:b.gap])
		b.gap, b.tail = to, b.tail-n
		for b.head[len(b.head)-1] > to { // never empties: head[0] is 0
			b.rest = append(b.rest, size-b.head[len(b.head)-1])
			b.head = b.head[:len(b.head)-1]
		}
		return
	}
	n := to - b.gap
	b.moved += n
	copy(b.data[b.gap:], b.data[b.tail:b.tail+n])
	b.gap, b.tail = to, b.tail+n
	for len(b.rest) > 0 && size-b.rest[len(b.rest)-1] <= to {
		b.head = append(b.head, size-b.rest[len(b.rest)-1])
		b.rest = b.rest[:len(b.rest)-1]
	}
}

// offset returns the offset of a position whose line begins at or behind the gap.
func (b *buffer) offset(p protocol.Position, e position.Encoding) int {
	from, to := b.start(int(p.Line)), b.start(int(p.Line)+1)
	line := b.data[b.tail+from-b.gap : b.tail+to-b.gap]
	return from + position.Column(position.TrimTerminator(line), p.Character, e)
}

// replace puts text in place of a range.
func (b *buffer) replace(r protocol.Range, text string, e position.Encoding) error {
	lines := uint64(b.lines())
	toEnd := uint64(r.End.Line) == lines && r.End.Character == 0
	switch {
	case uint64(r.Start.Line) >= lines:
		return &position.RangeError{Position: r.Start, Lines: b.lines(), Bytes: b.size()}
	case uint64(r.End.Line) >= lines && !toEnd:
		return &position.RangeError{Position: r.End, Lines: b.lines(), Bytes: b.size()}
	case position.Before(r.End, r.Start):
		return &position.RangeError{Position: r.End, Start: &r.Start, Lines: b.lines(), Bytes: b.size()}
	}
	b.moveTo(b.start(int(r.Start.Line))) // both ends now lie in one piece, behind the gap
	start, end := b.offset(r.Start, e), b.size()
	if !toEnd {
		end = b.offset(r.End, e)
	}
	b.moveTo(start)
	b.cut(end)
	b.insert(text)
	return nil
}

// cut removes the bytes between the gap and offset end.
func (b *buffer) cut(end int) {
	size := b.size()
	for len(b.rest) > 0 && size-b.rest[len(b.rest)-1] <= end {
		b.rest = b.rest[:len(b.rest)-1]
	}
	b.tail += end - b.gap
}

// insert puts text at the gap and finds the line starts again in the only places an
// edit can change them: from where the text begins to just behind it.
func (b *buffer) insert(text string) {
	from := b.gap
	b.gap += copy(b.data[b.gap:b.tail], text)
	if last := len(b.head) - 1; last > 0 && b.head[last] == from {
		b.head = b.head[:last]
	}
	size := b.size()
	for i := max(from, 1); i <= b.gap; i++ {
		switch b.at(i - 1) {
		case '\n':
			b.head = append(b.head, i)
		case '\r':
			if i == size || b.at(i) != '\n' {
				b.head = append(b.head, i)
			}
		}
	}
}
