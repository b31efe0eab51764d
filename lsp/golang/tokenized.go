package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/lsp/golang/tokens"
	"github.com/cytisus/cytisus/runtime"
)

// TokenLegend implements lsp.Tokenizer.
func (*workspace) TokenLegend() lsp.TokenLegend { return tokens.Legend }

// Tokens implements lsp.Tokenizer. Of a file that no package has, syntax tells what there is to
// know.
func (w *workspace) Tokens(t *runtime.Task, uri string, within lsp.Span) (list []lsp.Token, err error) {
	uri, err = w.canonical(uri)
	if err != nil || !syntax.IsGoFile(uri) {
		return nil, err
	}
	err = w.withView(t, check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}, func(v *view) error {
		list = tokens.Of(v.View, within)
		return nil
	})
	if errors.Is(err, lsp.ErrNoSymbol) || errors.Is(err, check.ErrUnfit) {
		text, err := w.Text(t, uri)
		if err != nil {
			return nil, err
		}
		return w.PlainTokens(uri, text, within), nil
	}
	return list, err
}

// PlainTokens implements lsp.Tokenizer.
func (w *workspace) PlainTokens(uri string, text []byte, within lsp.Span) []lsp.Token {
	uri, err := w.canonical(uri)
	if err != nil || !syntax.IsGoFile(uri) {
		return nil
	}
	return tokens.Plain(syntax.Trees.Get(uri, text), within)
}
