package disk

import (
	"bytes"
	"context"
	"go/build"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A HeadedFile is a file and its header.
type HeadedFile struct {
	URI    string
	Header string
}

// Fallback makes metadata without the go command's help: outside of modules, and for a module that
// the go command will not list. Every directory is a package; imports within the module and of the
// standard library are found, others are not. Outside of modules, programs that lie in one
// directory are packages apart, each with those files of the directory that are no programs.
func Fallback(ctx context.Context, env *Environment, headed []HeadedFile, modulePaths map[string]string, why string) (*metadata.Build, error) {
	m := &metadata.Build{Foreign: env.Foreign()}
	std := map[string]bool{}
	imported := map[string][]string{} // ID -> import paths
	build := env.buildContext()
	var taken []HeadedFile
	programs := map[string][]string{} // directory -> its programs
	for _, f := range headed {
		path, ok := files.Path(f.URI)
		h := syntax.ParseHeader(f.Header)
		if !ok || !syntax.IsGoFile(f.URI) || syntax.IsTestFile(f.URI) && !env.Tests || !Matches(build, path, &h) {
			continue
		}
		taken = append(taken, f)
		if env.Plain && h.Program {
			programs[filepath.Dir(path)] = append(programs[filepath.Dir(path)], filepath.Base(path))
		}
	}
	numbers := map[string]int{}
	add := func(id, uri string, h *syntax.Header) {
		i, ok := numbers[id]
		if !ok {
			i = len(m.Packages)
			numbers[id] = i
			m.Packages = append(m.Packages, metadata.Package{ID: id, Path: id, Name: h.Name, Arch: env.GoArch, Workspace: true})
		}
		p := &m.Packages[i]
		p.Files = append(p.Files, uri)
		for _, path := range h.Imports {
			switch path {
			case "C":
				p.Cgo = true
			case "unsafe":
			default:
				imported[id] = append(imported[id], path)
				if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
					std[path] = true
				}
			}
		}
	}
	for _, f := range taken {
		path, h := files.PathOf(f.URI), syntax.ParseHeader(f.Header)
		id := fallbackPath(env, filepath.Dir(path), modulePaths)
		beside := programs[filepath.Dir(path)]
		switch {
		case syntax.IsTestFile(f.URI) && strings.HasSuffix(h.Name, "_test"):
			// Tests inside a package are taken as part of it: without the go command there are no
			// variants.
			add(id+"_test", f.URI, &h)
		case len(beside) < 2 || h.Name != "main":
			add(id, f.URI, &h)
		case h.Program:
			add(id+"/"+filepath.Base(path), f.URI, &h)
		default:
			for _, name := range beside {
				add(id+"/"+name, f.URI, &h)
			}
		}
	}
	own := map[string]bool{}
	for i := range m.Packages {
		own[m.Packages[i].Path] = true
	}
	for path := range own {
		delete(std, path)
	}
	listed, err := listStandard(ctx, env, std)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for i := range listed {
		known[listed[i].ID] = true
	}
	for i := range m.Packages {
		p := &m.Packages[i]
		for _, path := range imported[p.ID] {
			e := metadata.Edge{Import: path, ID: path}
			if !own[path] && !known[path] {
				e.ID, e.Problem = "", why
			}
			p.Imports = append(p.Imports, e)
		}
	}
	m.Packages = append(m.Packages, listed...)
	addDocumentation(m, env)
	m.Normalise()
	return m, nil
}

// fallbackPath is the import path of a directory: below the module's path if that is known,
// otherwise one that no import can have.
func fallbackPath(env *Environment, dir string, modulePaths map[string]string) string {
	own := files.Innermost(env.Own, dir)
	rel, err := filepath.Rel(own, dir)
	if err != nil {
		rel = dir
	}
	rel = filepath.ToSlash(rel)
	switch path := modulePaths[own]; {
	case path == "" && rel == ".":
		return "_" + filepath.ToSlash(own)
	case path == "":
		return "_" + filepath.ToSlash(own) + "/" + rel
	case rel == ".":
		return path
	default:
		return path + "/" + rel
	}
}

// Matches reports whether a file is part of the build, by its name and constraints.
func Matches(ctx build.Context, path string, h *syntax.Header) bool {
	if h.Broken {
		return true // shown with its errors rather than hidden
	}
	ctx.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(h.Source())), nil }
	ok, err := ctx.MatchFile(filepath.Dir(path), filepath.Base(path))
	return err != nil || ok
}

// listStandard lists packages of the standard library and what they import, as far as there are
// such. A go command that does not answer is no error: everything is then unknown.
func listStandard(ctx context.Context, env *Environment, paths map[string]bool) ([]metadata.Package, error) {
	if len(paths) == 0 || env.GoRoot == "" || env.Problem != "" {
		return nil, nil
	}
	var patterns []string
	for path := range paths {
		if !strings.ContainsAny(path, "*. \\") && !strings.HasPrefix(path, "-") && !strings.HasPrefix(path, "/") {
			patterns = append(patterns, path)
		}
	}
	slices.Sort(patterns)
	if len(patterns) == 0 {
		return nil, nil
	}
	plain := *env
	src := filepath.Join(env.GoRoot, "src")
	plain.Tests, plain.Dir, plain.Own = false, src, nil
	plain.Extra = append(slices.Clone(env.Extra), "GOWORK=off", "GOFLAGS=", "GO111MODULE=")
	all, err := List(ctx, src, &plain, nil, patterns...)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, nil
	}
	m, _ := Assemble(&plain, NewPlacer(&plain, nil), all, nil)
	out := m.Packages[:0]
	for _, p := range m.Packages {
		p.Workspace = false
		if p.Standard && !metadata.IsSyntaxOnly(&p) {
			out = append(out, p)
		}
	}
	return out, nil
}
