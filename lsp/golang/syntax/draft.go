package syntax

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
)

// A Draft is the declaration around a place where somebody types, with a name in the place of what
// is typed there. Code that is half typed becomes whole by that more often than not: a selector has
// its end, a call its argument. A draft is immutable.
type Draft struct {
	URI     string
	Source  []byte   // the whole text
	Section lsp.Span // of the declaration and what follows it, in the text
	Word    lsp.Span // of the name around the place, in the text; empty if there is none
	Prefix  string   // of that name, up to the place
	Cursor  Cursor

	Tree  *Tree      // of a file with the section alone; nil if the place is in no declaration
	Name  *ast.Ident // in Tree, named DraftName; nil if the declaration is as it was
	At    token.Pos  // of the place in Tree
	Decl  ast.Decl   // around the place
	shift int        // of an offset of the text before Word to that of Tree
}

// DraftName is the name that is put in the place of what is typed. No code has it.
const DraftName = "ꙮꙮ"

// A Cursor says between which tokens of its declaration a place is.
type Cursor struct {
	Inside token.Token // COMMENT, STRING, CHAR, INT, ...: the token that the place is in; else ILLEGAL
	Token  lsp.Span    // of the token that the place is in, in the text

	Before   token.Token // the token before the name at the place; ILLEGAL if the section begins here
	Previous token.Token // the one before that
	After    byte        // first character behind the name that is no space; a line break ends a line; 0 at the end
	Depth    int         // how many brackets are open
	NewLine  bool        // the name is the first of a statement's line
	First    token.Token // first of the line, or behind the last brace or semicolon in it
	Opener   token.Token // STRUCT or INTERFACE before the innermost open brace, or else First there
	Bracket  byte        // innermost that is open; 0: none is
}

// draftClause stands before the section in the tree of a draft.
const draftClause = "package p;"

// NewDraft makes the draft for a place in a text, which is in it.
func NewDraft(uri string, text []byte, offset int) *Draft {
	d, section, clause := newDraft(uri, text, offset)
	if d.Cursor.Inside != token.ILLEGAL {
		return d
	}
	before, after := section[:d.Word.Start-d.Section.Start], section[d.Word.End-d.Section.Start:]
	before, after = withoutDangling(before), withoutDangling(after)
	for _, name := range []string{DraftName, DraftName + "()", DraftName + " int", DraftName + " = 0"} {
		if d.take(Parse(uri, []byte(clause+before+name+after))) {
			return d
		}
		if d.mayLackComma() && d.take(Parse(uri, []byte(clause+before+name+","+after))) {
			return d
		}
		if d.take(parseAsIs(uri, []byte(clause+before+name+closers(before)))) {
			return d
		}
	}
	d.takeBroken(uri, clause, before)
	return d
}

// brokenMost is how many lines are taken out of code that is broken before a place.
const brokenMost = 6

// takeBroken makes the tree of code that is broken before the place: a comma is put where one seems
// to lack, then lines with errors are taken out, then what is before the place in its line, but for
// the names and dots that lead to it.
func (d *Draft) takeBroken(uri, clause, before string) {
	try := func(before string) bool {
		return d.take(parseAsIs(uri, []byte(clause+before+DraftName+closers(before))))
	}
	if strings.HasSuffix(before, " ") && try(before[:len(before)-1]+",") {
		return
	}
	line := strings.LastIndexByte(before, '\n') + 1
	if d.takeWithoutErrors(uri, clause, before, line) {
		return
	}
	start := len(before)
	for start > line {
		r, size := utf8.DecodeLastRuneInString(before[:start])
		if r != '.' && !isNamePart(r) {
			break
		}
		start -= size
	}
	// The line may have opened what the place is in.
	alone := before[:line] + strings.Repeat(" ", start-line) + before[start:]
	if !try(alone) {
		d.takeWithoutErrors(uri, clause, alone, line)
	}
}

// takeWithoutErrors takes lines with errors out of the text before the line of the place.
func (d *Draft) takeWithoutErrors(uri, clause, before string, line int) bool {
	for range brokenMost {
		text := clause + before + DraftName + closers(before)
		_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
		list, ok := err.(scanner.ErrorList)
		if !ok || len(list) == 0 {
			return false
		}
		at := list[0].Pos.Offset - len(clause)
		if at < 0 || at >= line {
			return false
		}
		from := strings.LastIndexByte(before[:at], '\n') + 1
		to := from + strings.IndexByte(before[from:], '\n')
		if strings.TrimSpace(before[from:to]) == "" || closers(before[:from]) != closers(before[:to]) {
			return false
		}
		before = before[:from] + strings.Repeat(" ", to-from) + before[to:]
		if d.take(parseAsIs(uri, []byte(clause+before+DraftName+closers(before)))) {
			return true
		}
	}
	return false
}

