package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/gofmt"
)

// A fmtMode says what becomes of a file whose layout differs.
type fmtMode struct{ write, list, diff bool }

func (a *app) fmtCommand() *cobra.Command {
	var mode fmtMode
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR|DIR/...]...",
		Short: "Lay out Go files as gofmt does, and go.mod and go.work; exit 1 if one cannot be parsed",
		Long: `Lay out Go files as gofmt does, and go.mod and go.work files as the go command does.

Without a flag the layout is printed. Without a file, Go code is read from standard input. Below a directory all files
are taken but those of vendor and testdata, and of directories whose names begin with a dot or an underscore. No store
is opened.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				if mode.write {
					return &usageError{errors.New("fmt -w needs a file or a directory to write")}
				}
				text, err := io.ReadAll(a.in)
				if err != nil {
					return fmt.Errorf("reading standard input: %w", err)
				}
				_, err = a.layOut("standard input", "file:///stdin.go", text, mode)
				return err
			}
			return a.formatFiles(cmd.Context(), args, mode)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&mode.write, "write", "w", false, "write the layout into the file")
	f.BoolVarP(&mode.list, "list", "l", false, "print the names of files whose layout differs")
	f.BoolVarP(&mode.diff, "diff", "d", false, "print the difference; exit 1 if there is any")
	return cmd
}

// formatFiles lays out the files that arguments name. One that cannot be parsed keeps none of the
// others from it.
func (a *app) formatFiles(ctx context.Context, args []string, mode fmtMode) error {
	var differ []string
	var bad, failed error
	one := func(name string) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		text, err := files.Read(name, lsp.MaxFileBytes)
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		d, err := a.layOut(short(name), string(uri.File(name)), text, mode)
		if d {
			differ = append(differ, name)
		}
		if errors.Is(err, errBadNews) {
			bad, err = errBadNews, nil
		}
		return err
	}
	for _, arg := range args {
		dir, below := strings.CutSuffix(arg, "...")
		name, err := filepath.Abs(filepath.Clean(dir))
		if err != nil {
			return fmt.Errorf("finding %s: %w", arg, err)
		}
		info, err := os.Stat(name)
		switch {
		case err != nil || below && !info.IsDir():
			return &usageError{fmt.Errorf("there is no file or directory %s", arg)}
		case info.IsDir():
			err = eachLaidFile(name, one)
		default:
			err = one(name)
		}
		failed = errors.Join(failed, err)
	}
	if a.flags.json {
		failed = errors.Join(failed, a.printJSON(append([]string{}, differ...)))
	}
	if mode.diff && len(differ) > 0 {
		bad = errBadNews
	}
	if failed != nil {
		return failed
	}
	return bad
}

// eachLaidFile has fn take the files below a directory that have a layout.
func eachLaidFile(dir string, fn func(name string) error) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		base := filepath.Base(name)
		switch {
		case err != nil:
			return fmt.Errorf("looking for files: %w", err)
		case d.IsDir():
			if name != dir && (base == "vendor" || base == "testdata" || base[0] == '.' || base[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || base[0] == '.' || filepath.Ext(base) != ".go" && base != "go.mod" && base != "go.work":
			return nil
		}
		return fn(name)
	})
}

// layOut does with one text what the mode says, and reports whether its layout differs. A text that
// cannot be parsed is bad news.
func (a *app) layOut(name, u string, text []byte, mode fmtMode) (differs bool, err error) {
	laid, err := gofmt.Source(u, text)
	if errors.Is(err, lsp.ErrSyntax) {
		fmt.Fprintf(a.err, "%s: %v\n", name, err)
		return false, errBadNews
	}
	if err != nil {
		return false, err
	}
	differs = !bytes.Equal(text, laid)
	if mode == (fmtMode{}) && !a.flags.json {
		_, err := a.out.Write(laid)
		return differs, err
	}
	if !differs {
		return false, nil
	}
	if mode.list && !a.flags.json {
		fmt.Fprintln(a.out, name)
	}
	if mode.diff && !a.flags.json {
		fmt.Fprint(a.out, udiff.Unified(name+".orig", name, string(text), string(laid)))
	}
	if mode.write {
		path := uri.URI(u).FsPath()
		if err := replaceFile(path, laid); err != nil {
			return true, fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return true, nil
}

// replaceFile gives a file another content, or leaves it as it is.
func replaceFile(name string, content []byte) (err error) {
	if name, err = filepath.EvalSymlinks(name); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".cytisus-fmt-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error says what went wrong
	}
	return err
}
