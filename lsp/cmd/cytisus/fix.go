package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// fixKinds are the kinds of actions that fix makes: those that are about a file as a whole.
var fixKinds = []string{"source.fixAll", "source.organizeImports"}

func (a *app) fixCommand() *cobra.Command {
	var diff, write bool
	var kinds []string
	cmd := &cobra.Command{
		Use:   "fix [FILE|DIR|DIR/...]...",
		Short: "Make the safe fixes of analyzers and organize imports",
		Long: `Make the fixes that analyzers propose, where there is one that leaves nothing wrong, and organize imports: add those
that are missing, remove those that nothing uses.

The files are listed, with the number of changes of each, and with --write they are written; with --diff the difference is
printed instead of the list. Nothing is written at all if a file has changed meanwhile. What could not be done together with
the rest is done by another run.

Below a directory all Go files are taken but those of vendor and testdata, generated ones, and those of directories
whose names begin with a dot or an underscore. Without an argument the current directory is taken.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, k := range kinds {
				if !slices.Contains(fixKinds, k) {
					return &usageError{fmt.Errorf("fix makes changes of the kinds %s, not of %q", strings.Join(fixKinds, " and "), k)}
				}
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			names, err := goFiles(args)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				return a.change(nil, false, diff)
			}
			return a.asking(cmd.Context(), names[0], func(q asker) error {
				var changes []fileChange
				for _, name := range names {
					c, err := q.fix(cmd.Context(), name, kinds)
					if refused, ok := errors.AsType[*refusedError](err); ok {
						fmt.Fprintf(a.err, "cytisus: %s: %s\n", short(name), refused)
						continue
					}
					if err != nil {
						return fmt.Errorf("%s: %w", short(name), err)
					}
					if c.Old != c.New {
						changes = append(changes, c)
					}
				}
				return a.change(changes, write, diff)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&write, "write", "w", false, "write the files")
	f.BoolVarP(&diff, "diff", "d", false, "print the difference")
	f.StringSliceVar(&kinds, "kind", fixKinds, "what to do, comma-separated")
	return cmd
}

// goFiles are the Go files that arguments name, each once. Generated ones are taken only by name.
func goFiles(args []string) (names []string, err error) {
	for _, arg := range args {
		dir, below := strings.CutSuffix(arg, "...")
		name, err := filepath.Abs(filepath.Clean(dir))
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", arg, err)
		}
		info, err := os.Stat(name)
		switch {
		case err != nil || below && !info.IsDir():
			return nil, &usageError{fmt.Errorf("there is no file or directory %s", arg)}
		case !info.IsDir() && filepath.Ext(name) != ".go":
			return nil, &usageError{fmt.Errorf("%s is no Go file", arg)}
		case !info.IsDir():
			names = append(names, name)
			continue
		}
		err = eachLaidFile(name, func(name string) error {
			if filepath.Ext(name) != ".go" {
				return nil
			}
			text, err := files.Read(name, lsp.MaxFileBytes)
			if err == nil && !isGenerated(text) {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// isGenerated reports whether a line before the package clause says that the file is generated.
func isGenerated(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "package ") {
			return false
		}
		if strings.HasPrefix(line, "// Code generated ") && strings.HasSuffix(line, " DO NOT EDIT.") {
			return true
		}
	}
	return false
}

// together are the edits of several actions. One that overlaps with those before it is left out.
func together(all [][]lsp.TextEdit) (edits []lsp.TextEdit) {
	for _, some := range all {
		more := slices.Clone(edits)
		for _, e := range some {
			if !slices.Contains(more, e) {
				more = append(more, e)
			}
		}
		if lsp.SortEdits(more) == nil {
			edits = more
		}
	}
	return edits
}

func (l *local) fix(ctx context.Context, name string, kinds []string) (fileChange, error) {
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) (c fileChange, err error) {
		ws, ok := l.ws.(lsp.Actor)
		if !ok {
			return c, errUnable
		}
		file := string(uri.File(name))
		text, err := l.ws.Text(t, file)
		if err != nil {
			return c, err
		}
		found, err := ws.Actions(t, lsp.ActionRequest{URI: file, Only: kinds})
		if err != nil {
			return c, err
		}
		var all [][]lsp.TextEdit
		for _, a := range found {
			e, err := a.Edit(t)
			if err != nil {
				return c, &refusedError{err.Error()}
			}
			if e != nil && len(e.Files) == 1 && e.Files[0].URI == file {
				all = append(all, e.Files[0].Edits)
			}
		}
		return fixed(name, text, together(all))
	}, runtime.Named("fix"))
}

func fixed(name string, text []byte, edits []lsp.TextEdit) (fileChange, error) {
	changed, err := lsp.Apply(text, edits)
	return fileChange{File: name, Edits: len(edits), Old: string(text), New: string(changed)}, err
}

func (r *remote) fix(ctx context.Context, name string, kinds []string) (c fileChange, err error) {
	text, err := files.Read(name, lsp.MaxFileBytes)
	if err != nil {
		return c, fmt.Errorf("reading what is to change: %w", err)
	}
	var found []struct {
		Edit *remoteEdit `json:"edit"`
	}
	params := map[string]any{
		"textDocument": map[string]any{"uri": string(uri.File(name))},
		"range":        protocol.Range{},
		"context":      map[string]any{"diagnostics": []any{}, "only": kinds},
	}
	if err := r.call(ctx, protocol.MethodTextDocumentCodeAction, params, &found); err != nil {
		return c, err
	}
	var all [][]lsp.TextEdit
	for _, a := range found {
		if a.Edit == nil {
			continue
		}
		edits := a.Edit.Changes[string(uri.File(name))]
		for _, d := range a.Edit.DocumentChanges {
			if d.TextDocument.URI == string(uri.File(name)) {
				edits = append(edits, d.Edits...)
			}
		}
		own, err := textEdits(text, edits)
		if err != nil {
			return c, err
		}
		all = append(all, own)
	}
	return fixed(name, text, together(all))
}
