package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A scanned file is one that belongs to a workspace.
type scanned struct {
	path string
	stat fileStat
}

// A scanProblem is something on disk that keeps files out of the workspace.
type scanProblem struct {
	Path    string // printable, quoted where its bytes are no UTF-8
	Message string
	Hide    bool // the go command must not see it: to open it may take for ever
	Unread  bool // the system would not let it be read: the workspace is not whole
}

// A scanResult is what there is in a directory.
type scanResult struct {
	files    []scanned
	problems []scanProblem
	nested   []string // directories of modules of their own, which were not looked into
}

// scan lists the files in root, and some levels of directories below it, that a workspace knows: Go
// files that a go command would look at, and the module files. As the go command does, it leaves
// out testdata, vendor, names that begin with "." or "_", and nested modules; it does not follow
// symbolic links to directories, so loops are no matter, but a link to a file counts as a file. A
// FIFO, a device or a file of the kernel that has the name of an input is no input: it is told as a
// problem, and hidden from the go command. What cannot be read is a problem, not an error; an error
// means that the root itself cannot be listed or ctx ended.
func scan(ctx context.Context, root string, levels int, tests bool) (out scanResult, err error) {
	walk := func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == root || files.Exhausted(err) {
				return err
			}
			out.problems = append(out.problems, scanProblem{printable(path), errorText(err), false, true})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		name := d.Name()
		if d.IsDir() {
			if path == root {
				return nil
			}
			if skipDir(name) || !reaches(root, levels, path) {
				return fs.SkipDir
			}
			if !utf8.ValidString(name) {
				out.problems = append(out.problems, scanProblem{printable(path), "the name of this directory is not valid UTF-8: it is left out", false, false})
				return fs.SkipDir
			}
			if isRegular(filepath.Join(path, "go.mod")) {
				out.nested = append(out.nested, path)
				return fs.SkipDir
			}
			return nil
		}
		if !isInput(name) || !tests && syntax.IsTestFile(name) {
			return nil
		}
		if !utf8.ValidString(name) {
			out.problems = append(out.problems, scanProblem{printable(path), "the name of this file is not valid UTF-8: it is left out", false, false})
			return nil
		}
		st, err := statFile(path)
		if p, ok := problemOf(path, st, err); ok {
			out.problems = append(out.problems, p)
		}
		if err == nil {
			out.files = append(out.files, scanned{path, st})
		}
		return nil
	}
	err = filepath.WalkDir(root, walk)
	if err != nil {
		return scanResult{}, fmt.Errorf("scanning %s: %w", printable(root), err)
	}
	return out, nil
}

// problemOf is what a scan says of something that has the name of an input, and of which statFile
// says what it does; ok is false if that is nothing.
func problemOf(path string, st fileStat, err error) (p scanProblem, ok bool) {
	switch {
	case errors.Is(err, errDirectory):
		return p, false // perhaps a link to one, called x.go
	case err != nil:
		odd := errors.Is(err, files.ErrNotRegular) || errors.Is(err, files.ErrKernel)
		return scanProblem{printable(path), errorText(err), odd, !odd && !errors.Is(err, fs.ErrNotExist)}, true
	case st.Refuse != "":
		return scanProblem{path, st.Refuse, false, false}, true
	}
	return p, false
}

// problemAt is problemOf for what is at a path now; where nothing is, there is no problem.
func problemAt(path string) (p scanProblem, ok bool) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return p, false
	}
	st, err := statFile(path)
	return problemOf(path, st, err)
}

// isInput reports whether a file's content is an input of the workspace, by its name.
func isInput(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum":
		return true
	}
	return syntax.IsGoFile(name) && name[0] != '_' && name[0] != '.'
}

func skipDir(name string) bool {
	return name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_'
}

// printable is a path as a message shows it.
func printable(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	return fmt.Sprintf("%q", path)
}

// errorText is what happened, without the path that the message shows anyway.
func errorText(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return strings.TrimSpace(pe.Op + ": " + pe.Err.Error())
	}
	return err.Error()
}