func newDraft(uri string, text []byte, offset int) (d *Draft, section, clause string) {
	list := sections(text)
	s := list[sectionOf(list, offset)]
	d = &Draft{URI: uri, Source: text, Section: lsp.Span{Start: s.start, End: s.end}, Word: wordAround(text, offset)}
	d.Word.End = min(d.Word.End, max(offset, s.end)) // a keyword behind an empty section begins the next one
	d.Prefix = string(text[d.Word.Start:offset])
	d.Cursor = cursorAt(text[s.start:s.end], s.start, d.Word, offset)
	clause = draftClause
	if s.start == 0 {
		clause = ""
	}
	d.shift = len(clause) - s.start
	return d, string(text[s.start:s.end]), clause
}

// NewDraftAsIs makes a draft of the declaration around a place that has nothing put there, but for
// code that is not whole: of that it has what is before the place, with what closes it.
func NewDraftAsIs(uri string, text []byte, offset int) *Draft {
	d, section, clause := newDraft(uri, text, offset)
	whole := []byte(clause + section)
	if t := Parse(uri, whole); len(t.Errors) == 0 {
		pos := token.Pos(t.Pos.Base() + offset + d.shift)
		for _, decl := range t.AST.Decls {
			if decl.Pos() <= pos && pos <= decl.End() {
				d.Tree, d.Decl, d.At = t, decl, pos
			}
		}
		return d
	}
	cut := d.Word.Start
	if d.Cursor.Inside != token.ILLEGAL {
		cut = d.Cursor.Token.Start
	}
	before := section[:cut-d.Section.Start]
	d.take(parseAsIs(uri, []byte(clause+before+DraftName+closers(before))))
	return d
}

// mayLackComma reports whether the name ends a line in brackets whose elements need commas.
func (d *Draft) mayLackComma() bool {
	return d.Cursor.After == '\n' && (d.Cursor.Bracket == '{' || d.Cursor.Bracket == '(')
}

// withoutDangling is a text with a space in the place of each dot that no name can follow, since a
// keyword or a brace does, and a name where a value lacks before a bracket or a comma: either would
// take the statement below with it. The end of a text may be followed by anything.
func withoutDangling(text string) string {
	out, dot, last := []byte(nil), -1, token.ILLEGAL
	put := func(at int, c byte) {
		if out == nil {
			out = []byte(text)
		}
		out[at] = c
	}
	scanTokens([]byte(text), func(at int, tok token.Token, _ string) bool {
		if tok == token.COMMENT {
			return true
		}
		if dot >= 0 && (tok.IsKeyword() && tok != token.TYPE || tok == token.RBRACE || tok == token.RPAREN) {
			put(dot, ' ')
		}
		if dot = -1; tok == token.PERIOD {
			dot = at
		}
		if wantsValue(last) && (tok == token.COMMA || tok == token.RBRACE || tok == token.RPAREN) &&
			(text[at-1] == ' ' || text[at-1] == '\t') {
			put(at-1, '_')
		}
		last = tok
		return true
	})
	if out == nil {
		return text
	}
	return string(out)
}

// wantsValue reports whether a value stands behind a token. A colon may end a clause, too; there a
// name is a statement.
func wantsValue(tok token.Token) bool {
	return tok == token.COLON || tok == token.DEFINE || tok >= token.ADD_ASSIGN && tok <= token.AND_NOT_ASSIGN || tok == token.ASSIGN
}

// take looks for the name in a tree.
func (d *Draft) take(t *Tree) bool {
	if t == nil || t.Unfit {
		return false
	}
	for _, decl := range t.AST.Decls {
		var found *ast.Ident
		ast.Inspect(decl, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == DraftName {
				found = id
			}
			return found == nil
		})
		if found != nil {
			d.Tree, d.Name, d.Decl, d.At = t, found, decl, found.Pos()
			return true
		}
	}
	return false
}

// Imports is a tree of the whole text that has its imports alone.
func (d *Draft) Imports() *Tree {
	t := &Tree{URI: d.URI, Text: d.Source, Source: d.Source}
	file, _ := parser.ParseFile(positions, messageName(d.URI), d.Source, parser.ImportsOnly|parser.ParseComments)
	if file == nil || !file.FileStart.IsValid() {
		t.empty()
		return t
	}
	t.AST, t.Pos = file, positions.File(file.FileStart)
	positions.RemoveFile(t.Pos)
	return t
}

// Text is the source of a node of the draft.
func (d *Draft) Text(n ast.Node) string {
	s := d.Tree.Span(n.Pos(), n.End())
	return string(d.Tree.Text[s.Start:min(s.End, len(d.Tree.Text))])
}

// Offset is where in the text a position before the name is.
func (d *Draft) Offset(pos token.Pos) int { return d.Tree.Offset(pos) - d.shift }

// parseAsIs parses a text without repairs; nil if that gives nothing.
func parseAsIs(uri string, text []byte) *Tree {
	file, _ := parser.ParseFile(positions, messageName(uri), text, parseMode)
	if file == nil || !file.FileStart.IsValid() {
		return nil
	}
	t := &Tree{URI: uri, Text: text, Source: text, AST: file, Pos: positions.File(file.FileStart)}
	positions.RemoveFile(t.Pos)
	t.Unfit = DeeperThan(t.AST, MaxDepth)
	return t
}

