package syntax

import "slices"

// OffsetOf turns a line and a column, both from 1, into an offset; what lies outside the text is
// brought back into it.
func OffsetOf(text []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := slices.Index(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	return min(at+max(column-1, 0), len(text))
}

// QuotedEnd is the end of the string literal or word at an offset.
func QuotedEnd(text []byte, start int) int {
	if start < len(text) && (text[start] == '"' || text[start] == '`') {
		for end := start + 1; end < len(text) && text[end] != '\n'; end++ {
			if text[end] == text[start] {
				return end + 1
			}
		}
	}
	return WordEnd(text, start)
}

// WordEnd is the end of the word or the single character at an offset, for errors that come without
// an end. At the end of a line the span stays empty.
func WordEnd(text []byte, start int) int {
	end := start
	for end < len(text) && isWord(text[end]) {
		end++
	}
	if end == start && end < len(text) && text[end] != '\n' && text[end] != '\r' {
		end++
	}
	return end
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
