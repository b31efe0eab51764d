package golang

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/runtime"
)

// CommandLint is the command that has analyzers look at packages of the workspace, open or not. It
// takes a [LintParams] and gives a [LintReport].
const CommandLint = "go.lint"

// LintParams are the parameters of CommandLint.
type LintParams struct {
	URI   string   `json:"uri,omitempty"`   // of something in the workspace
	Files []string `json:"files,omitempty"` // URIs: only packages that one of these is compiled in; nil: all

	// Settings count in the place of those of the workspace.
	lint.Settings
}

// A LintReport is what analyzers have found.
type LintReport struct {
	Found  []LintFinding  `json:"found"`
	Failed []lint.Failure `json:"failed,omitempty"` // analyzers that gave no answer of some package
}

// A LintFinding is something that an analyzer has found. Lines and columns count from 1, columns in
// bytes; ends are exclusive.
type LintFinding struct {
	URI       string `json:"uri"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	Severity  string `json:"severity"`
	Source    string `json:"source"` // the analyzer
	Code      string `json:"code"`
	Href      string `json:"href,omitempty"`
	Message   string `json:"message"`
}

// ErrNoAnalyzer is in the error for settings that name an analyzer that there is not.
var ErrNoAnalyzer = errors.New("there is no such analyzer")

// lintAll executes CommandLint.
func (w *workspace) lintAll(t *runtime.Task, argument []byte) (lsp.CommandResult, error) {
	var p LintParams
	if err := json.Unmarshal(argument, &p); err != nil {
		return lsp.CommandResult{}, fmt.Errorf("%s: %w", CommandLint, err)
	}
	if unknown := p.Unknown(); len(unknown) > 0 {
		return lsp.CommandResult{}, fmt.Errorf("%s: %w: %s", CommandLint, ErrNoAnalyzer, strings.Join(unknown, ", "))
	}
	out := LintReport{Found: []LintFinding{}}
	err := w.ask(t, func(t *runtime.Task) error {
		for _, b := range w.currentBuilds() {
			if err := lintBuild(t, b.Root, &p, &out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return lsp.CommandResult{}, err
	}
	slices.SortStableFunc(out.Failed, func(a, b lint.Failure) int { return strings.Compare(a.Analyzer, b.Analyzer) })
	out.Failed = slices.CompactFunc(out.Failed, func(a, b lint.Failure) bool { return a.Analyzer == b.Analyzer })
	raw, err := json.Marshal(out)
	if err != nil {
		return lsp.CommandResult{}, fmt.Errorf("%s: what was found: %w", CommandLint, err)
	}
	return lsp.CommandResult{Value: raw}, nil
}

// lintBuild adds what is found in the packages of a build.
func lintBuild(t *runtime.Task, root string, p *LintParams, out *LintReport) error {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return err
	}
	uris := p.Files
	if uris == nil {
		uris, _ = workspaceFiles(false, m)
	}
	var keys []lintKey
	seen := map[string]bool{}
	for _, uri := range uris {
		if own := widest(m, uri); own != nil && !seen[own.ID] {
			seen[own.ID] = true
			keys = append(keys, lintKey{root, own.ID, p.Key()})
		}
	}
	results, err := lints.All(t, keys)
	if err != nil {
		return err
	}
	for i, r := range results {
		out.Failed = append(out.Failed, r.Failed...)
		for _, f := range r.Found {
			if own := widest(m, f.URI); own == nil || own.ID != keys[i].ID {
				continue // another package tells
			}
			text, err := textOf(t, f.URI)
			if err != nil {
				return err
			}
			found := LintFinding{
				URI: f.URI, Severity: f.Diag.Severity.String(), Source: f.Diag.Source, Code: f.Diag.Code, Href: f.Diag.Href, Message: f.Diag.Message,
			}
			found.Line, found.Column = lineColumn(text, f.Diag.Span.Start)
			found.EndLine, found.EndColumn = lineColumn(text, f.Diag.Span.End)
			out.Found = append(out.Found, found)
		}
	}
	return nil
}

// lineColumn counts from 1, columns in bytes.
func lineColumn(text []byte, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
