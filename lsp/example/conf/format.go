package conf

import (
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// String is the statement as it is laid out.
func (s Statement) String() string {
	out := s.Keyword
	switch s.Keyword {
	case "include":
		out += ` "` + s.Name.Text + `"`
	case "let":
		out += " " + s.Name.Text + " = " + s.Body.String()
	case "def":
		params := make([]string, len(s.Params))
		for i, p := range s.Params {
			params[i] = p.Text
		}
		out += " " + s.Name.Text + "(" + strings.Join(params, ", ") + ") = " + s.Body.String()
	}
	return out
}

// String is the expression as it is laid out.
func (e Expr) String() string {
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.String()
	}
	switch e.Kind {
	case "number", "string", "name":
		return e.Text
	case "call":
		return e.Text + "(" + strings.Join(args, ", ") + ")"
	case "(":
		return "(" + args[0] + ")"
	}
	return strings.Join(args, " "+e.Kind+" ")
}

// Format implements lsp.Formatter: each statement begins its line, with one space between words.
func (w *workspace) Format(uri string, text []byte) ([]lsp.TextEdit, error) {
	return w.FormatSpans(uri, text, []lsp.Span{{End: len(text)}})
}

// FormatSpans implements lsp.Formatter.
func (*workspace) FormatSpans(uri string, text []byte, spans []lsp.Span) (edits []lsp.TextEdit, err error) {
	f := parse(string(text))
	if len(f.Problems) > 0 {
		return nil, &lsp.FileError{URI: uri, Offset: f.Problems[0].Span.Start, Err: lsp.ErrSyntax}
	}
	for _, span := range spans {
		edits = append(edits, layOut(f, string(text), span)...)
	}
	return edits, nil
}

// layOut are the edits of the lines that a span touches.
func layOut(f File, text string, span lsp.Span) (edits []lsp.TextEdit) {
	for _, s := range f.Statements {
		line := lsp.Span{Start: strings.LastIndexByte(text[:s.Line.Start], '\n') + 1, End: s.Line.End}
		want := strings.TrimSpace(s.String() + " " + s.Comment)
		if line.Start <= span.End && span.Start <= line.End && text[line.Start:line.End] != want {
			edits = append(edits, lsp.TextEdit{Span: line, NewText: want})
		}
	}
	return edits
}

// FormatTyped implements lsp.Formatter: a newline lays out the line before it.
func (*workspace) FormatTyped(_ string, text []byte, offset int, typed string) []lsp.TextEdit {
	f := parse(string(text))
	before := strings.TrimRight(string(text[:offset]), "\r\n \t")
	if typed != "\n" || len(f.Problems) > 0 || before == "" {
		return nil
	}
	return layOut(f, string(text), lsp.Span{Start: len(before), End: len(before)})
}
