package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func (a *app) explainCommand() *cobra.Command {
	var (
		prove bool
		graph string
		p     server.GraphParams
	)
	cmd := &cobra.Command{
		Use:   "explain FILE",
		Short: "Print what is computed for a file and why it ran or was reused just now",
		Long: `explain prints what is computed for a file, why each of it ran or was reused just now, and what it has read.

With --prove it says which changes the last run of each is due to. That is found by replaying it: with these changes undone, and all
others as they are, the run before would have been reused; with any of them left, not. Nothing is kept of the replays.

With --graph it prints what the answers about the file rest on, and what rests on them, as text for Graphviz (dot) or as JSON.`,
		Args: exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if graph != "" && graph != "dot" && graph != "json" {
				return &usageError{fmt.Errorf("--graph is dot or json, not %q", graph)}
			}
			if p.Depth < 0 || p.Nodes < 0 {
				return &usageError{errors.New("--depth and --nodes count from 1")}
			}
			ctx := cmd.Context()
			file, err := existingFile(args[0])
			if err != nil {
				return err
			}
			a.onlyLooks = true
			q, err := a.openAsker(ctx, file, "explain")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, q.close()) }()
			if err := q.refresh(ctx); err != nil {
				return err
			}
			doc := protocol.TextDocumentIdentifier{URI: uri.File(file)}
			if graph != "" {
				p.TextDocument = doc
				g, err := q.graph(ctx, p)
				if err != nil {
					return err
				}
				if graph == "json" {
					return a.printJSON(g)
				}
				_, err = io.WriteString(a.out, g.DOT())
				return err
			}
			list, err := q.explain(ctx, server.ExplainParams{TextDocument: doc, Prove: prove})
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.printJSON(list)
			}
			for _, x := range list {
				a.printExplanation(x)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&prove, "prove", false, "say which changes each run is due to, and replay it without them")
	cmd.Flags().StringVar(&graph, "graph", "", "print the graph around the file's answers: dot or json")
	cmd.Flags().IntVar(&p.Depth, "depth", 0, "with --graph: steps below and above (default 2)")
	cmd.Flags().IntVar(&p.Nodes, "nodes", 0, "with --graph: nodes at most (default 200)")
	cmd.MarkFlagsMutuallyExclusive("prove", "graph")
	return cmd
}

func (a *app) printExplanation(x runtime.Explanation) {
	fmt.Fprintf(a.out, "%s(%s)\n  %s\n", x.Query, x.Key, x.Reason)
	const shown = 8
	if p := x.Proof; p != nil {
		when := "the last run"
		if p.Due {
			when = "the next run"
		}
		switch {
		case p.Problem != "":
			fmt.Fprintf(a.out, "    no cause is told: %s\n", p.Problem)
		case len(p.Changes) == 1:
			fmt.Fprintf(a.out, "    %s is due to %s\n      replayed without that change, the run before is reused\n", when, p.Changes[0])
		default:
			fmt.Fprintf(a.out, "    %s is due to %d changes together\n", when, len(p.Changes))
			for _, c := range p.Changes[:min(shown, len(p.Changes))] {
				fmt.Fprintf(a.out, "      %s\n", c)
			}
			if more := len(p.Changes) - shown; more > 0 {
				fmt.Fprintf(a.out, "      and %d more\n", more)
			}
			fmt.Fprintln(a.out, "      replayed without them, the run before is reused; with any one of them, it is not")
		}
	}
	for _, r := range x.Reads[:min(shown, len(x.Reads))] {
		fmt.Fprintf(a.out, "    reads %s\n", r)
	}
	if more := len(x.Reads) - shown; more > 0 {
		fmt.Fprintf(a.out, "    and %d more\n", more)
	}
}

// explainer returns the workspace as one.
func (l *local) explainer() (server.Explainer, error) {
	ws, ok := l.ws.(server.Explainer)
	if !ok {
		return nil, errors.New("the language does not explain its answers")
	}
	return ws, nil
}

func (l *local) explain(ctx context.Context, p server.ExplainParams) ([]runtime.Explanation, error) {
	ws, err := l.explainer()
	if err != nil {
		return nil, err
	}
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) ([]runtime.Explanation, error) {
		return server.Explained(t, ws, string(p.TextDocument.URI), p.Prove)
	}, runtime.Named("explain"))
}

func (r *remote) explain(ctx context.Context, p server.ExplainParams) (list []runtime.Explanation, err error) {
	return list, r.callPlain(ctx, server.MethodExplain, p, &list)
}

func (l *local) graph(ctx context.Context, p server.GraphParams) (runtime.Graph, error) {
	ws, err := l.explainer()
	if err != nil {
		return runtime.Graph{}, err
	}
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) (runtime.Graph, error) {
		return server.GraphAbout(t, ws, string(p.TextDocument.URI), p)
	}, runtime.Named("graph"))
}

func (r *remote) graph(ctx context.Context, p server.GraphParams) (g runtime.Graph, err error) {
	return g, r.callPlain(ctx, server.MethodGraph, p, &g)
}
