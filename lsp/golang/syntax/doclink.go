package syntax

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
)

// A DocLink is a name in brackets in a comment, as [fmt.Println] or [Reader.Read], up to one of its
// parts.
type DocLink struct {
	Name string   // up to the part
	Span lsp.Span // of the part
	Full lsp.Span // of the whole link, brackets included
	Last bool     // the part is the last one
}

// A part of a path may have the signs that paths have; the dots of the names follow the last slash.
var docLink = regexp.MustCompile(`\[\*?((?:[\pL_0-9.~-]+/)*[\pL_][\pL_0-9]*(?:\.[\pL_][\pL_0-9]*){0,2})\]`)

// DocLinks lists the links of a text that holds comments, part by part. Offsets count from its
// start. What touches a link on either side is a space or punctuation, as go doc has it.
func DocLinks(text []byte) (list []DocLink) {
	if bytes.IndexByte(text, '[') < 0 {
		return nil
	}
	for _, at := range docLink.FindAllSubmatchIndex(text, -1) {
		before, _ := utf8.DecodeLastRune(text[:at[0]])
		after, _ := utf8.DecodeRune(text[at[1]:])
		if !bounds(before, at[0] == 0) || !bounds(after, at[1] == len(text)) {
			continue
		}
		name := string(text[at[2]:at[3]])
		full := lsp.Span{Start: at[0], End: at[1]}
		for end, last := 0, false; !last; end++ {
			start := end
			if end == 0 {
				end = strings.LastIndexByte(name, '/') + 1 // a path is one part with its last element
			}
			i := strings.IndexByte(name[end:], '.')
			if last = i < 0; last {
				i = len(name) - end
			}
			end += i
			list = append(list, DocLink{
				Name: name[:end], Full: full, Last: last,
				Span: lsp.Span{Start: at[2] + start, End: at[2] + end},
			})
		}
	}
	return list
}

func bounds(r rune, edge bool) bool {
	return edge || unicode.IsSpace(r) || unicode.IsPunct(r)
}

// DocLinkAt is the part of a link in a comment of a file that an offset lies on.
func DocLinkAt(t *Tree, offset int) (l DocLink, ok bool) {
	for _, g := range t.AST.Comments {
		s := t.Span(g.Pos(), g.End())
		if offset < s.Start || offset > s.End {
			continue
		}
		for _, l := range DocLinks(t.Text[s.Start:s.End]) {
			if offset -= s.Start; l.Span.Contains(offset) {
				l.Span.Start, l.Span.End = l.Span.Start+s.Start, l.Span.End+s.Start
				l.Full.Start, l.Full.End = l.Full.Start+s.Start, l.Full.End+s.Start
				return l, true
			}
			offset += s.Start
		}
	}
	return l, false
}
