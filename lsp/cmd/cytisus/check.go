package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// checkMode is what the flags of check say.
type checkMode struct {
	format      string
	since       string
	lint        bool
	staticcheck bool
	analyses    []string
	fail        string
}

func (a *app) checkCommand() *cobra.Command {
	var mode checkMode
	cmd := &cobra.Command{
		Use:   "check [PATH|PACKAGE]...",
		Short: "Print what does not parse or type-check, and what analyzers find; exit 1 if that is bad",
		Long: `check prints what is wrong with the module around the current directory, or around the first PATH. With arguments it prints that of
these files, of all that lies below these directories, of packages by their import paths, and, behind /..., of those below them.

With --lint analyzers look at the code, too: those of go vet, those of gopls, and those of staticcheck that are rarely wrong; --staticcheck
adds the rest. --analyses names some to switch on, or off behind a minus: --analyses=shadow,-printf. Both imply --lint.

With --since REV only what touches a line is printed that has changed since HEAD left REV (git merge-base), in commits or not, and
whatever is in files that git does not know. An error on another line that follows from a change is not.

Formats are text, json, github (annotations of a workflow run) and sarif (SARIF 2.1.0).

Exit codes: 0 nothing found that is at least as bad as --fail says (error; with --lint, warning); 1 something, or code that could not be
read or analyzed; 2 wrong usage, no such revision, or no git; others as cytisus help says.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.check(cmd.Context(), args, mode) },
	}
	f := cmd.Flags()
	f.StringVar(&mode.format, "format", "text", "text, json, github or sarif")
	f.StringVar(&mode.since, "since", "", "only what touches lines that changed since this git revision")
	f.BoolVar(&mode.lint, "lint", false, "have analyzers look at the code")
	f.BoolVar(&mode.staticcheck, "staticcheck", false, "have all analyzers of staticcheck look at the code")
	f.StringSliceVar(&mode.analyses, "analyses", nil, "analyzers to switch on, or off: NAME,-NAME")
	f.StringVar(&mode.fail, "fail", "", "how bad a finding is that makes the exit code 1: error, warning, info, hint or never")
	return cmd
}

// severities are those of findings, the worst first, and behind them what none has.
var severities = []string{lsp.SeverityError.String(), lsp.SeverityWarning.String(), lsp.SeverityInfo.String(), lsp.SeverityHint.String()}

// fill checks what the flags say together, and puts in what follows from it.
func (m *checkMode) fill(asJSON bool) error {
	m.lint = m.lint || m.staticcheck || len(m.analyses) > 0
	if asJSON && m.format == "text" {
		m.format = "json"
	}
	switch {
	case !slices.Contains([]string{"text", "json", "github", "sarif"}, m.format):
		return &usageError{fmt.Errorf("--format is %q, want text, json, github or sarif", m.format)}
	case asJSON && m.format != "json":
		return &usageError{fmt.Errorf("--json and --format=%s exclude each other", m.format)}
	case m.fail == "" && m.lint:
		m.fail = lsp.SeverityWarning.String()
	case m.fail == "":
		m.fail = lsp.SeverityError.String()
	case m.fail != "never" && !slices.Contains(severities, m.fail):
		return &usageError{fmt.Errorf("--fail is %q, want error, warning, info, hint or never", m.fail)}
	}
	return nil
}

// params are those of golang.CommandLint.
func (m *checkMode) params() golang.LintParams {
	var p golang.LintParams
	if m.staticcheck {
		p.Staticcheck = &m.staticcheck
	}
	for _, name := range m.analyses {
		if p.Analyses == nil {
			p.Analyses = map[string]bool{}
		}
		off, isOff := strings.CutPrefix(name, "-")
		p.Analyses[off] = !isOff
	}
	return p
}

func (a *app) check(ctx context.Context, args []string, mode checkMode) (err error) {
	if err := mode.fill(a.flags.json); err != nil {
		return err
	}
	q, err := a.openAsker(ctx, firstPath(args), "check")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.close()) }()
	chosen, err := choose(q.root(), args)
	if err != nil {
		return err
	}
	var changed changes
	if mode.since != "" {
		if changed, err = changesSince(ctx, q.root(), mode.since); err != nil {
			return err
		}
	}
	r, err := a.index(ctx, q)
	if err != nil {
		return err
	}
	found, err := q.diagnostics(ctx)
	if err != nil {
		return err
	}
	missing := r.Missing
	if mode.lint {
		p := mode.params()
		if mode.since != "" {
			p.Files = changed.uris()
		}
		more, failed, err := a.linted(ctx, q, p)
		if err != nil {
			return err
		}
		found = append(found, more...)
		for _, f := range failed {
			first, _, _ := strings.Cut(f.Why, "\n")
			missing = append(missing, fmt.Sprintf("what the analyzer %s finds: %s", f.Analyzer, first))
		}
	}
	found = slices.DeleteFunc(found, func(d foundDiagnostic) bool {
		return !chosen.has(d.Place.File) || mode.since != "" && !changed.touch(d.Place)
	})
	slices.SortStableFunc(found, func(x, y foundDiagnostic) int {
		p, o := x.Place, y.Place
		return cmp.Or(cmp.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column),
			cmp.Compare(x.Source, y.Source), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Message, y.Message))
	})
	// What analyzers find in files that an editor has open is among the diagnostics of these.
	found = slices.CompactFunc(found, func(x, y foundDiagnostic) bool {
		return x.Place == y.Place && x.Source == y.Source && x.Code == y.Code && x.Message == y.Message
	})
	if err := a.printFindings(q.root(), mode.format, found, missing); err != nil {
		return err
	}
	bad := slices.ContainsFunc(found, func(d foundDiagnostic) bool {
		return mode.fail != "never" && slices.Index(severities, d.Severity) <= slices.Index(severities, mode.fail)
	})
	if err = a.missing(missing); err == nil && bad {
		err = errBadNews
	}
	return err
}

// printFindings prints what was found in a format.
func (a *app) printFindings(root, format string, found []foundDiagnostic, missing []string) error {
	switch format {
	case "json":
		return a.printJSON(append([]foundDiagnostic{}, found...))
	case "github":
		return writeAnnotations(a.out, reportBase(root), found)
	case "sarif":
		return a.printJSON(sarifOf(reportBase(root), found, len(missing) == 0))
	}
	bad := 0
	for _, d := range found {
		if d.Severity == lsp.SeverityError.String() {
			bad++
		}
		by := ""
		if d.Analyzer {
			by = " (" + d.Source + ")"
		}
		fmt.Fprintf(a.out, "%s: %s: %s%s\n", d.Place, d.Severity, d.Message, by)
	}
	fmt.Fprintf(a.err, "%d errors, %d other findings\n", bad, len(found)-bad)
	return nil
}

// linted is what analyzers find.
func (a *app) linted(ctx context.Context, q asker, p golang.LintParams) ([]foundDiagnostic, []lintFailure, error) {
	p.URI = string(uri.File(q.root()))
	raw, err := q.execute(ctx, golang.CommandLint, p)
	if err != nil {
		return nil, nil, err
	}
	var report struct {
		Found  []golang.LintFinding `json:"found"`
		Failed []lintFailure        `json:"failed"`
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return nil, nil, fmt.Errorf("what analyzers found: %w", err)
	}
	var out []foundDiagnostic
	texts := textLines{}
	for _, f := range report.Found {
		at := found{File: filename(f.URI), Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn}
		at.Text = strings.TrimSpace(texts.line(at.File, at.Line))
		out = append(out, foundDiagnostic{
			Place: at, Severity: f.Severity, Source: f.Source, Code: f.Code, Href: f.Href, Message: f.Message, Analyzer: true,
		})
	}
	return out, report.Failed, nil
}

// A lintFailure says why an analyzer gave no answer.
type lintFailure struct {
	Analyzer string `json:"analyzer"`
	Why      string `json:"why"`
}

func (l *local) execute(ctx context.Context, command string, params any) (json.RawMessage, error) {
	argument, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return runtime.Evaluate(ctx, l.eng, lane.Default, func(t *runtime.Task) (json.RawMessage, error) {
		ws, ok := l.ws.(lsp.Commander)
		if !ok {
			return nil, fmt.Errorf("there is no command %s", command)
		}
		r, err := ws.Execute(t, command, [][]byte{argument})
		return r.Value, err
	}, runtime.Named(command))
}

func (r *remote) execute(ctx context.Context, command string, params any) (raw json.RawMessage, err error) {
	err = r.call(ctx, protocol.MethodWorkspaceExecuteCommand, map[string]any{"command": command, "arguments": []any{params}}, &raw)
	return raw, err
}

func (l *local) diagnostics(ctx context.Context) ([]foundDiagnostic, error) {
	return runtime.Evaluate(ctx, l.eng, lane.Default, func(t *runtime.Task) (out []foundDiagnostic, err error) {
		files := newLines(l.ws, t)
		below := string(uri.File(l.ws.Root()))
		elsewhere, _ := l.ws.(interface{ Reads(uri string) bool })
		err = partition.Diagnostics.Scan(t, runtime.All(), func(k partition.DiagnosticsKey, ds []lsp.Diagnostic) error {
			file := k.URI
			if !strings.HasPrefix(file, below) && (elsewhere == nil || !elsewhere.Reads(file)) {
				return nil // of another workspace that shares the store
			}
			for _, d := range ds {
				at, err := files.place(lsp.Location{URI: file, Span: d.Span})
				if err != nil {
					// A file that was refused (too large, not UTF-8) has no text to count lines in.
					at = found{File: filename(file), Line: 1, Column: 1, EndLine: 1, EndColumn: 1}
				}
				out = append(out, foundDiagnostic{Place: at, Severity: d.Severity.String(), Source: d.Source, Code: d.Code, Message: d.Message})
			}
			return nil
		})
		return out, err
	}, runtime.Named("diagnostics"))
}

func (r *remote) diagnostics(ctx context.Context) (out []foundDiagnostic, err error) {
	var report struct {
		Items []struct {
			URI   string `json:"uri"`
			Items []struct {
				Range    protocol.Range              `json:"range"`
				Severity protocol.DiagnosticSeverity `json:"severity"`
				Code     string                      `json:"code"`
				Source   string                      `json:"source"`
				Message  string                      `json:"message"`
			} `json:"items"`
		} `json:"items"`
	}
	if err := r.call(ctx, server.MethodDiagnostics, map[string]any{"previousResultIds": []any{}}, &report); err != nil {
		return nil, err
	}
	for _, file := range report.Items {
		for _, d := range file.Items {
			out = append(out, foundDiagnostic{
				Place: r.place(remoteLocation{URI: file.URI, Range: d.Range}), Severity: lsp.Severity(d.Severity).String(),
				Source: d.Source, Code: d.Code, Message: d.Message,
			})
		}
	}
	return out, nil
}
