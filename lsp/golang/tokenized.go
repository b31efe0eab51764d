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
	if err != nil || !syntax.IsGoFile(uri) || !w.set().wantsTokens() {
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
	return w.set().wantedTokens(list), err
}

// PlainTokens implements lsp.Tokenizer.
func (w *workspace) PlainTokens(uri string, text []byte, within lsp.Span) []lsp.Token {
	uri, err := w.canonical(uri)
	if err != nil || !syntax.IsGoFile(uri) || !w.set().wantsTokens() {
		return nil
	}
	return w.set().wantedTokens(tokens.Plain(syntax.Trees.Get(uri, text), within))
}

// wantsTokens reports whether the user has left the tokens on.
func (s settings) wantsTokens() bool { return s.SemanticTokens == nil || *s.SemanticTokens }

// wantedTokens are tokens without the types and modifiers that the user has switched off.
func (s settings) wantedTokens(list []lsp.Token) []lsp.Token {
	if len(s.TokenTypes) == 0 && len(s.TokenModifiers) == 0 {
		return list
	}
	isOff := func(set map[string]bool, name string) bool {
		on, said := set[name]
		return said && !on
	}
	var masked uint32
	for i, name := range tokens.Legend.Modifiers {
		if isOff(s.TokenModifiers, name) {
			masked |= 1 << i
		}
	}
	out := make([]lsp.Token, 0, len(list))
	for _, t := range list {
		if !isOff(s.TokenTypes, tokens.Legend.Types[t.Type]) {
			t.Modifiers &^= masked
			out = append(out, t)
		}
	}
	return out
}
