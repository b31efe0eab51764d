package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain FILE",
		Short: "Print what is computed for a file and why it ran or was reused just now",
		Args:  exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
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
			list, err := q.explain(ctx, file)
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.printJSON(list)
			}
			for _, x := range list {
				fmt.Fprintf(a.out, "%s(%s)\n  %s\n", x.Query, x.Key, x.Reason)
				const shown = 8
				for _, r := range x.Reads[:min(shown, len(x.Reads))] {
					fmt.Fprintf(a.out, "    reads %s\n", r)
				}
				if more := len(x.Reads) - shown; more > 0 {
					fmt.Fprintf(a.out, "    and %d more\n", more)
				}
			}
			return nil
		},
	}
}

func (l *local) explain(ctx context.Context, file string) ([]runtime.Explanation, error) {
	ws, ok := l.ws.(server.Explainer)
	if !ok {
		return nil, errors.New("the language does not explain its answers")
	}
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) ([]runtime.Explanation, error) {
		return ws.Explain(t, string(uri.File(file)))
	}, runtime.Named("explain"))
}

func (r *remote) explain(ctx context.Context, file string) (list []runtime.Explanation, err error) {
	params := map[string]any{"textDocument": map[string]any{"uri": string(uri.File(file))}}
	return list, r.callPlain(ctx, server.MethodExplain, params, &list)
}
