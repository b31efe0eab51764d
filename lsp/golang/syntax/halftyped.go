package syntax

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
)

// A file that is being typed in mostly breaks in one declaration. The parser reads on from there
// and takes what follows for something else, so that the declarations below are gone, and with them
// all that names them, in this file and in others.
//
// So a file with syntax errors is cut into sections of one declaration each. A section that is
// whole is parsed as it is. One that spoils what follows it is changed until it does not: it gets
// the brackets that it lacks, or loses what comes behind the line before its error, or its body, or
// everything. What is taken out leaves spaces and what is added takes the place of white space, so
// every offset stays as it is. Only the parser sees the changed text.

// unsureMax bounds the names that are noted of one file.
const unsureMax = 1000

// A section is the text of one declaration.
type section struct {
	start, end int
	rest       int  // where what follows the declaration begins, and is none; end if nothing does
	last       int  // where its last token ends
	lastStart  int  // where it begins
	swallows   bool // there are lines in it that look like declarations, maybe of a string or comment
	repairs    []repair
	broken     bool
	open       bool           // broken, and what follows may have been taken for a part of it, or not have been typed yet
	problem    lsp.Diagnostic // of a broken one: its first error
}

// A repair is brackets to be put where a token ends, over the white space that is there.
type repair struct {
	at   int
	text string
	ends bool // the line has to end behind them
}

// A bracket is one that is open.
type bracket struct {
	close byte
	line  int  // number of the line that it stands in
	group bool // a parenthesis around declarations, which may hold what an expression cannot
}

// A sectioner cuts a text into sections, and finds out which brackets are missing.
type sectioner struct {
	text  []byte
	out   []section
	open  []bracket
	first token.Token // the keyword of the section
	body  bool        // braces were opened outside of everything else
	over  bool        // the declaration has ended
	line  int         // counts lines that have tokens
	upTo  int         // where the last token of the line before ends
}

// sections cuts a text. The first section begins with the file.
func sections(text []byte) []section {
	s := &sectioner{text: text, out: []section{{}}}
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var sc scanner.Scanner
	sc.Init(file, text, func(token.Position, string) {}, 0)
	before := token.ILLEGAL
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON {
			s.over = s.over || len(s.open) == 0
			if lit == "\n" {
				continue // it is not in the text
			}
		}
		s.token(file.Offset(pos), tok, lit, before)
		before = tok
	}
	s.finish(len(text))
	return s.out
}

func (s *sectioner) here() *section { return &s.out[len(s.out)-1] }

func (s *sectioner) token(at int, tok token.Token, lit string, before token.Token) {
	if bytes.IndexByte(s.text[s.here().last:at], '\n') >= 0 {
		s.line++
		s.upTo = s.here().last
	}
	if s.begins(at, tok) {
		s.finish(at)
		s.out = append(s.out, section{start: at, last: at})
		s.first, s.body, s.over = tok, false, false
		s.line++
		s.upTo = at
	} else if s.over && tok != token.SEMICOLON && s.here().rest == 0 {
		s.here().rest = at
	}
	switch tok {
	case token.LPAREN:
		group := before == token.CONST || before == token.VAR || before == token.TYPE || before == token.IMPORT
		s.open = append(s.open, bracket{')', s.line, group})
	case token.LBRACK:
		s.open = append(s.open, bracket{']', s.line, false})
	case token.LBRACE:
		if n := len(s.open); n > 0 && s.first == token.FUNC && !s.body && before != token.STRUCT && before != token.INTERFACE {
			// The body begins in the middle of the signature.
			s.here().repairs = append(s.here().repairs, repair{s.here().last, lacking(s.open), false})
			s.open = s.open[:0]
		}
		s.body = s.body || len(s.open) == 0
		s.open = append(s.open, bracket{'}', s.line, false})
	case token.RPAREN, token.RBRACK, token.RBRACE:
		// A bracket closes what was opened inside of its pair, too.
		for i := len(s.open) - 1; i >= 0; i-- {
			if s.open[i].close == tok.String()[0] {
				s.closeAbove(i+1, false)
				s.open = s.open[:i]
				break
			}
		}
	default:
		if endsExpression(tok) {
			n := len(s.open)
			for n > 0 && s.open[n-1].close != '}' && !s.open[n-1].group {
				n--
			}
			if n > 0 && n < len(s.open) {
				s.closeAbove(n, true)
			}
		}
	}
	s.note(at, at+s.sizeAt(at, tok, lit), tok == token.STRING)
}

