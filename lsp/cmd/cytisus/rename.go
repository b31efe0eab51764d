package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// A fileChange is what a rename makes of a file.
type fileChange struct {
	File    string `json:"file"`
	NewFile string `json:"newFile,omitempty"` // if it moves
	Edits   int    `json:"edits"`
	Old     string `json:"-"`
	New     string `json:"text,omitempty"` // if the text changes
}

// A refusedError says why something is not done that was asked for.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

func (a *app) renameCommand() *cobra.Command {
	var write, diff bool
	cmd := &cobra.Command{
		Use:   "rename FILE:LINE:COL|NAME NEWNAME",
		Short: "Give what stands at a place another name, everywhere, or say why that cannot be",
		Long: `Give what stands at a place, or has a name, another name, with all that has to go with it, in all files.

Without --write nothing is changed: the files are listed, or with --diff the difference is printed. A name that would
change what anything means is refused, with the reason.`,
		Args: exactly(2, "one place, FILE:LINE:COL, or name, and the new name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.askingAbout(cmd.Context(), args[0], func(q asker, p place) error {
				changes, err := q.rename(cmd.Context(), p, args[1])
				if refused, ok := errors.AsType[*refusedError](err); ok {
					fmt.Fprintf(a.err, "cytisus: %s\n", refused)
					return errBadNews
				}
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				return a.change(changes, write, diff)
			})
		},
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the files")
	cmd.Flags().BoolVarP(&diff, "diff", "d", false, "print the difference")
	return cmd
}

// change prints changes of files, and makes them if they are to be written: all of them, or as few
// as can be if one fails.
func (a *app) change(changes []fileChange, write, diff bool) error {
	if write {
		if err := writeChanges(changes); err != nil {
			return err
		}
	}
	if a.flags.json {
		return a.printJSON(append([]fileChange{}, changes...))
	}
	for _, c := range changes {
		to := c.File
		if c.NewFile != "" {
			to = c.NewFile
		}
		if diff {
			fmt.Fprint(a.out, udiff.Unified(short(c.File), short(to), c.Old, c.New))
			continue
		}
		fmt.Fprintf(a.out, "%s\t%d\n", short(to), c.Edits)
	}
	if !write && !diff && len(changes) > 0 {
		fmt.Fprintln(a.err, "Nothing is written yet: --write writes these files, --diff prints the difference.")
	}
	return nil
}

// writeChanges looks at all files before it writes the first: none has changed since it was read,
// and none is in the way. When a write fails, what was written before is put back.
func writeChanges(changes []fileChange) error {
	for _, c := range changes {
		text, err := files.Read(c.File, lsp.MaxFileBytes)
		if err != nil {
			return fmt.Errorf("reading before the change: %w", err)
		}
		if string(text) != c.Old {
			return fmt.Errorf("%s is not what it was when the change was made up, or an editor has unsaved changes of it: nothing is written", short(c.File))
		}
		if c.NewFile != "" && exists(c.NewFile) {
			return fmt.Errorf("%s is there already: nothing is written", short(c.NewFile))
		}
	}
	var undo []func() error
	for _, c := range changes {
		back, err := writeChange(c)
		if err != nil {
			err = fmt.Errorf("changing %s: %w", short(c.File), err)
			for _, fn := range slices.Backward(undo) {
				err = errors.Join(err, fn())
			}
			return err
		}
		undo = append(undo, back)
	}
	return nil
}

// writeChange makes one change and returns what takes it back.
func writeChange(c fileChange) (undo func() error, err error) {
	info, err := os.Stat(c.File)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.File, []byte(c.New), info.Mode().Perm()); err != nil {
		return nil, errors.Join(err, os.WriteFile(c.File, []byte(c.Old), info.Mode().Perm()))
	}
	text := func() error { return os.WriteFile(c.File, []byte(c.Old), info.Mode().Perm()) }
	if c.NewFile == "" {
		return text, nil
	}
	if err := os.MkdirAll(filepath.Dir(c.NewFile), 0o755); err != nil {
		return nil, errors.Join(err, text())
	}
	if err := os.Rename(c.File, c.NewFile); err != nil {
		return nil, errors.Join(err, text())
	}
	return func() error { return errors.Join(os.Rename(c.NewFile, c.File), text()) }, nil
}

