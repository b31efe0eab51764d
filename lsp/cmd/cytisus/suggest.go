package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// A completed is something that could stand at a place.
type completed struct {
	Label  string `json:"label"`
	Kind   string `json:"kind"`
	Detail string `json:"detail,omitempty"`
	Text   string `json:"text"` // that takes the place of what was typed
}

// A called is the call around a place.
type called struct {
	Label      string   `json:"label"`
	Parameters []string `json:"parameters"`
	Active     int      `json:"active"` // the parameter that the place is for, from 0; -1 if it is for none
	Doc        string   `json:"doc,omitempty"`
}

func (a *app) completeCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "complete FILE:LINE:COL",
		Short: "Print what could stand at a place, best first",
		Args:  exactly(1, "one place, FILE:LINE:COL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askingAt(cmd.Context(), args[0], func(q asker, p place) error {
				items, err := q.complete(cmd.Context(), p, limit)
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if a.flags.json {
					return a.printJSON(append([]completed{}, items...))
				}
				if len(items) == 0 {
					return codeError(exitNothing)
				}
				for _, it := range items {
					fmt.Fprintf(a.out, "%s\t%s\t%s\n", it.Label, it.Kind, it.Detail)
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "print at most this many")
	return cmd
}

func (a *app) signatureCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "signature FILE:LINE:COL",
		Short: "Print what the call around a place takes",
		Args:  exactly(1, "one place, FILE:LINE:COL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askingAt(cmd.Context(), args[0], func(q asker, p place) error {
				c, err := q.signature(cmd.Context(), p)
				if err == nil && c == nil {
					err = lsp.ErrNoSymbol
				}
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if a.flags.json {
					return a.printJSON(c)
				}
				fmt.Fprintln(a.out, c.Label)
				if 0 <= c.Active && c.Active < len(c.Parameters) {
					fmt.Fprintf(a.out, "    %s\n", c.Parameters[c.Active])
				}
				if c.Doc != "" {
					fmt.Fprintf(a.out, "\n%s\n", c.Doc)
				}
				return nil
			})
		},
	}
}

// askingAt runs fn with a place of the command line and an asker for its file.
func (a *app) askingAt(ctx context.Context, arg string, fn func(asker, place) error) error {
	p, err := parsePlace(arg)
	if err != nil {
		return err
	}
	return a.asking(ctx, p.file, func(q asker) error { return fn(q, p) })
}

func (l *local) complete(ctx context.Context, p place, limit int) ([]completed, error) {
	return asAt(ctx, l, p, "completion", func(t *runtime.Task, file string, offset int) (out []completed, err error) {
		ws, ok := l.ws.(lsp.Completer)
		if !ok {
			return nil, errUnable
		}
		list, err := ws.Complete(t, file, offset, lsp.CompletionOptions{})
		if err != nil || list == nil {
			return nil, err
		}
		for _, it := range list.Items[:min(limit, len(list.Items))] {
			out = append(out, completed{Label: it.Label, Kind: it.Kind.String(), Detail: it.Detail, Text: it.Text})
		}
		return out, nil
	})
}

func (l *local) signature(ctx context.Context, p place) (*called, error) {
	return asAt(ctx, l, p, "signature", func(t *runtime.Task, file string, offset int) (*called, error) {
		ws, ok := l.ws.(lsp.SignatureHelper)
		if !ok {
			return nil, errUnable
		}
		sig, err := ws.SignatureHelp(t, file, offset, false)
		if err != nil || sig == nil {
			return nil, err
		}
		c := &called{Label: sig.Label, Parameters: []string{}, Active: sig.Active, Doc: strings.TrimSpace(sig.Doc)}
		for _, s := range sig.Params {
			c.Parameters = append(c.Parameters, sig.Label[s.Start:s.End])
		}
		return c, nil
	})
}

// A remoteCompletion is an item of a list of completions. Their order is that in which they are
// told.
type remoteCompletion struct {
	Label    string             `json:"label"`
	Kind     lsp.CompletionKind `json:"kind"`
	Detail   string             `json:"detail"`
	TextEdit struct {
		NewText string `json:"newText"`
	} `json:"textEdit"`
}

func (r *remote) complete(ctx context.Context, p place, limit int) (out []completed, err error) {
	var list *struct {
		Items []remoteCompletion `json:"items"`
	}
	if err := r.ask(ctx, "textDocument/completion", p, nil, &list); err != nil || list == nil {
		return nil, err
	}
	for _, it := range list.Items[:min(limit, len(list.Items))] {
		out = append(out, completed{Label: it.Label, Kind: it.Kind.String(), Detail: it.Detail, Text: it.TextEdit.NewText})
	}
	return out, nil
}

func (r *remote) signature(ctx context.Context, p place) (*called, error) {
	var help *struct {
		Signatures []struct {
			Label         string `json:"label"`
			Documentation struct {
				Value string `json:"value"`
			} `json:"documentation"`
			Parameters []struct {
				Label string `json:"label"`
			} `json:"parameters"`
		} `json:"signatures"`
		ActiveParameter *int `json:"activeParameter"`
	}
	if err := r.ask(ctx, "textDocument/signatureHelp", p, nil, &help); err != nil {
		return nil, err
	}
	if help == nil || len(help.Signatures) == 0 {
		return nil, nil
	}
	sig := help.Signatures[0]
	c := &called{Label: sig.Label, Parameters: []string{}, Active: -1, Doc: sig.Documentation.Value}
	if help.ActiveParameter != nil {
		c.Active = *help.ActiveParameter
	}
	for _, param := range sig.Parameters {
		c.Parameters = append(c.Parameters, param.Label)
	}
	return c, nil
}