// sizeAt is how much of the text a token takes. A literal is not always what stands there: the
// scanner leaves carriage returns out of raw strings, and gives a byte that is no character as one.
func (s *sectioner) sizeAt(at int, tok token.Token, lit string) int {
	switch {
	case tok == token.ILLEGAL:
		_, size := utf8.DecodeRune(s.text[at:])
		return size
	case tok == token.STRING && s.text[at] == '`':
		if n := bytes.IndexByte(s.text[at+1:], '`'); n >= 0 {
			return n + 2
		}
		return len(s.text) - at
	}
	return len(cmp.Or(lit, tok.String()))
}

// note makes a token the last one of the section.
func (s *sectioner) note(at, end int, isString bool) {
	h := s.here()
	comments := s.text[h.last:at]
	h.swallows = h.swallows || isString && declarationLine.Match(s.text[at:end]) ||
		bytes.Contains(comments, []byte("/*")) && declarationLine.Match(comments)
	h.lastStart, h.last = at, end
}

// declarationLine is a line below the first that looks like the beginning of a declaration.
var declarationLine = regexp.MustCompile(`\n(func|type|var|const)\b`)

// begins reports whether a keyword begins a declaration. Inside of brackets it does if no statement
// could begin like that, or if the section is formatted, so that no statement begins a line.
func (s *sectioner) begins(at int, tok token.Token) bool {
	switch tok {
	case token.FUNC, token.TYPE, token.VAR, token.CONST, token.IMPORT:
	default:
		return false
	}
	if at > 0 && s.text[at-1] != '\n' {
		return false
	}
	if len(s.open) == 0 || tok == token.FUNC && namedFunction.Match(s.text[at:]) || isFormatted(s.text[s.here().start:at]) {
		return true
	}
	s.here().swallows = true // for all we know
	return false
}

// namedFunction is how a function with a name begins, as no literal does.
var namedFunction = regexp.MustCompile(`^func[ \t]+(\w+[ \t]*[(\[]|\([^()]*\)[ \t]*\w+[ \t]*\()`)

// isFormatted reports whether no line of a declaration but the first begins with code that gofmt
// would indent.
func isFormatted(text []byte) bool {
	first := true
	for line := range bytes.Lines(text) {
		if !first && !isSpace(line[0]) && !bytes.ContainsRune([]byte("})/*`"), rune(line[0])) && !bytes.HasSuffix(bytes.TrimSpace(line), []byte(":")) {
			return false
		}
		first = false
	}
	return true
}

// closeAbove repairs what is open above number n, if it was opened in an earlier line.
func (s *sectioner) closeAbove(n int, lineBreak bool) {
	text := ""
	for i := len(s.open) - 1; i >= n; i-- {
		if s.open[i].line == s.line || s.open[i].close == '}' {
			return
		}
		text += string(s.open[i].close)
	}
	if text != "" {
		s.here().repairs = append(s.here().repairs, repair{s.upTo, text, lineBreak})
	}
	s.open = s.open[:n]
}

// finish ends a section.
func (s *sectioner) finish(end int) {
	h := s.here()
	h.end = end
	if h.rest == 0 {
		h.rest = end
	}
	if text := lacking(s.open); text != "" {
		h.repairs = append(h.repairs, repair{h.last, text, true})
	}
	s.open = s.open[:0]
}

