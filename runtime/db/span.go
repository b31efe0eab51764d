package db

// A Span is the keys with Lo <= key < Hi, in ascending or descending order. The zero Span is all
// keys.
type Span struct {
	Lo, Hi  string // an empty Hi is no bound
	Reverse bool
	Limit   int // most entries to be read; 0: no bound
}

// Prefix is the span of the keys that begin with p.
func Prefix(p string) Span { return Span{Lo: p, Hi: prefixEnd(p)} }

// nothing is a span that holds no key.
var nothing = Span{Lo: "\x00", Hi: "\x00"}

// After returns what of s lies behind key in the span's direction: where a reader goes on that was
// given key last. The limit stays.
func (s Span) After(key string) Span {
	rest := s
	switch {
	case s.Reverse && key == "":
		rest = nothing
		rest.Reverse, rest.Limit = true, s.Limit
	case s.Reverse:
		if s.Hi == "" || key < s.Hi {
			rest.Hi = key
		}
	default:
		if next := key + "\x00"; next > s.Lo {
			rest.Lo = next
		}
	}
	return rest
}

// Contains reports whether key lies in the span. The limit plays no part.
func (s Span) Contains(key string) bool { return s.Lo <= key && (s.Hi == "" || key < s.Hi) }

// empty reports whether the span holds no key at all.
func (s Span) empty() bool { return s.Hi != "" && s.Lo >= s.Hi }

// prefixEnd returns the least string that is greater than every string which begins with p; "" if
// there is none.
func prefixEnd(p string) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			return p[:i] + string([]byte{p[i] + 1})
		}
	}
	return ""
}
