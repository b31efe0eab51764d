package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// below is the end of an argument that means all packages below another.
const below = "/..."

// firstPath is the first argument that names something on the disk, and the current directory if
// none does.
func firstPath(args []string) string {
	for _, arg := range args {
		if path := strings.TrimSuffix(arg, below); path != "" && exists(path) {
			return path
		}
	}
	return "."
}

// chosen are the files that a command is about; nil are all.
type chosen []chosenFiles

// chosenFiles is a file, all files of a directory, or all below it.
type chosenFiles struct {
	path string // absolute
	file bool
	deep bool
}

// has reports whether a file, whose path is absolute, is chosen.
func (c chosen) has(path string) bool {
	for _, of := range c {
		switch {
		case of.file && path == of.path, of.deep && files.Inside(of.path, path):
			return true
		case !of.file && !of.deep && filepath.Dir(path) == of.path:
			return true
		}
	}
	return c == nil
}

// choose finds out which files arguments name: a file, what lies below a directory, or the packages
// of an import path in a workspace.
func choose(root string, args []string) (out chosen, err error) {
	var modules []moduleDir
	for _, arg := range args {
		rest, deep := strings.CutSuffix(arg, below)
		if info, err := os.Stat(rest); err == nil && rest != "" {
			path, err := filepath.Abs(rest)
			if err != nil {
				return nil, fmt.Errorf("finding %s: %w", rest, err)
			}
			if path, err = filepath.EvalSymlinks(path); err != nil {
				return nil, fmt.Errorf("finding %s: %w", rest, err)
			}
			if deep && !info.IsDir() {
				return nil, &usageError{fmt.Errorf("%s: %s is a file", arg, rest)}
			}
			out = append(out, chosenFiles{path: path, file: !info.IsDir(), deep: info.IsDir()})
			continue
		}
		if modules == nil {
			if modules, err = modulesOf(root); err != nil {
				return nil, err
			}
		}
		dir, ok := packageDir(modules, rest)
		if !ok {
			return nil, &usageError{fmt.Errorf("%q is no file, no directory and no package of the workspace %s", arg, root)}
		}
		out = append(out, chosenFiles{path: dir, deep: deep})
	}
	return out, nil
}

// A moduleDir is a module of a workspace.
type moduleDir struct{ path, dir string }

// modulesOf are the modules of a workspace: those that its go.work names, or the one of its go.mod.
func modulesOf(root string) (out []moduleDir, err error) {
	dirs := []string{root}
	work := filepath.Join(root, "go.work")
	if exists(work) {
		data, err := files.Read(work, lsp.MaxFileBytes)
		if err != nil {
			return nil, err
		}
		parsed, err := modfile.ParseWork(work, data, nil)
		if err != nil {
			return nil, &usageError{err}
		}
		dirs = nil
		for _, use := range parsed.Use {
			dir := filepath.FromSlash(use.Path)
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(root, dir)
			}
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		// A module without a go.mod that can be read has no packages with paths.
		if data, err := files.Read(filepath.Join(dir, "go.mod"), lsp.MaxFileBytes); err == nil {
			if path := modfile.ModulePath(data); path != "" {
				out = append(out, moduleDir{path, dir})
			}
		}
	}
	return out, nil
}

// packageDir is where the package of an import path lies in one of some modules.
func packageDir(modules []moduleDir, path string) (dir string, ok bool) {
	longest := -1
	for _, m := range modules {
		rel, inside := strings.CutPrefix(path, m.path)
		if !inside || rel != "" && rel[0] != '/' || len(m.path) <= longest {
			continue
		}
		at := filepath.Join(m.dir, filepath.FromSlash(rel))
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			longest, dir = len(m.path), at
		}
	}
	return dir, longest >= 0
}
