package conf

import (
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

// checkName refuses names that are none, and those that a file with one of the places sees already.
func checkName(t *runtime.Task, places []lsp.Location, name string) error {
	if p := parse("let " + name + " = 0"); len(p.Problems) > 0 || p.Statements[0].Name.Text != name || slices.Contains(keywords, name) {
		return &lsp.RefusedError{Reason: fmt.Sprintf("%q is no name", name)}
	}
	for _, at := range places {
		taken := ""
		err := seen(t, at.URI, func(in string, s Statement) {
			if s.Name.Text == name || slices.ContainsFunc(s.Params, func(p Name) bool { return p.Text == name }) {
				taken = in
			}
		})
		if err != nil {
			return err
		}
		if taken != "" {
			return &lsp.RefusedError{Reason: name + " is declared in " + taken[strings.LastIndex(taken, "/")+1:]}
		}
	}
	return nil
}
