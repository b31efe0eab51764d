package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// openFiles is how many files are edited by turns.
const openFiles = 16

// An editor edits files of a workspace.
type editor struct {
	eng    *runtime.Engine
	ws     lsp.Workspace
	files  []editedFile
	stderr io.Writer
}

// An editedFile is a file with a function.
type editedFile struct {
	uri  string
	text string
	body int // offset behind the brace that opens the function's body
	name int // offset of the function's name
}

// openEditor indexes a directory and opens files that are spread over it evenly.
func openEditor(ctx context.Context, eng *runtime.Engine, dir string, stderr io.Writer) (*editor, error) {
	ws, err := openIndexed(ctx, eng, dir, lsp.WorkspaceOptions{Tests: true}, stderr)
	if err != nil {
		return nil, err
	}
	e := &editor{eng: eng, ws: ws, stderr: stderr}
	var all []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "vendor" || path != dir && strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, ws.Close())
	}
	// The first of each stretch that can be edited.
	step := max(1, len(all)/openFiles)
	for stretch := range slices.Chunk(all, step) {
		for _, path := range stretch {
			if f, ok := editable(path); ok && e.indexed(ctx, f.uri) {
				e.files = append(e.files, f)
				break
			}
		}
	}
	if len(e.files) == 0 {
		return nil, errors.Join(fmt.Errorf("%s: no file with a function to edit", dir), ws.Close())
	}
	for i := range e.files {
		if err := ws.SetOverlay(ctx, e.files[i].uri, []byte(e.files[i].text)); err != nil {
			return nil, errors.Join(err, ws.Close())
		}
	}
	return e, ws.Settle(ctx)
}

// editable reads a file and finds a function with a body in it.
func editable(path string) (f editedFile, ok bool) {
	if built, err := build.Default.MatchFile(filepath.Split(path)); err != nil || !built {
		return f, false // its types are not checked
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return f, false
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	if err != nil {
		return f, false
	}
	for _, d := range tree.Decls {
		if fn, is := d.(*ast.FuncDecl); is && fn.Body != nil && fn.Name.Name != "_" {
			uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
			return editedFile{uri.String(), string(text), fset.Position(fn.Body.Lbrace).Offset + 1, fset.Position(fn.Name.Pos()).Offset}, true
		}
	}
	return f, false
}

// indexed reports whether a file is part of what the build has, and clean.
func (e *editor) indexed(ctx context.Context, uri string) bool {
	err := e.eng.Submit(ctx, lane.Default, func(t *runtime.Task) error {
		list, err := e.ws.Diagnostics(t, uri)
		if err == nil && len(list) > 0 {
			err = errors.New("not clean")
		}
		return err
	})
	return err == nil
}

// edit makes edits: a statement in a body, an error, and back, by turns, in one file after the
// other.
func (e *editor) edit(ctx context.Context, n int) error {
	var waits []time.Duration
	for i := range n {
		f := &e.files[i%len(e.files)]
		insert := ""
		switch i / len(e.files) % 3 {
		case 0:
			insert = fmt.Sprintf(" _ = %d;", i)
		case 1:
			insert = fmt.Sprintf(" undefined%d();", i)
		}
		text := f.text[:f.body] + insert + f.text[f.body:]
		began := time.Now()
		if err := e.ws.SetOverlay(ctx, f.uri, []byte(text)); err != nil {
			return err
		}
		var found int
		err := e.eng.Submit(ctx, lane.Input, func(t *runtime.Task) error {
			list, err := e.ws.Diagnostics(t, f.uri)
			found = len(list)
			return err
		})
		if err != nil {
			return fmt.Errorf("diagnostics of %s: %w", f.uri, err)
		}
		if wrong := strings.HasPrefix(insert, " undefined"); (found > 0) != wrong {
			return fmt.Errorf("%d diagnostics of %s after %q", found, f.uri, insert)
		}
		waits = append(waits, time.Since(began))
		err = e.eng.Submit(ctx, lane.RPC2, func(t *runtime.Task) error {
			_, err := e.ws.Hover(t, f.uri, f.name)
			_, err2 := e.ws.Symbols(t, f.uri)
			return errors.Join(err, err2)
		})
		if err := errors.Join(err, e.ws.Settle(ctx)); err != nil {
			return fmt.Errorf("%s: %w", f.uri, err)
		}
	}
	slices.Sort(waits)
	fmt.Fprintf(e.stderr, "# %d edits of %d files; until the diagnostics: p50 %s, most %s\n", n, len(e.files),
		waits[len(waits)/2].Round(10*time.Microsecond), waits[len(waits)-1].Round(10*time.Microsecond))
	return nil
}
