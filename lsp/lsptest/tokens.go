package lsptest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

// A legend names the types and modifiers of semantic tokens.
type legend struct{ TokenTypes, TokenModifiers []string }

// readLegend takes it out of what initialize answered.
func readLegend(initialized string) legend {
	var result struct {
		Capabilities struct {
			SemanticTokensProvider struct{ Legend legend }
		}
	}
	_ = json.Unmarshal([]byte(initialized), &result) // without one there are no tokens
	return result.Capabilities.SemanticTokensProvider.Legend
}

// A tokenSet is an answer with tokens.
type tokenSet struct {
	ResultID string
	Data     []int
}

func (p *player) allTokens(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	var set tokenSet
	if err := p.ask("textDocument/semanticTokens/full", editor.About(path), &set); err != nil {
		return "", err
	}
	p.tokens[path] = set
	return p.showTokens(path, set.Data)
}

// changedTokens brings the last answer up to date.
func (p *player) changedTokens(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	last := p.tokens[path]
	params := editor.About(path)
	params["previousResultId"] = last.ResultID
	var delta struct {
		tokenSet
		Edits []struct {
			Start, DeleteCount int
			Data               []int
		}
	}
	if err := p.ask("textDocument/semanticTokens/full/delta", params, &delta); err != nil {
		return "", err
	}
	set := delta.tokenSet
	if set.Data == nil {
		set.Data = slices.Clone(last.Data)
		slices.SortFunc(delta.Edits, func(a, b struct {
			Start, DeleteCount int
			Data               []int
		},
		) int {
			return b.Start - a.Start // the last first: all refer to the old answer
		})
		for _, e := range delta.Edits {
			if e.Start+e.DeleteCount > len(set.Data) {
				return "", fmt.Errorf("an edit of tokens reaches beyond their end")
			}
			set.Data = slices.Replace(set.Data, e.Start, e.Start+e.DeleteCount, e.Data...)
		}
	}
	p.tokens[path] = set
	return p.showTokens(path, set.Data)
}

func (p *player) rangeTokens(args []string) (string, error) {
	at, _, err := p.spot(args)
	if err != nil {
		return "", err
	}
	params := editor.About(at.path)
	params["range"] = at.rangeOf()
	var set tokenSet
	if err := p.ask("textDocument/semanticTokens/range", params, &set); err != nil {
		return "", err
	}
	return p.showTokens(at.path, set.Data)
}

// showTokens shows tokens, each with its text.
func (p *player) showTokens(path string, data []int) (string, error) {
	text, err := p.Text(path)
	if err != nil {
		return "", err
	}
	all := strings.Split(text, "\n")
	var lines []string
	line, column := 0, 0
	for ; len(data) >= 5; data = data[5:] {
		if data[0] > 0 {
			line, column = line+data[0], 0
		}
		column += data[1]
		if line >= len(all) || column+data[2] > len(all[line]) || data[3] >= len(p.legend.TokenTypes) {
			return "", fmt.Errorf("the token %v at line %d, column %d does not fit", data[:5], line+1, column+1)
		}
		shown := fmt.Sprintf("%d:%d-%d %s", line+1, column+1, column+data[2]+1, p.legend.TokenTypes[data[3]])
		for i, modifier := range p.legend.TokenModifiers {
			if data[4]&(1<<i) != 0 {
				shown += " " + modifier
			}
		}
		lines = append(lines, shown+"  "+all[line][column:column+data[2]])
	}
	if len(data) > 0 {
		return "", fmt.Errorf("%d numbers are left behind the last token", len(data))
	}
	return list(lines), nil
}
