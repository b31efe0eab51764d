package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [DIR]",
		Short: "Print what does not parse or type-check; exit 1 if anything does not",
		Args:  atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			q, err := a.openAsker(ctx, dirArg(args), "check")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, q.close()) }()
			r, err := a.index(ctx, q)
			if err != nil {
				return err
			}
			found, err := q.diagnostics(ctx)
			if err != nil {
				return err
			}
			bad := 0
			for _, d := range found {
				if d.Severity == lsp.SeverityError.String() {
					bad++
				}
			}
			if a.flags.json {
				err = a.printJSON(append([]foundDiagnostic{}, found...))
			} else {
				for _, d := range found {
					fmt.Fprintf(a.out, "%s: %s: %s\n", d.Place, d.Severity, d.Message)
				}
				fmt.Fprintf(a.err, "%d errors, %d other findings\n", bad, len(found)-bad)
			}
			missing := a.missing(r.Missing)
			if err == nil && bad > 0 {
				err = errBadNews
			}
			return errors.Join(err, missing)
		},
	}
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