// endsExpression reports whether a token cannot stand inside of the parentheses of an expression.
func endsExpression(tok token.Token) bool {
	switch tok {
	case token.ASSIGN, token.DEFINE, token.INC, token.DEC, token.SEMICOLON,
		token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN, token.QUO_ASSIGN, token.REM_ASSIGN, token.AND_ASSIGN,
		token.OR_ASSIGN, token.XOR_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN, token.AND_NOT_ASSIGN,
		token.IF, token.ELSE, token.FOR, token.SWITCH, token.SELECT, token.CASE, token.DEFAULT, token.RETURN, token.GO, token.DEFER,
		token.BREAK, token.CONTINUE, token.GOTO, token.FALLTHROUGH:
		return true
	}
	return false
}

// lacking are the brackets that close those which are open. A parenthesis inside of braces needs
// none: the parser finds the next statement by itself.
func lacking(open []bracket) string {
	var out []byte
	for _, b := range open {
		if b.close == '}' || b.group || !slices.Contains(out, '}') {
			out = append(out, b.close)
		}
	}
	slices.Reverse(out)
	return string(out)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// repair parses a broken file section by section, and notes what cannot be relied on.
func (t *Tree) repair() {
	list := sections(t.Text)
	source := bytes.Clone(t.Text)
	for i := range list {
		mend(source, &list[i], i == 0)
	}
	if file, err := parser.ParseFile(positions, messageName(t.URI), source, parseMode); file != nil && file.FileStart.IsValid() {
		tok := positions.File(file.FileStart)
		positions.RemoveFile(tok)
		tok.SetLinesForContent(t.Text)
		t.Source, t.AST, t.Pos = source, file, tok
		var errs []lsp.Diagnostic
		for _, s := range list {
			if s.broken {
				errs = append(errs, s.problem)
			}
		}
		// And of the file as a whole, such as an import that stands too late.
		errs = append(errs, syntaxErrors(err, t.Text)...)
		slices.SortStableFunc(errs, func(a, b lsp.Diagnostic) int { return a.Span.Start - b.Span.Start })
		t.Errors = firstOfEach(errs, list)
	}
	t.Doubt, t.Doubtful = t.doubts(list)
}

// mend looks whether a section is broken, and changes its part of the source until it spoils
// nothing else. The first section has the package clause.
func mend(source []byte, s *section, isFirst bool) {
	raw := bytes.Clone(source[s.start:s.end])
	first, _ := parseSection(raw, isFirst)
	if first < 0 && s.rest == s.end {
		return
	}
	s.broken = true
	s.open = s.swallows || s.end == len(source) && (first < 0 || s.start+first >= s.lastStart)
	s.problem = s.firstProblem(raw, first, isFirst)
	for _, change := range []func([]byte) bool{
		s.addBrackets,
		func(b []byte) bool { return s.addBrackets(b) && addMissing(b, isFirst) },
		func(b []byte) bool { return s.cutBehind(b, raw, first, isFirst) },
		s.dropBody,
	} {
		try := bytes.Clone(raw)
		blank(try[s.rest-s.start:])
		if !change(try) {
			continue
		}
		if _, safe := parseSection(try, isFirst); safe {
			copy(source[s.start:s.end], try)
			return
		}
	}
	if isFirst {
		return // without a package clause there is no file
	}
	blank(source[s.start:s.end])
}

// parseSection parses a section on its own. It returns the offset of the first error, negative if
// there is none, and whether a function behind the section would be found.
func parseSection(text []byte, isFirst bool) (first int, safe bool) {
	first, _, safe = readSection(text, isFirst)
	return first, safe
}

// readSection is parseSection with the message of the first error.
func readSection(text []byte, isFirst bool) (first int, message string, safe bool) {
	const head, tail = "package p;", "\nfunc behind() {}\n"
	source, skip := slices.Concat([]byte(head), text, []byte(tail)), len(head)
	if isFirst {
		source, skip = slices.Concat(text, []byte(tail)), 0
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.SkipObjectResolution|parser.AllErrors)
	first = -1
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		list.Sort()
		first, message = min(max(list[0].Pos.Offset-skip, 0), len(text)), list[0].Msg
	}
	if file == nil || len(file.Decls) == 0 {
		return first, message, false
	}
	fn, ok := file.Decls[len(file.Decls)-1].(*ast.FuncDecl)
	return first, message, ok && fn.Name.Name == "behind" && fn.Recv == nil
}

