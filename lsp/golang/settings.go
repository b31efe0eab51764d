package golang

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/describe"
	"github.com/cytisus/cytisus/lsp/golang/lint"
)

// completions are the settings of package complete, which are called like those of lint.
type completions = complete.Settings

// descriptions are the settings of package describe.
type descriptions = describe.Settings

// settings are what a user can set. Unknown ones are ignored: several versions share a file.
type settings struct {
	// Hints says which kinds of hints are wanted (package hints); none by default.
	Hints map[string]bool `json:"hints"`

	// Lenses says which kinds of lenses are wanted (package lenses), where that differs from the
	// default.
	Lenses map[string]bool `json:"codelenses"`

	// SymbolMatcher and SymbolStyle say which names a search finds, and what stands before them
	// (index.NewSearch); SymbolScope is "all" for a search also in packages that the workspace
	// imports.
	SymbolMatcher string `json:"symbolMatcher"`
	SymbolStyle   string `json:"symbolStyle"`
	SymbolScope   string `json:"symbolScope"`

	// Gofumpt says that files are laid out as gofumpt has it; Local is what the paths of imports
	// begin with that stand behind all others, several parted by commas.
	Gofumpt bool   `json:"gofumpt"`
	Local   string `json:"local"`

	// SemanticTokens says whether there are any, TokenTypes and TokenModifiers which of them are
	// left out, by their names in the legend (tokens.Legend).
	SemanticTokens *bool           `json:"semanticTokens"`
	TokenTypes     map[string]bool `json:"semanticTokenTypes"`
	TokenModifiers map[string]bool `json:"semanticTokenModifiers"`

	// Settings say which analyzers look at open files.
	lint.Settings

	// Descriptions say how much a reader is told.
	descriptions

	// Completions say what is completed, and how.
	completions
}

// readSettings reads what a user has set. A name may have dots, as in "ui.completion.matcher": what
// is before the last one says where a reader finds it.
func readSettings(raw []byte) (*settings, error) {
	s := &settings{}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) == nil {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			last := name[strings.LastIndexByte(name, '.')+1:]
			if _, has := all[last]; !has {
				all[last] = all[name]
			}
		}
		plain, err := json.Marshal(all)
		if err != nil {
			return s, err
		}
		raw = plain
	}
	return s, json.Unmarshal(raw, s)
}
