package main

import (
	"context"
	"encoding/json"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

// An asker answers the questions of the command line: the process itself over its own engine
// (local), or another process that holds the store (remote).
type asker interface {
	root() string
	definition(ctx context.Context, p place) ([]found, error)
	references(ctx context.Context, p place, declaration bool) ([]found, error)
	hover(ctx context.Context, p place) (*described, error)
	implementation(ctx context.Context, p place) ([]found, error)
	calls(ctx context.Context, p place, callees bool) ([]foundCall, error)
	complete(ctx context.Context, p place, limit int) ([]completed, error)
	signature(ctx context.Context, p place) (*called, error)
	rename(ctx context.Context, p place, name string) ([]fileChange, error)
	// fix is what changes of some kinds make of a file as a whole.
	fix(ctx context.Context, file string, kinds []string) (fileChange, error)
	symbols(ctx context.Context, pattern string, limit int) ([]foundSymbol, error)
	outline(ctx context.Context, file string) ([]outlined, error)
	explain(ctx context.Context, p server.ExplainParams) ([]runtime.Explanation, error)
	graph(ctx context.Context, p server.GraphParams) (runtime.Graph, error)

	// refresh has questions that come later see the disk as it is now. They compute what they need
	// and no more.
	refresh(ctx context.Context) error
	// index brings the store up to date and says what it found.
	index(ctx context.Context, m meter) (*indexReport, error)
	// diagnostics are those that the last index found, by file and position.
	diagnostics(ctx context.Context) ([]foundDiagnostic, error)
	// execute runs a command of the language. Its parameters and what it comes to are JSON.
	execute(ctx context.Context, command string, params any) (json.RawMessage, error)
	close() error
}

// A found is a place in a file, as printed. Lines and columns count from 1, columns in bytes; ends
// are exclusive.
type found struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	Text      string `json:"text,omitempty"` // the line, without its indentation
}

// A described is what hover prints.
type described struct {
	Signature string `json:"signature"`
	Doc       string `json:"doc,omitempty"`
}

// A foundSymbol is a match of a symbol search.
type foundSymbol struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Container string `json:"container,omitempty"`
	Place     found  `json:"place"`
}

// An outlined is a line of a file's outline.
type outlined struct {
	Name     string     `json:"name"`
	Detail   string     `json:"detail,omitempty"`
	Kind     string     `json:"kind"`
	Place    found      `json:"place"`
	Children []outlined `json:"children,omitempty"`
}

// A foundDiagnostic is something wrong at a place.
type foundDiagnostic struct {
	Place    found  `json:"place"`
	Severity string `json:"severity"`
	Source   string `json:"source,omitempty"`
	Code     string `json:"code,omitempty"`
	Href     string `json:"href,omitempty"` // a page that explains the code
	Message  string `json:"message"`
	Analyzer bool   `json:"analyzer,omitempty"` // Source is one
}