// wordAround is the name that a place is in or at an end of; an empty span if there is none.
func wordAround(text []byte, offset int) lsp.Span {
	start, end := offset, offset
	for start > 0 {
		r, size := utf8.DecodeLastRune(text[:start])
		if !isNamePart(r) {
			break
		}
		start -= size
	}
	for end < len(text) {
		r, size := utf8.DecodeRune(text[end:])
		if !isNamePart(r) {
			break
		}
		end += size
	}
	return lsp.Span{Start: start, End: end}
}

func isNamePart(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// scanTokens calls fn for each token of a text, without the semicolons that are not written, until
// it returns false. Offsets are in the text.
func scanTokens(text []byte, fn func(at int, tok token.Token, lit string) bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var sc scanner.Scanner
	sc.Init(file, text, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		if !fn(file.Offset(pos), tok, lit) {
			return
		}
	}
}

// cursorAt finds the tokens around a place of a section, which starts at a place of the text.
func cursorAt(section []byte, start int, word lsp.Span, offset int) (c Cursor) {
	c.Before, c.Previous = token.ILLEGAL, token.ILLEGAL
	c.NewLine = true
	sizer := sectioner{text: section}
	type opened struct {
		bracket byte
		opener  token.Token
	}
	var open []opened
	at, name := offset-start, word.Start-start
	end := 0 // of the token before
	starts := func(end, from int) bool {
		return c.Before == token.ILLEGAL || c.Before == token.SEMICOLON || c.Before == token.LBRACE ||
			strings.Contains(string(section[end:from]), "\n")
	}
	scanTokens(section, func(from int, tok token.Token, lit string) bool {
		to := from + sizer.sizeAt(from, tok, lit)
		switch tok {
		case token.COMMENT:
			line := strings.HasPrefix(lit, "//")
			if line {
				// The scanner leaves out a carriage return at its end.
				to = from + len(lit)
			}
			if from < at && (at < to || line && at == to || !line && at <= to && !strings.HasSuffix(lit, "*/")) {
				c.Inside, c.Token = tok, lsp.Span{Start: start + from, End: start + to}
				return false
			}
			return from < at
		case token.STRING, token.CHAR:
			closed := to-from > 1 && section[to-1] == section[from]
			if from < at && (at < to || at == to && !closed) {
				c.Inside, c.Token = tok, lsp.Span{Start: start + from, End: start + to}
				return false
			}
		case token.INT, token.FLOAT, token.IMAG:
			if from < at && at <= to {
				c.Inside, c.Token = tok, lsp.Span{Start: start + from, End: start + to}
				return false
			}
		}
		if from >= name {
			return false
		}
		if starts(end, from) {
			c.First = tok
		}
		switch tok {
		case token.LPAREN, token.LBRACK:
			open = append(open, opened{tok.String()[0], c.First})
		case token.LBRACE:
			opener := c.First
			if c.Before == token.STRUCT || c.Before == token.INTERFACE {
				opener = c.Before
			}
			open = append(open, opened{'{', opener})
		case token.RPAREN, token.RBRACK, token.RBRACE:
			open = open[:max(len(open)-1, 0)]
		}
		c.Previous, c.Before, end = c.Before, tok, to
		return true
	})
	c.Depth = len(open)
	if len(open) > 0 {
		c.Bracket, c.Opener = open[len(open)-1].bracket, open[len(open)-1].opener
	}
	if end <= name {
		c.NewLine = starts(end, name)
	}
	rest := strings.TrimLeft(string(section[min(word.End-start, len(section)):]), " \t\r")
	switch {
	case strings.HasPrefix(rest, "//"):
		c.After = '\n'
	case rest != "":
		c.After = rest[0]
	}
	return c
}

// closers close the brackets that are open at the end of a text. A function literal behind go or
// defer is called, as the parser would drop it otherwise.
func closers(text string) string {
	var open []string
	var last token.Token
	literal := -1 // how many brackets are open around the function literal whose body is to come
	scanTokens([]byte(text), func(_ int, tok token.Token, _ string) bool {
		if tok == token.COMMENT {
			return true
		}
		switch tok {
		case token.FUNC:
			if last == token.GO || last == token.DEFER {
				literal = len(open)
			}
		case token.LPAREN:
			open = append(open, ")")
		case token.LBRACK:
			open = append(open, "]")
		case token.LBRACE:
			closer := "}"
			if literal == len(open) {
				closer, literal = "}()", -1
			}
			open = append(open, closer)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			for i := len(open) - 1; i >= 0; i-- {
				if open[i][0] == tok.String()[0] {
					open = open[:i]
					break
				}
			}
		}
		last = tok
		return true
	})
	slices.Reverse(open)
	return strings.Join(open, "")
}
