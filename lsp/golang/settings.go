package golang

import (
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

	// Settings say which analyzers look at open files.
	lint.Settings

	// Descriptions say how much a reader is told.
	descriptions

	// Completions say what is completed, and how.
	completions
}