// firstProblem is the error of a broken section that is told.
func (s *section) firstProblem(raw []byte, first int, isFirst bool) lsp.Diagnostic {
	d := lsp.Diagnostic{Severity: lsp.SeverityError, Code: "syntax", Source: sourceSyntax}
	if first < 0 {
		first = len(raw)
	}
	if at := s.rest - s.start; at < min(first+1, len(raw)) {
		d.Span = lsp.Span{Start: s.rest, End: s.start + WordEnd(raw, at)}
		d.Message = "expected a declaration"
		return d
	}
	for _, r := range s.repairs {
		if at := r.at - s.start; at <= first {
			start := max(at-1, 0)
			d.Span = lsp.Span{Start: s.start + start, End: r.at}
			d.Message = "expected '" + r.text[:1] + "' behind this"
			if raw[start] == '.' {
				d.Message = "expected a name behind this"
			}
			return d
		}
	}
	d.Span = lsp.Span{Start: s.start + first, End: s.start + WordEnd(raw, first)}
	d.Message = sectionError(raw, isFirst)
	return d
}

// sectionError is what the parser says first of a section.
func sectionError(raw []byte, isFirst bool) string {
	source := raw
	if !isFirst {
		source = append([]byte("package p;"), raw...)
	}
	_, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		return list[0].Msg
	}
	return "syntax error"
}

// addBrackets puts the brackets where they lack; false if some find no room.
func (s *section) addBrackets(b []byte) bool {
	for _, r := range s.repairs {
		at, room := r.at-s.start, 0
		for at+room < len(b) && isSpace(b[at+room]) {
			room++
		}
		with := r.text
		if r.ends {
			with += "\n"
		}
		if at > 0 && b[at-1] == '.' && with[0] != '}' {
			// Behind a dot the parser takes a parenthesis for the name that is missing.
			at--
			room++
		}
		if len(with) > room {
			return false
		}
		copy(b[at:], with)
	}
	return true
}

// addMissing puts commas and names into literals and calls where the parser misses them, as far as
// the space there goes; false if it puts none. Behind a key without a value the parser gives up the
// statement, and what follows it.
func addMissing(b []byte, isFirst bool) (added bool) {
	const missingMost = 20
	for range missingMost {
		at, message, safe := readSection(b, isFirst)
		if at < 0 || safe {
			break
		}
		with := byte(',')
		switch {
		case strings.HasPrefix(message, "expected operand, found "):
			with, at = '_', roomBefore(b, at)
		case !strings.HasPrefix(message, "missing ','"):
			return added
		case at == len(b) || !isSpace(b[at]):
			at-- // a comment stands there
		}
		if at < 0 || !isSpace(b[at]) {
			break
		}
		b[at] = with
		added = true
	}
	return added
}

// roomBefore is the last space before an offset that ends no line, with nothing but space behind
// it; negative if there is none.
func roomBefore(b []byte, at int) int {
	for at--; at >= 0 && isSpace(b[at]); at-- {
		if b[at] != '\n' {
			return at
		}
	}
	return -1
}

