package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// A foundCall is a function that calls, or is called, and the places of the calls.
type foundCall struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind"`
	Place found   `json:"place"`
	Calls []found `json:"calls"`
}

func (a *app) implCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "impl FILE:LINE:COL|NAME",
		Short: "Print what implements the interface or method at a place, or what the type or method there implements",
		Args:  exactly(1, "one place, FILE:LINE:COL, or a name, as net/http.Client.Do"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askAt(cmd.Context(), args[0], func(q asker, p place) ([]found, error) { return q.implementation(cmd.Context(), p) })
		},
	}
}

func (a *app) callsCommand() *cobra.Command {
	var callees bool
	cmd := &cobra.Command{
		Use:   "calls FILE:LINE:COL|NAME",
		Short: "Print the functions that call the one at a place, or those that it calls",
		Args:  exactly(1, "one place, FILE:LINE:COL, or a name, as net/http.Client.Do"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askingAbout(cmd.Context(), args[0], func(q asker, p place) error {
				calls, err := q.calls(cmd.Context(), p, callees)
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if a.flags.json {
					return a.printJSON(append([]foundCall{}, calls...))
				}
				if len(calls) == 0 {
					return codeError(exitNothing)
				}
				for _, c := range calls {
					fmt.Fprintf(a.out, "%s\t%s %s\n", c.Place, c.Kind, c.Name)
					for _, at := range c.Calls {
						fmt.Fprintf(a.out, "    %s\t%s\n", at, at.Text)
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&callees, "callees", false, "print the functions that it calls")
	return cmd
}

var errUnable = errors.New("the language does not know")

func (l *local) implementation(ctx context.Context, p place) ([]found, error) {
	return asAt(ctx, l, p, "implementation", func(t *runtime.Task, file string, offset int) ([]found, error) {
		ws, ok := l.ws.(lsp.Implementer)
		if !ok {
			return nil, errUnable
		}
		locs, err := ws.Implementation(t, file, offset)
		if err != nil {
			return nil, err
		}
		return l.places(t, locs)
	})
}

func (l *local) calls(ctx context.Context, p place, callees bool) ([]foundCall, error) {
	return asAt(ctx, l, p, "calls", func(t *runtime.Task, file string, offset int) (out []foundCall, err error) {
		ws, ok := l.ws.(lsp.CallHierarchy)
		if !ok {
			return nil, errUnable
		}
		items, err := ws.Callables(t, file, offset)
		if err != nil {
			return nil, err
		}
		ask := ws.IncomingCalls
		if callees {
			ask = ws.OutgoingCalls
		}
		lines := newLines(l.ws, t)
		for _, item := range items {
			calls, err := ask(t, item.At.URI, item.At.Span.Start)
			if err != nil {
				return nil, err
			}
			for _, c := range calls {
				f := foundCall{Name: c.Item.Name, Kind: c.Item.Kind.String()}
				if f.Place, err = lines.place(c.Item.At); err != nil {
					return nil, err
				}
				in := c.Item.At.URI
				if callees {
					in = item.At.URI
				}
				for _, s := range c.Spans {
					at, err := lines.place(lsp.Location{URI: in, Span: s})
					if err != nil {
						return nil, err
					}
					f.Calls = append(f.Calls, at)
				}
				out = append(out, f)
			}
		}
		return out, nil
	})
}

func (r *remote) implementation(ctx context.Context, p place) ([]found, error) {
	var locs []remoteLocation
	if err := r.ask(ctx, "textDocument/implementation", p, nil, &locs); err != nil {
		return nil, err
	}
	return r.places(locs), nil
}

// A remoteItem is an item of a call hierarchy.
type remoteItem struct {
	Name           string              `json:"name"`
	Kind           protocol.SymbolKind `json:"kind"`
	URI            string              `json:"uri"`
	Range          protocol.Range      `json:"range"`
	SelectionRange protocol.Range      `json:"selectionRange"`
}

func (r *remote) calls(ctx context.Context, p place, callees bool) (out []foundCall, err error) {
	var items []remoteItem
	if err := r.ask(ctx, "textDocument/prepareCallHierarchy", p, nil, &items); err != nil {
		return nil, err
	}
	method := "callHierarchy/incomingCalls"
	if callees {
		method = "callHierarchy/outgoingCalls"
	}
	for _, item := range items {
		var calls []struct {
			From       remoteItem       `json:"from"`
			To         remoteItem       `json:"to"`
			FromRanges []protocol.Range `json:"fromRanges"`
		}
		if err := r.call(ctx, method, map[string]any{"item": item}, &calls); err != nil {
			return nil, err
		}
		for _, c := range calls {
			other, in := c.From, c.From.URI
			if callees {
				other, in = c.To, item.URI
			}
			f := foundCall{
				Name: other.Name, Kind: lsp.SymbolKind(other.Kind).String(),
				Place: r.place(remoteLocation{URI: other.URI, Range: other.SelectionRange}),
			}
			for _, at := range c.FromRanges {
				f.Calls = append(f.Calls, r.place(remoteLocation{URI: in, Range: at}))
			}
			out = append(out, f)
		}
	}
	return out, nil
}
