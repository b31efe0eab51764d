package golang

import (
	"bytes"
	"container/list"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"sync"

	"github.com/cytisus/cytisus/lsp"
)

const (
	// maxDepth is the nesting of syntax above which a file is not type-checked. go/types and every walk over a tree recurse
	// once or more per level and a goroutine's stack cannot be caught when it runs out; the parser itself allows ten times
	// as much.
	maxDepth = 10_000

	// maxSyntaxErrors bounds the syntax errors kept of one file.
	maxSyntaxErrors = 100

	// treeCacheBytes bounds the source text whose trees are kept. A tree weighs about fifteen times its text.
	treeCacheBytes = 4 << 20
)

// A tree is a parsed file. It is immutable: go/types reads it from several goroutines at once.
type tree struct {
	uri    string
	text   []byte
	source []byte    // what was parsed: text, or text with brackets that it lacks (repair)
	file   *ast.File // never nil, possibly incomplete
	tok    *token.File
	errors []lsp.Diagnostic // syntax errors, in source order
	unfit  bool             // too deep or binary: not to be type-checked

	doubt    doubt      // what syntax errors leave open
	doubtful []lsp.Span // where the declarations are that it names
}

// parseMode is how files are parsed.
const parseMode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors

// offset turns a position into a byte offset of the text. Positions outside the file (which broken syntax can produce)
// are brought back to its ends.
func (t *tree) offset(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return min(max(int(pos)-t.tok.Base(), 0), len(t.text))
}

// span turns a range of positions into offsets (lsp.L0).
func (t *tree) span(start, end token.Pos) lsp.Span {
	s := t.offset(start)
	return lsp.Span{Start: s, End: max(s, t.offset(end))}
}

// positions hands every parsed file a range of positions of its own, so that any set of trees can meet in one FileSet. Files
// are taken out again at once: the set must not grow with the life of the process.
var positions = token.NewFileSet()

// parseTree parses one file. It never fails: what is wrong is in errors.
func parseTree(uri string, text []byte) *tree {
	t := &tree{uri: uri, text: text, source: text}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		t.empty()
		t.errors = []lsp.Diagnostic{{
			Span:     lsp.Span{Start: i, End: i + 1},
			Severity: lsp.SeverityError,
			Code:     "binary",
			Source:   sourceSyntax,
			Message:  fmt.Sprintf("binary file: NUL byte at offset %d", i),
		}}
		return t
	}
	file, err := parser.ParseFile(positions, messageName(uri), text, parseMode)
	if file == nil || !file.FileStart.IsValid() {
		t.empty()
	} else {
		t.file = file
		t.tok = positions.File(file.FileStart)
		positions.RemoveFile(t.tok)
	}
	if t.errors = syntaxErrors(err, text); len(t.errors) > 0 && !t.unfit {
		t.repair()
	}
	if deeperThan(t.file, maxDepth) {
		t.unfit = true
		t.errors = append(t.errors, lsp.Diagnostic{
			Severity: lsp.SeverityError,
			Code:     "too-deep",
			Source:   sourceSyntax,
			Message:  fmt.Sprintf("syntax nested deeper than %d levels: the file is not type-checked", maxDepth),
		})
	}
	return t
}

// messageName is what messages about other places call a file: what the compiler calls it when it
// is run in the directory of the package.
func messageName(uri string) string { return "./" + baseName(uri) }

// empty makes the tree one of a file without content.
func (t *tree) empty() {
	t.unfit = true
	t.tok = token.NewFileSet().AddFile(t.uri, -1, len(t.text))
	pos := token.Pos(t.tok.Base())
	t.file = &ast.File{Package: pos, Name: &ast.Ident{NamePos: pos, Name: "_"}, FileStart: pos, FileEnd: pos}
}

func syntaxErrors(err error, text []byte) []lsp.Diagnostic {
	if err == nil {
		return nil
	}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		list = scanner.ErrorList{{Msg: err.Error()}}
	}
	var out []lsp.Diagnostic
	for _, e := range list {
		if len(out) == maxSyntaxErrors {
			break
		}
		start := min(max(e.Pos.Offset, 0), len(text))
		out = append(out, lsp.Diagnostic{
			Span:     lsp.Span{Start: start, End: wordEnd(text, start)},
			Severity: lsp.SeverityError,
			Code:     "syntax",
			Source:   sourceSyntax,
			Message:  e.Msg,
		})
	}
	return out
}

// wordEnd is the end of the word or the single character at an offset, for errors that come without an end. At the end of
// a line the span stays empty.
func wordEnd(text []byte, start int) int {
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

// deeperThan reports whether a tree nests deeper than a number of levels.
func deeperThan(root ast.Node, levels int) bool {
	depth, deepest := 0, 0
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			depth--
			return true
		}
		depth++
		deepest = max(deepest, depth)
		return true
	})
	return deepest > levels
}

// A treeCache keeps the trees of files that were parsed last: variants of a package share files, and after an edit the other
// files of a package are asked for again.
type treeCache struct {
	mu    sync.Mutex
	order *list.List               // of *tree, latest first; guarded by mu
	byURI map[string]*list.Element // guarded by mu
	bytes int                      // guarded by mu
	limit int                      // guarded by mu
}

var trees = newTreeCache(treeCacheBytes)

func newTreeCache(limit int) *treeCache {
	return &treeCache{order: list.New(), byURI: make(map[string]*list.Element), limit: limit}
}

// get returns the tree of a text, parsing it unless the same text of the same file is still there.
func (c *treeCache) get(uri string, text []byte) *tree {
	if t := c.find(uri, text); t != nil {
		return t
	}
	t := parseTree(uri, text)
	c.put(t)
	return t
}

func (c *treeCache) find(uri string, text []byte) *tree {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byURI[uri]
	if e == nil {
		return nil
	}
	t := e.Value.(*tree)
	if !bytes.Equal(t.text, text) {
		return nil
	}
	c.order.MoveToFront(e)
	return t
}

func (c *treeCache) put(t *tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(t.text) > c.limit/4 {
		return // one giant must not push everything else out
	}
	c.remove(c.byURI[t.uri])
	c.byURI[t.uri] = c.order.PushFront(t)
	c.bytes += len(t.text)
	c.makeRoom()
}

// remove forgets an entry; nil is none. The lock is held.
func (c *treeCache) remove(e *list.Element) {
	if e == nil {
		return
	}
	t := c.order.Remove(e).(*tree)
	delete(c.byURI, t.uri)
	c.bytes -= len(t.text)
}