// cutBehind keeps the lines before the first error, as few less as are needed, and closes them.
func (s *section) cutBehind(b, raw []byte, first int, isFirst bool) bool {
	const linesMax = 5
	cut := min(max(first, 0), len(raw))
	for range linesMax {
		if cut = bytes.LastIndexByte(raw[:cut], '\n'); cut <= 0 {
			return false
		}
		copy(b, raw)
		blank(b[cut+1:])
		kept := sections(b)
		last := &kept[len(kept)-1]
		if len(kept) > 2 || len(last.repairs) == 0 {
			continue
		}
		brackets := last.repairs[len(last.repairs)-1].text
		for i := cut + 1; i < len(b) && brackets != ""; i++ {
			if b[i] != '\n' {
				b[i], brackets = brackets[0], brackets[1:]
			}
		}
		if brackets != "" {
			continue
		}
		if _, safe := parseSection(b, isFirst); safe {
			return true
		}
	}
	return false
}

// dropBody leaves of a function its signature and an empty body.
func (s *section) dropBody(b []byte) bool {
	file, _ := parser.ParseFile(token.NewFileSet(), "", append([]byte("package p;"), b...), parser.SkipObjectResolution)
	if file == nil || len(file.Decls) == 0 {
		return false
	}
	fn, ok := file.Decls[0].(*ast.FuncDecl)
	if !ok || fn.Body == nil {
		return false
	}
	brace := int(fn.Body.Lbrace-file.FileStart) - len("package p;")
	if brace < 0 || brace+1 >= len(b) || b[brace] != '{' {
		return false
	}
	blank(b[brace+1:])
	b[brace+1] = '}'
	return true
}

// blank makes spaces of a text, and keeps its lines.
func blank(b []byte) {
	for i := range b {
		if b[i] != '\n' {
			b[i] = ' '
		}
	}
}

// firstOfEach keeps the first error of each section: the others may follow from it.
func firstOfEach(errs []lsp.Diagnostic, list []section) []lsp.Diagnostic {
	seen := map[int]bool{}
	return slices.DeleteFunc(errs, func(d lsp.Diagnostic) bool {
		s := sectionOf(list, d.Span.Start)
		defer func() { seen[s] = true }()
		return seen[s]
	})
}

// sectionOf is the number of the section around an offset.
func sectionOf(list []section, offset int) int {
	i, ok := slices.BinarySearchFunc(list, offset, func(s section, offset int) int { return cmp.Compare(s.start, offset) })
	if !ok {
		i--
	}
	return max(i, 0)
}

// doubts says what syntax errors leave open. An error changes nothing but its section, and inside
// the body of a function nothing that others can see, unless the section is open. What it may have
// changed is told by names and places; a broken declaration may be one of any name.
func (t *Tree) doubts(list []section) (d Doubt, ranges []lsp.Span) {
	for _, e := range t.Errors {
		s := list[sectionOf(list, e.Span.Start)]
		d.Open = d.Open || s.open
		r := lsp.Span{Start: s.start, End: s.end}
		for _, decl := range t.AST.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil || t.Offset(fn.Pos()) != s.start {
				continue
			}
			switch {
			case e.Span.Start < t.Offset(fn.Body.Lbrace):
				r.End = t.Offset(fn.Body.Lbrace)
			case e.Span.Start >= s.rest:
				r.Start = s.rest
			default:
				r.End = r.Start
			}
		}
		if r.End > r.Start {
			d.Open = true
			ranges = append(ranges, r)
			d.Names = append(d.Names, namesIn(t.Text[r.Start:r.End])...)
		}
	}
	slices.Sort(d.Names)
	d.Names = slices.Compact(d.Names)
	d.Names = d.Names[:min(len(d.Names), unsureMax)]
	return d, ranges
}

// namesIn are the identifiers of a text.
func namesIn(text []byte) (names []string) {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, func(token.Position, string) {}, 0)
	for {
		switch _, tok, lit := s.Scan(); tok {
		case token.EOF:
			return names
		case token.IDENT:
			names = append(names, lit)
		}
	}
}
