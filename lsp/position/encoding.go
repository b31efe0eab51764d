package position

import (
	"unicode/utf8"

	"go.lsp.dev/protocol"
)

// An Encoding says what the character number of a position counts. The zero
// value is UTF-16, which the protocol falls back to.
type Encoding uint8

const (
	UTF16 Encoding = iota // UTF-16 code units; every client has it
	UTF8                  // bytes
	UTF32                 // code points
)

// String returns the protocol's name of the encoding.
func (e Encoding) String() string { return string(e.Kind()) }

// Kind returns the protocol's constant for the encoding.
func (e Encoding) Kind() protocol.PositionEncodingKind {
	switch e {
	case UTF8:
		return protocol.PositionEncodingKindUTF8
	case UTF32:
		return protocol.PositionEncodingKindUTF32
	default:
		return protocol.PositionEncodingKindUTF16
	}
}

// Parse returns the encoding of that protocol name.
func Parse(kind protocol.PositionEncodingKind) (Encoding, bool) {
	switch kind {
	case protocol.PositionEncodingKindUTF8:
		return UTF8, true
	case protocol.PositionEncodingKindUTF16:
		return UTF16, true
	case protocol.PositionEncodingKindUTF32:
		return UTF32, true
	}
	return UTF16, false
}

// Negotiate picks the encoding of a session from the client's offer, which is in
// the client's order of preference: UTF-8 if it is offered at all, because it
// costs no conversion, else the first known one, else UTF-16.
func Negotiate(offer []protocol.PositionEncodingKind) Encoding {
	best, found := UTF16, false
	for _, kind := range offer {
		e, ok := Parse(kind)
		switch {
		case !ok:
		case e == UTF8:
			return UTF8
		case !found:
			best, found = e, true
		}
	}
	return best
}

// units returns how many units the bytes b hold.
func (e Encoding) units(b []byte) int {
	if e == UTF8 {
		return len(b)
	}
	n := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			n++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		i += size
		n += e.width(r)
	}
	return n
}

// bytes returns the length of the longest prefix of whole characters of line
// that holds at most n units (P1, P3).
func (e Encoding) bytes(line []byte, n int) int {
	if n <= 0 {
		return 0
	}
	if e == UTF8 {
		if n >= len(line) {
			return len(line)
		}
		return floor(line, n)
	}
	i := 0
	for i < len(line) && n > 0 {
		if line[i] < utf8.RuneSelf {
			i++
			n--
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		w := e.width(r)
		if w > n {
			break // n points between two surrogates
		}
		i += size
		n -= w
	}
	return i
}

// width returns how many units a decoded rune has.
func (e Encoding) width(r rune) int {
	if e == UTF16 && r > 0xFFFF {
		return 2
	}
	return 1
}

// floor moves i, 0 <= i <= len(b), back to the start of the character it lies in.
// Inside bytes that are no UTF-8 every position is a start (P5).
func floor(b []byte, i int) int {
	if i >= len(b) || utf8.RuneStart(b[i]) {
		return i
	}
	for j := i - 1; j >= 0 && j > i-utf8.UTFMax; j-- {
		if !utf8.RuneStart(b[j]) {
			continue
		}
		if _, size := utf8.DecodeRune(b[j:]); j+size > i {
			return j
		}
		return i
	}
	return i
}
