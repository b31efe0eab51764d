package conf

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// TokenLegend implements lsp.Tokenizer.
func (*workspace) TokenLegend() lsp.TokenLegend { return lsp.TokenLegend{Types: tokenTypes} }

// Tokens implements lsp.Tokenizer.
func (w *workspace) Tokens(t *runtime.Task, uri string, within lsp.Span) ([]lsp.Token, error) {
	text, err := w.Text(t, uri)
	return w.PlainTokens(uri, text, within), err
}

// PlainTokens implements lsp.Tokenizer.
func (*workspace) PlainTokens(_ string, text []byte, within lsp.Span) []lsp.Token {
	return slices.DeleteFunc(parse(string(text)).Tokens, func(token lsp.Token) bool {
		return token.Span.End < within.Start || within.End < token.Span.Start
	})
}

// Complete implements lsp.Completer: keywords where a line begins, and else names that are seen.
func (w *workspace) Complete(t *runtime.Task, uri string, offset int, _ lsp.CompletionOptions) (*lsp.CompletionList, error) {
	text, err := w.Text(t, uri)
	if err != nil {
		return nil, err
	}
	list := lsp.CompletionsAt(text, offset)
	start := list.Insert.Start
	add := func(label, detail string, kind lsp.CompletionKind) {
		list.Items = append(list.Items, lsp.Completion{Label: label, Detail: detail, Kind: kind, Text: label})
	}
	line := string(text[bytes.LastIndexByte(text[:start], '\n')+1 : start])
	if strings.TrimSpace(line) == "" {
		for _, word := range keywords {
			add(word, "", lsp.CompletionKeyword)
		}
		return list, nil
	}
	if !strings.Contains(line, "=") || strings.ContainsRune(line, '#') || strings.Count(line, `"`)%2 == 1 {
		return list, nil
	}
	return list, w.Ask(t, func(t *runtime.Task) error {
		return seen(t, uri, func(in string, s Statement) {
			switch {
			case in == uri && s.Line.Start <= start && start <= s.Line.End:
				for _, p := range s.Params {
					add(p.Text, "", lsp.CompletionVariable)
				}
			case s.Keyword == "let":
				add(s.Name.Text, s.Body.String(), lsp.CompletionVariable)
			default:
				add(s.Name.Text, strings.TrimPrefix(s.String(), "def "), lsp.CompletionFunction)
			}
		})
	})
}

// CompletionDoc and CompletionTriggers implement lsp.Completer: the detail says it all.
func (*workspace) CompletionDoc(*runtime.Task, string, string) (string, error) { return "", nil }
func (*workspace) CompletionTriggers() []string                                { return nil }

// checkName refuses names that are none, and those that a file with one of the places sees already.
func checkName(t *runtime.Task, places []lsp.Location, name string) (err error) {
	if p := parse("let " + name + " = 0"); len(p.Problems) > 0 || p.Statements[0].Name.Text != name || slices.Contains(keywords, name) {
		return &lsp.RefusedError{Reason: fmt.Sprintf("%q is no name", name)}
	}
	for _, at := range places {
		failed := seen(t, at.URI, func(in string, s Statement) {
			if s.Name.Text == name || slices.ContainsFunc(s.Params, func(p Name) bool { return p.Text == name }) {
				err = &lsp.RefusedError{Reason: name + " is declared in " + in[strings.LastIndex(in, "/")+1:]}
			}
		})
		if err = cmp.Or(failed, err); err != nil {
			return err
		}
	}
	return nil
}
