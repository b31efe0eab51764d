package flow

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Directive is what a format string has for one operand: %-5s, or a * that takes a width or a
// precision from an operand, or the verb behind one.
type Directive struct {
	Start, End int // bytes of the literal, which includes its quotes
	Operand    int // from 0, of those behind the format string
}

// Directives takes the source of a string literal apart as a format of package fmt. It gives
// nothing for one that is malformed.
func Directives(literal string) []Directive {
	format, from, to, ok := unquote(literal)
	if !ok {
		return nil
	}
	s := scan{format: format}
	for {
		i := strings.IndexByte(format[s.at:], '%')
		if i < 0 {
			break
		}
		s.at += i
		if !s.directive() {
			return nil
		}
	}
	for i := range s.found {
		d := &s.found[i]
		d.Start, d.End = from[d.Start], to[d.End-1]
	}
	return s.found
}

// A scan goes through a format.
type scan struct {
	format  string
	at      int
	operand int // the next one
	found   []Directive
}

// directive reads what begins with a percent sign; it reports false if it is malformed.
func (s *scan) directive() bool {
	start, part, stars := s.at, s.at, false
	s.at++
	for s.at < len(s.format) && strings.IndexByte("#0+- ", s.format[s.at]) >= 0 {
		s.at++
	}
	// A width, and a precision behind a point: each a number, or a star with the operand's number.
	for size := range 2 {
		if size == 1 {
			if s.at >= len(s.format) || s.format[s.at] != '.' {
				break
			}
			s.at++
		}
		from, sizeAt := s.at, s.at-size // the point counts with the star of a precision
		if !s.index() {
			return false
		}
		switch {
		case s.at < len(s.format) && s.format[s.at] == '*':
			s.at++
			s.found = append(s.found, Directive{sizeAt, s.at, s.operand})
			s.operand++
			stars, part = true, s.at
		case s.at > from: // the number of the verb's operand
			part = from
		default:
			for s.at < len(s.format) && '0' <= s.format[s.at] && s.format[s.at] <= '9' {
				s.at++
			}
		}
	}
	if from := s.at; s.at < len(s.format) && s.format[s.at] == '[' {
		if !s.index() {
			return false
		}
		part = from
	} else if part == start || part < from && s.format[part] != '[' {
		part = from
	}
	if s.at >= len(s.format) {
		return false
	}
	verb, n := utf8.DecodeRuneInString(s.format[s.at:])
	s.at += n
	if verb == '%' {
		return true
	}
	if !stars {
		part = start
	}
	s.found = append(s.found, Directive{part, s.at, s.operand})
	s.operand++
	return true
}

// index reads the number of an operand, [2], if there is one.
func (s *scan) index() bool {
	if s.at >= len(s.format) || s.format[s.at] != '[' {
		return true
	}
	end := strings.IndexByte(s.format[s.at:], ']')
	if end < 0 {
		return false
	}
	n, err := strconv.Atoi(s.format[s.at+1 : s.at+end])
	if err != nil || n < 1 {
		return false
	}
	s.operand = n - 1
	s.at += end + 1
	return true
}

// unquote is the value of a string literal, and from where to where in the literal each byte of it
// comes from.
func unquote(literal string) (value string, from, to []int, ok bool) {
	if len(literal) < 2 || literal[0] != literal[len(literal)-1] {
		return "", nil, nil, false
	}
	var b strings.Builder
	quote, body := literal[0], literal[1:len(literal)-1]
	for rest := body; rest != ""; {
		pos := 1 + len(body) - len(rest)
		if quote == '`' {
			if rest[0] != '\r' { // which is no part of the value
				b.WriteByte(rest[0])
				from, to = append(from, pos), append(to, pos+1)
			}
			rest = rest[1:]
			continue
		}
		c, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return "", nil, nil, false
		}
		rest = tail
		before := b.Len()
		if c < utf8.RuneSelf || !multibyte {
			b.WriteByte(byte(c))
		} else {
			b.WriteRune(c)
		}
		for range b.Len() - before {
			from, to = append(from, pos), append(to, 1+len(body)-len(rest))
		}
	}
	return b.String(), from, to, quote == '"' || quote == '`'
}
