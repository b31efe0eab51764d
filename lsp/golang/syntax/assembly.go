package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
)

// An AssemblyName is what stands at a place of a file of Go's assembler.
type AssemblyName struct {
	Package string // path of the package of a symbol; "" for the file's own
	Name    string // of the symbol, or of the label
	Span    lsp.Span
	Label   lsp.Span // where the label is that the name means; empty for a symbol
}

// IsAssembly reports whether a file is one of Go's assembler, by its name.
func IsAssembly(uri string) bool { return strings.HasSuffix(uri, ".s") }

// isAssemblyRune reports whether a character can stand in a name. The assembler writes a middle dot
// for the dot of Go and a division slash for the slash of a path.
func isAssemblyRune(r rune) bool {
	return r == '_' || r == '·' || r == '∕' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// AssemblyNameAt is the name at an offset; ok is false in comments, and where there is none. Labels
// count within their function.
func AssemblyNameAt(text []byte, offset int) (n AssemblyName, ok bool) {
	if offset < 0 || offset > len(text) {
		return n, false
	}
	n.Span = lsp.Span{Start: offset, End: offset}
	for n.Span.Start > 0 {
		r, size := utf8.DecodeLastRune(text[:n.Span.Start])
		if !isAssemblyRune(r) {
			break
		}
		n.Span.Start -= size
	}
	for n.Span.End < len(text) {
		r, size := utf8.DecodeRune(text[n.Span.End:])
		if !isAssemblyRune(r) {
			break
		}
		n.Span.End += size
	}
	word := string(text[n.Span.Start:n.Span.End])
	line := strings.LastIndexByte(string(text[:n.Span.Start]), '\n') + 1
	if word == "" || strings.Contains(string(text[line:n.Span.Start]), "//") {
		return n, false
	}
	if i := strings.LastIndex(word, "·"); i >= 0 {
		n.Package = strings.NewReplacer("·", ".", "∕", "/").Replace(word[:i])
		n.Name = word[i+len("·"):]
		return n, n.Name != ""
	}
	n.Name = word
	n.Label, ok = labelOf(text, n)
	return n, ok
}

// AssemblyFunction finds the name of a function of the package where a file of the assembler begins
// its code.
func AssemblyFunction(text []byte, name string) (at lsp.Span, ok bool) {
	offset := 0
	for line := range strings.Lines(string(text)) {
		code, _, _ := strings.Cut(line, "//")
		rest, is := strings.CutPrefix(strings.TrimSpace(code), "TEXT")
		rest = strings.TrimSpace(rest)
		if symbol, named := strings.CutPrefix(rest, "·"+name); is && named && symbol != "" && (symbol[0] == '(' || symbol[0] == '<') {
			start := offset + strings.Index(line, "·"+name) + len("·")
			return lsp.Span{Start: start, End: start + len(name)}, true
		}
		offset += len(line)
	}
	return at, false
}

// labelOf finds the label that a name means, in the function around it.
func labelOf(text []byte, n AssemblyName) (at lsp.Span, ok bool) {
	offset := 0
	for line := range strings.Lines(string(text)) {
		code, _, _ := strings.Cut(line, "//")
		trimmed := strings.TrimSpace(code)
		if fields := strings.Fields(trimmed); len(fields) > 0 && fields[0] == "TEXT" {
			if offset > n.Span.Start {
				break // of the next function
			}
			ok = false
		}
		if rest, is := strings.CutPrefix(trimmed, n.Name); is && strings.HasPrefix(strings.TrimSpace(rest), ":") {
			start := offset + strings.Index(line, n.Name)
			at, ok = lsp.Span{Start: start, End: start + len(n.Name)}, true
		}
		offset += len(line)
	}
	return at, ok
}
