package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// asking opens an asker for what is around a file or directory, runs fn with it and closes it.
func (a *app) asking(ctx context.Context, from string, fn func(asker) error) (err error) {
	q, err := a.openAsker(ctx, from, "query")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.close()) }()
	if err := q.refresh(ctx); err != nil {
		return err
	}
	for again := 0; ; again++ {
		err := fn(q)
		l, own := q.(*local)
		if !own || again == damagedMax || !errors.Is(err, runtime.ErrDamaged) {
			return err
		}
		// What is damaged in the store was dropped when it was read: a text is read again, a result
		// computed again.
		if err := l.refresh(ctx); err != nil {
			return err
		}
	}
}

// damagedMax bounds how often a question is asked again because something in the store turned out
// to be damaged.
const damagedMax = 16

func (a *app) defCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "def FILE:LINE:COL|NAME",
		Short: "Print where what stands at a place is declared",
		Args:  exactly(1, "one place, FILE:LINE:COL, or a name, as net/http.Client.Do"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askAt(cmd.Context(), args[0], func(q asker, p place) ([]found, error) { return q.definition(cmd.Context(), p) })
		},
	}
}

func (a *app) refsCommand() *cobra.Command {
	var declaration bool
	cmd := &cobra.Command{
		Use:   "refs FILE:LINE:COL|NAME",
		Short: "Print every place that names what stands at a place",
		Args:  exactly(1, "one place, FILE:LINE:COL, or a name, as net/http.Client.Do"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askAt(cmd.Context(), args[0], func(q asker, p place) ([]found, error) {
				return q.references(cmd.Context(), p, declaration)
			})
		},
	}
	cmd.Flags().BoolVar(&declaration, "declaration", true, "include the declaration itself")
	return cmd
}

// askAt asks a question about a place whose answer is a list of places.
func (a *app) askAt(ctx context.Context, arg string, ask func(asker, place) ([]found, error)) error {
	return a.askingAbout(ctx, arg, func(q asker, p place) error {
		places, err := ask(q, p)
		if err == nil && len(places) == 0 {
			err = lsp.ErrNoSymbol
		}
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
		if a.flags.json {
			return a.printJSON(places)
		}
		for _, f := range places {
			fmt.Fprintf(a.out, "%s\t%s\n", f, f.Text)
		}
		return nil
	})
}

func (a *app) hoverCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hover FILE:LINE:COL|NAME",
		Short: "Print the declaration and documentation of what stands at a place",
		Args:  exactly(1, "one place, FILE:LINE:COL, or a name, as net/http.Client.Do"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askingAbout(cmd.Context(), args[0], func(q asker, p place) error {
				d, err := q.hover(cmd.Context(), p)
				if err == nil && d == nil {
					err = lsp.ErrNoSymbol
				}
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if a.flags.json {
					return a.printJSON(d)
				}
				fmt.Fprintln(a.out, d.Signature)
				if d.Doc != "" {
					fmt.Fprintf(a.out, "\n%s\n", d.Doc)
				}
				return nil
			})
		},
	}
}

func (a *app) symbolsCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "symbols PATTERN",
		Short: "Find declarations by name; letters may be left out (prl finds Println)",
		Args:  exactly(1, "one pattern"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.asking(cmd.Context(), ".", func(q asker) error {
				symbols, err := q.symbols(cmd.Context(), args[0], limit)
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.printJSON(append([]foundSymbol{}, symbols...))
				}
				if len(symbols) == 0 {
					fmt.Fprintf(a.err, "cytisus: no symbol matches %q\n", args[0])
					return codeError(exitNothing)
				}
				for _, s := range symbols {
					fmt.Fprintf(a.out, "%s\t%s\t%s.%s\n", s.Place, s.Kind, s.Container, s.Name)
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "print at most this many")
	return cmd
}

func (a *app) outlineCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "outline FILE",
		Short: "Print the declarations of a file",
		Args:  exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := existingFile(args[0])
			if err != nil {
				return err
			}
			return a.asking(cmd.Context(), file, func(q asker) error {
				items, err := q.outline(cmd.Context(), file)
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.printJSON(append([]outlined{}, items...))
				}
				a.printOutline(items, "")
				return nil
			})
		},
	}
}

func (a *app) printOutline(items []outlined, indent string) {
	for _, it := range items {
		fmt.Fprintf(a.out, "%6d  %s%s %s", it.Place.Line, indent, it.Kind, it.Name)
		if it.Detail != "" {
			fmt.Fprintf(a.out, "  %s", it.Detail)
		}
		fmt.Fprintln(a.out)
		a.printOutline(it.Children, indent+"  ")
	}
}