func (l *local) rename(ctx context.Context, p place, name string) ([]fileChange, error) {
	return asAt(ctx, l, p, "rename", func(t *runtime.Task, file string, offset int) ([]fileChange, error) {
		ws, ok := l.ws.(lsp.Renamer)
		if !ok {
			return nil, errUnable
		}
		e, err := ws.Rename(t, file, offset, name)
		if refused, ok := errors.AsType[*lsp.RefusedError](err); ok {
			lines := newLines(l.ws, t)
			return nil, &refusedError{refused.Text(func(at lsp.Location) string {
				f, err := lines.place(at)
				if err != nil {
					return ""
				}
				return f.String()
			})}
		}
		if err != nil {
			return nil, err
		}
		by := map[string]*fileChange{}
		for _, f := range e.Files {
			text, err := l.ws.Text(t, f.URI)
			if err != nil {
				return nil, err
			}
			changed, err := lsp.Apply(text, f.Edits)
			if err != nil {
				return nil, err
			}
			by[filename(f.URI)] = &fileChange{File: filename(f.URI), Edits: len(f.Edits), Old: string(text), New: string(changed)}
		}
		for _, r := range e.Renames {
			if err := moved(by, filename(r.Old), filename(r.New)); err != nil {
				return nil, err
			}
		}
		return sortedChanges(by), nil
	})
}

// moved notes that a file gets another name.
func moved(by map[string]*fileChange, from, to string) error {
	if by[from] == nil {
		text, err := files.Read(from, lsp.MaxFileBytes)
		if err != nil {
			return fmt.Errorf("reading what is to move: %w", err)
		}
		by[from] = &fileChange{File: from, Old: string(text), New: string(text)}
	}
	by[from].NewFile = to
	return nil
}

func sortedChanges(by map[string]*fileChange) (list []fileChange) {
	for _, name := range slices.Sorted(maps.Keys(by)) {
		list = append(list, *by[name])
	}
	return list
}

// A remoteEdit is a change of files as the protocol has it.
type remoteEdit struct {
	Changes         map[string][]remoteTextEdit `json:"changes"`
	DocumentChanges []struct {
		Kind         string `json:"kind"`
		OldURI       string `json:"oldUri"`
		NewURI       string `json:"newUri"`
		TextDocument struct {
			URI string `json:"uri"`
		} `json:"textDocument"`
		Edits []remoteTextEdit `json:"edits"`
	} `json:"documentChanges"`
}

type remoteTextEdit struct {
	Range   protocol.Range `json:"range"`
	NewText string         `json:"newText"`
}

// textEdits are edits of a text whose columns are bytes.
func textEdits(text []byte, edits []remoteTextEdit) (out []lsp.TextEdit, err error) {
	for _, e := range edits {
		start, err := lineOffset(text, e.Range.Start)
		if err != nil {
			return nil, err
		}
		end, err := lineOffset(text, e.Range.End)
		if err != nil {
			return nil, err
		}
		out = append(out, lsp.TextEdit{Span: lsp.Span{Start: start, End: end}, NewText: e.NewText})
	}
	return out, nil
}

func (r *remote) rename(ctx context.Context, p place, name string) ([]fileChange, error) {
	var e remoteEdit
	if err := r.ask(ctx, "textDocument/rename", p, map[string]any{"newName": name}, &e); err != nil {
		return nil, err
	}
	by := map[string]*fileChange{}
	add := func(u string, edits []remoteTextEdit) error {
		c := &fileChange{File: filename(u), Edits: len(edits)}
		text, err := files.Read(c.File, lsp.MaxFileBytes)
		if err != nil {
			return fmt.Errorf("reading what is to change: %w", err)
		}
		out, err := textEdits(text, edits)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		changed, err := lsp.Apply(text, out)
		c.Old, c.New = string(text), string(changed)
		by[c.File] = c
		return err
	}
	for u, edits := range e.Changes {
		if err := add(u, edits); err != nil {
			return nil, err
		}
	}
	for _, d := range e.DocumentChanges {
		var err error
		switch d.Kind {
		case "":
			err = add(d.TextDocument.URI, d.Edits)
		case "rename":
			err = moved(by, filename(d.OldURI), filename(d.NewURI))
		default:
			err = fmt.Errorf("a change of kind %q", d.Kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return sortedChanges(by), nil
}

// lineOffset is the offset of a position whose columns are bytes.
func lineOffset(text []byte, p protocol.Position) (int, error) {
	at := 0
	for range p.Line {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return 0, errors.New("the file is not what the process that holds the store has: save it first")
		}
		at += i + 1
	}
	if at += int(p.Character); at > len(text) {
		return 0, errors.New("the file is not what the process that holds the store has: save it first")
	}
	return at, nil
}
