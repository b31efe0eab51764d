package links

import (
	"go/ast"
	"go/token"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"mvdan.cc/xurls/v2"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// documentation is where packages and modules are described.
const documentation = "https://pkg.go.dev/"

// An ImportPath says what documentation is found under an import path: the path, perhaps with the
// version of its module, or "" if there is none to be shown.
type ImportPath func(path string) string

// OfGo lists the links of a Go file: of imports, of string literals, and of comments.
func OfGo(t *syntax.Tree, documented ImportPath) (list []lsp.Link) {
	paths := map[*ast.BasicLit]bool{}
	for _, imp := range t.AST.Imports {
		paths[imp.Path] = true
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil || path == "" || path == "C" || path[0] == '.' {
			continue
		}
		if page := documented(path); page != "" {
			s := t.Span(imp.Path.Pos(), imp.Path.End())
			list = append(list, lsp.Link{Span: lsp.Span{Start: s.Start + 1, End: s.End - 1}, Target: documentation + page})
		}
	}
	ast.Inspect(t.AST, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && !paths[lit] {
			list = appendAddresses(list, t.Text, t.LiteralSpan(lit))
		}
		return true
	})
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			list = appendAddresses(list, t.Text, t.CommentSpan(c))
		}
	}
	return list
}

var (
	address = sync.OnceValue(xurls.Relaxed)

	// issue is a reference such as golang/go#1234.
	issue = regexp.MustCompile(`([A-Za-z0-9][\w-]*)/([\w.-]+)#([0-9]+)\b`)
)

// appendAddresses adds those that a part of a text mentions. One without a scheme counts if it has
// a path: many words with a dot could be hosts.
func appendAddresses(list []lsp.Link, text []byte, in lsp.Span) []lsp.Link {
	for at := in.Start; at < in.End; {
		end := at
		for end < in.End && !separates(text[end]) {
			end++
		}
		if word := string(text[at:end]); strings.Contains(word, "/") {
			list = appendWord(list, word, at)
		}
		at = end + 1
	}
	return list
}

// separates reports whether a byte ends what may be an address, also in a string literal.
func separates(c byte) bool {
	return c < 0x80 && unicode.IsSpace(rune(c)) || c == '"' || c == '`' || c == '\\'
}

func appendWord(list []lsp.Link, word string, at int) []lsp.Link {
	var found [][]int
	if strings.Contains(word, ".") || strings.Contains(word, "://") {
		found = address().FindAllStringIndex(word, -1)
	}
	linked := false
	for _, f := range found {
		target := word[f[0]:f[1]]
		if !strings.Contains(target, "://") {
			if !strings.Contains(target, "/") || strings.ContainsAny(target, "@:") || strings.HasSuffix(word[:f[0]], "://") {
				continue
			}
			target = "https://" + target
		}
		u, err := url.Parse(target)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			continue
		}
		linked = true
		list = append(list, lsp.Link{Span: lsp.Span{Start: at + f[0], End: at + f[1]}, Target: target})
	}
	if linked || !strings.Contains(word, "#") {
		return list
	}
	for _, m := range issue.FindAllStringSubmatchIndex(word, -1) {
		list = append(list, lsp.Link{
			Span:   lsp.Span{Start: at + m[0], End: at + m[1]},
			Target: "https://github.com/" + word[m[2]:m[3]] + "/" + word[m[4]:m[5]] + "/issues/" + word[m[6]:m[7]],
		})
	}
	return list
}
