package gomod

import (
	"bytes"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// A Blank is a place in a module file where something is being typed.
type Blank struct {
	Verb  string // of the line, or of the block that it stands in: "require", "use", …; "" if it is being typed
	Words []string
	Word  lsp.Span // what has been typed of the word, up to the place, and what follows of it
}

// BlankAt is what could be completed at an offset of a text; ok is false in a comment.
func BlankAt(text []byte, offset int) (b Blank, ok bool) {
	if offset < 0 || offset > len(text) {
		return b, false
	}
	start := bytes.LastIndexByte(text[:offset], '\n') + 1
	before := string(text[start:offset])
	if strings.Contains(before, "//") {
		return b, false
	}
	for line := range strings.Lines(string(text[:start])) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[len(fields)-1] == "(":
			b.Verb = fields[0]
		case fields[0] == ")":
			b.Verb = ""
		}
	}
	b.Words = strings.Fields(before)
	b.Word = lsp.Span{Start: offset, End: offset}
	if n := len(b.Words); n > 0 && strings.HasSuffix(before, b.Words[n-1]) {
		b.Word.Start -= len(b.Words[n-1])
		b.Words = b.Words[:n-1]
	}
	for b.Word.End < len(text) && !bytes.ContainsRune([]byte(" \t\r\n"), rune(text[b.Word.End])) {
		b.Word.End++
	}
	if b.Verb == "" && len(b.Words) > 0 {
		b.Verb, b.Words = b.Words[0], b.Words[1:]
	}
	return b, true
}
