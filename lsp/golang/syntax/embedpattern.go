package syntax

import (
	"bytes"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
)

// EmbedDirective is how a comment begins that embeds files.
const EmbedDirective = "//go:embed"

// An EmbedPattern is one of those of a go:embed directive.
type EmbedPattern struct {
	Text string
	Span lsp.Span // quotes included
}

// EmbedPatterns finds the patterns of a file's go:embed directives, as the go command does: in any
// comment of a line.
func EmbedPatterns(text []byte) (list []EmbedPattern) {
	if !bytes.Contains(text, []byte(EmbedDirective)) {
		return nil
	}
	var sc scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	sc.Init(file, text, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, comment := sc.Scan()
		if tok == token.EOF {
			return list
		}
		rest, ok := strings.CutPrefix(comment, EmbedDirective)
		start := file.Offset(pos) + len(EmbedDirective)
		if tok != token.COMMENT || !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		for rest != "" {
			trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
			start += len(rest) - len(trimmed)
			if rest = trimmed; rest == "" {
				break
			}
			n := strings.IndexFunc(rest, unicode.IsSpace)
			if n < 0 {
				n = len(rest)
			}
			word := rest[:n]
			if rest[0] == '"' || rest[0] == '`' {
				quoted, err := strconv.QuotedPrefix(rest)
				if err != nil {
					break // the compiler tells
				}
				n = len(quoted)
				word, _ = strconv.Unquote(quoted)
			}
			list = append(list, EmbedPattern{word, lsp.Span{Start: start, End: start + n}})
			start, rest = start+n, rest[n:]
		}
	}
}
