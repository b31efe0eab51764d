package conf

import (
	"bytes"
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

// layOut gives the edits after which each statement begins its line, with a space between words.
func layOut(uri string, text []byte) (edits []lsp.TextEdit, err error) {
	f := parse(string(text))
	if len(f.Problems) > 0 {
		return nil, &lsp.FileError{URI: uri, Offset: f.Problems[0].Span.Start, Err: lsp.ErrSyntax}
	}
	for _, s := range f.Statements {
		line := lsp.Span{Start: bytes.LastIndexByte(text[:s.Line.Start], '\n') + 1, End: s.Line.End}
		want := strings.TrimSpace(s.String() + " " + s.Comment)
		if string(text[line.Start:line.End]) != want {
			edits = append(edits, lsp.TextEdit{Span: line, NewText: want})
		}
	}
	return edits, nil
}
