package disk

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

// A File file is one that belongs to a workspace.
type File struct {
	Path string
	Stat Stat
}

// A Problem is something on disk that keeps files out of the workspace.
type Problem struct {
	Path    string // printable, quoted where its bytes are no UTF-8
	Message string
	Hide    bool // the go command must not see it: to open it may take for ever
	Unread  bool // the system would not let it be read: the workspace is not whole
}

// A Found is what there is in a directory.
type Found struct {
	Files    []File
	Problems []Problem
	Nested   []string // directories of modules of their own, which were not looked into
}

// Scan lists the files in root, and some levels of directories below it, that a workspace knows: Go
// files that a go command would look at, and the module files. As the go command does, it leaves
// out testdata, vendor, names that begin with "." or "_", and nested modules; it does not follow
// symbolic links to directories, so loops are no matter, but a link to a file counts as a file. A
// FIFO, a device or a file of the kernel that has the name of an input is no input: it is told as a
// problem, and hidden from the go command. What cannot be read is a problem, not an error; an error
// means that the root itself cannot be listed or ctx ended.
func Scan(ctx context.Context, root string, levels int, tests bool) (out Found, err error) {
	walk := func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == root || files.Exhausted(err) {
				return err
			}
			out.Problems = append(out.Problems, Problem{printable(path), ErrorText(err), false, true})
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
			if skipDir(name) || !Reaches(root, levels, path) {
				return fs.SkipDir
			}
			if !utf8.ValidString(name) {
				out.Problems = append(out.Problems, Problem{printable(path), "the name of this directory is not valid UTF-8: it is left out", false, false})
				return fs.SkipDir
			}
			if IsRegular(filepath.Join(path, "go.mod")) {
				out.Nested = append(out.Nested, path)
				return fs.SkipDir
			}
			return nil
		}
		if !IsInput(name) || !tests && syntax.IsTestFile(name) {
			return nil
		}
		if !utf8.ValidString(name) {
			out.Problems = append(out.Problems, Problem{printable(path), "the name of this file is not valid UTF-8: it is left out", false, false})
			return nil
		}
		st, err := StatFile(path)
		if p, ok := problemOf(path, st, err); ok {
			out.Problems = append(out.Problems, p)
		}
		if err == nil {
			out.Files = append(out.Files, File{path, st})
		}
		return nil
	}
	err = filepath.WalkDir(root, walk)
	if err != nil {
		return Found{}, fmt.Errorf("scanning %s: %w", printable(root), err)
	}
	return out, nil
}

// problemOf is what a scan says of something that has the name of an input, and of which StatFile
// says what it does; ok is false if that is nothing.
func problemOf(path string, st Stat, err error) (p Problem, ok bool) {
	switch {
	case errors.Is(err, ErrDirectory):
		return p, false // perhaps a link to one, called x.go
	case err != nil:
		odd := errors.Is(err, files.ErrNotRegular) || errors.Is(err, files.ErrKernel)
		return Problem{printable(path), ErrorText(err), odd, !odd && !errors.Is(err, fs.ErrNotExist)}, true
	case st.Refuse != "":
		return Problem{path, st.Refuse, false, false}, true
	}
	return p, false
}

// ProblemAt is problemOf for what is at a path now; where nothing is, there is no problem.
func ProblemAt(path string) (p Problem, ok bool) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return p, false
	}
	st, err := StatFile(path)
	return problemOf(path, st, err)
}

// IsInput reports whether a file's content is an input of the workspace, by its name.
func IsInput(name string) bool {
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

// ErrorText is what happened, without the path that the message shows anyway.
func ErrorText(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return strings.TrimSpace(pe.Op + ": " + pe.Err.Error())
	}
	return err.Error()
}
