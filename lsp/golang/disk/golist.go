package disk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// listFields are the fields asked of go list: each costs time, and what is not asked for cannot
// change.
const listFields = "ImportPath,Dir,Name,ForTest,Standard,DepOnly,GoFiles,CgoFiles,Imports,ImportMap,Module,Error"

// A Listed package is one value of go list -json.
type Listed struct {
	ImportPath, Dir, Name, ForTest string
	Standard, DepOnly              bool
	GoFiles, CgoFiles              []string
	Imports                        []string
	ImportMap                      map[string]string
	Module                         *ListedModule
	Error                          *struct {
		ImportStack []string
		Pos, Err    string
	}
}

// A ListedModule is where a listed package comes from.
type ListedModule struct {
	Path, Dir, GoVersion string
	Main                 bool
}

// ListBytes is about what List has the go command take, of memory of its own, for a build of so
// many files: 54 MB for the 4,200 of the standard library.
func ListBytes(files int) int64 { return 16<<20 + int64(files)*9<<10 }

// List asks the go command about the packages of a pattern and everything they import. Overlay
// gives the texts of files that differ from the disk, by path; nil is a file that it must not see.
func List(ctx context.Context, dir string, env *Environment, overlay map[string][]byte, patterns ...string) ([]Listed, error) {
	args := []string{"list", "-e", "-deps", "-json=" + listFields}
	if env.Tests {
		args = append(args, "-test")
	}
	if len(env.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(env.Tags, ","))
	}
	if len(overlay) > 0 {
		file, remove, err := writeOverlay(overlay)
		if err != nil {
			return nil, &CommandError{Text: fmt.Sprintf("go list: writing unsaved texts for it: %v", err)}
		}
		defer remove()
		args = append(args, "-overlay="+file)
	}
	args = append(append(args, "--"), patterns...)
	out, err := runGo(ctx, dir, env.Extra, args...)
	if err != nil {
		return nil, err
	}
	return decodeList(out)
}

// writeOverlay writes what go list -overlay reads: a file that maps paths to files with their
// texts.
func writeOverlay(overlay map[string][]byte) (file string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "cytisus-overlay-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	replace := make(map[string]string, len(overlay))
	for path, text := range overlay {
		if text == nil {
			replace[path] = ""
			continue
		}
		at := filepath.Join(dir, strconv.Itoa(len(replace))+".go")
		if err := os.WriteFile(at, text, 0o600); err != nil {
			remove()
			return "", nil, err
		}
		replace[path] = at
	}
	index, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		file = filepath.Join(dir, "overlay.json")
		err = os.WriteFile(file, index, 0o600)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return file, remove, nil
}

// noAnswer is the error for a go command that ended well and printed something else.
func noAnswer(what string, out []byte) *CommandError {
	return &CommandError{Text: fmt.Sprintf("%s printed what is no answer (is the go in PATH the go command?): %.80q", what, out)}
}

// decodeList reads the values that go list prints one after another.
func decodeList(out []byte) ([]Listed, error) {
	var all []Listed
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p Listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, noAnswer("go list", out)
		}
		all = append(all, p)
	}
}

// Patterns are the packages that the build is about, those of its own directories.
func (e *Environment) Patterns() []string {
	var out []string
	for _, own := range e.Own {
		rel, err := filepath.Rel(e.Dir, own)
		switch {
		case err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)):
			out = append(out, filepath.Join(own, "..."))
		case rel == ".":
			out = append(out, "./...")
		default:
			out = append(out, "./"+filepath.ToSlash(rel)+"/...")
		}
	}
	return out
}

// Assemble turns what go list said about a build into metadata. Extra are the packages that were
// asked about beside those of the build. Failed is true if it said nothing of use about it.
func Assemble(env *Environment, places *Placer, all []Listed, extra map[string]bool) (m *metadata.Build, failed bool) {
	m = new(metadata.Build)
	all = withoutForeignTests(env, all, extra)
	broken := map[string]string{} // import path -> why there is no such package
	matched := map[string]bool{}  // paths that the patterns matched
	for i := range all {
		p := &all[i]
		p.Dir = env.dir(p.Dir)
		none := len(p.GoFiles)+len(p.CgoFiles) == 0
		if isExtra(p, extra) && (none || !env.within(p.Dir)) {
			p.DepOnly = true // nothing of the workspace needs it
			if none {
				p.Error = nil
			}
		}
		if !p.DepOnly && p.ForTest == "" {
			matched[p.ImportPath] = true
		}
		if p.Error != nil && m.Failed == "" && isPassing(p.Error.Err) {
			m.Failed = "go list: " + p.ImportPath + ": " + p.Error.Err
		}
		if p.Error != nil && len(p.GoFiles)+len(p.CgoFiles) == 0 {
			broken[p.ImportPath] = p.Error.Err
		}
	}
	for i := range all {
		p := &all[i]
		if len(p.GoFiles)+len(p.CgoFiles) == 0 {
			if p.Error == nil || p.DepOnly || strings.HasPrefix(p.Error.Err, "build constraints exclude all Go files") {
				continue
			}
			if file, _, _ := errorPosition(env.Dir, p.Error.Pos); file == "" && !strings.HasPrefix(p.Error.Err, "no Go files in") &&
				!strings.HasPrefix(p.Error.Err, "import cycle not allowed in test") {
				m.Problems = append(m.Problems, places.Problems("go list: "+p.Error.Err)...)
				failed = failed || p.Dir == "" // a pattern rather than a package
			}
			continue
		}
		if isTestMain(p) {
			continue
		}
		m.Packages = append(m.Packages, p.meta(env, matched, broken))
	}
	failed = failed && !anyWorkspace(m.Packages)
	assignErrors(m)
	m.Problems = append(m.Problems, places.missing(broken)...)
	m.Foreign = env.Foreign()
	addDocumentation(m, env)
	for i := range all {
		path := filepath.Join(all[i].Dir, "x.go")
		if all[i].Dir == "" || all[i].Standard || isTestMain(&all[i]) || env.Owns(path) || m.IsForeign(path) || IsVendored(path) {
			continue
		}
		m.Nearby = append(m.Nearby, all[i].Dir)
	}
	slices.Sort(m.Nearby)
	m.Nearby = slices.Compact(m.Nearby)
	m.Normalise()
	return m, failed
}

// assignErrors gives each error to a package that has the file which it is shown in: the go command
// has the error of an import against the package that is imported.
func assignErrors(m *metadata.Build) {
	owner := map[string]int{} // URI -> number of a package of the workspace
	for i := range m.Packages {
		for _, uri := range m.Packages[i].Files {
			if _, ok := owner[uri]; !ok && m.Packages[i].Workspace {
				owner[uri] = i
			}
		}
	}
	for i := range m.Packages {
		p := &m.Packages[i]
		p.Errors = slices.DeleteFunc(p.Errors, func(e metadata.Error) bool {
			to, ok := owner[e.File]
			if !ok || to == i || slices.Contains(p.Files, e.File) {
				return false
			}
			m.Packages[to].Errors = append(m.Packages[to].Errors, e)
			return true
		})
	}
}

// PlaceUnsaved places the errors of files that the go command was shown as their headers only.
func PlaceUnsaved(m *metadata.Build, headers map[string]*syntax.Header) {
	for i := range m.Packages {
		for j := range m.Packages[i].Errors {
			e := &m.Packages[i].Errors[j]
			if h := headers[e.File]; h != nil && e.Line > 0 {
				e.Import = h.ImportAt(e.Line)
				e.Line, e.Column = 0, 0
			}
		}
	}
}

// Foreign lists the directories of code that never changes.
func (e *Environment) Foreign() []string {
	var out []string
	for _, dir := range []string{e.GoRoot, e.GoModCache} {
		if dir != "" && !slices.ContainsFunc(e.Own, func(own string) bool { return files.Inside(dir, own) }) {
			out = append(out, dir)
		}
	}
	return out
}

// IsVendored reports whether a file lies in a vendor directory.
func IsVendored(path string) bool {
	return strings.Contains(filepath.ToSlash(filepath.Dir(path))+"/", "/vendor/")
}

// addDocumentation adds the packages that document the language, which go list gives to those only
// who import them.
func addDocumentation(m *metadata.Build, env *Environment) {
	for _, path := range []string{metadata.Builtin, "unsafe"} {
		known := slices.ContainsFunc(m.Packages, func(p metadata.Package) bool { return p.ID == path })
		if dir := filepath.Join(env.GoRoot, "src", path); env.GoRoot != "" && !known {
			m.Packages = append(m.Packages, metadata.Package{
				ID: path, Path: path, Name: path, Arch: env.GoArch, Files: []string{files.URI(filepath.Join(dir, path+".go"))},
				Standard: true, Workspace: env.Owns(filepath.Join(dir, "x.go")),
			})
		}
	}
}

// within reports whether a directory lies in one of the build's own.
func (e *Environment) within(dir string) bool { return files.Innermost(e.Own, dir) != "" }

func anyWorkspace(ps []metadata.Package) bool {
	for i := range ps {
		if ps[i].Workspace {
			return true
		}
	}
	return false
}

// isTestMain reports whether a package is the generated main of a test binary, whose only file lies
// in the build cache.
func isTestMain(p *Listed) bool {
	return p.Name == "main" && strings.HasSuffix(p.ImportPath, ".test") && len(p.GoFiles) == 1 && filepath.IsAbs(p.GoFiles[0])
}

func (p *Listed) meta(env *Environment, matched map[string]bool, broken map[string]string) metadata.Package {
	m := metadata.Package{
		ID:       p.ImportPath,
		Path:     metadata.PathOf(p.ImportPath),
		Arch:     env.GoArch,
		Name:     p.Name,
		ForTest:  p.ForTest,
		Standard: p.Standard,
		Cgo:      len(p.CgoFiles) > 0,
	}
	for _, list := range [][]string{p.GoFiles, p.CgoFiles} {
		for _, name := range list {
			if !filepath.IsAbs(name) {
				name = filepath.Join(p.Dir, name)
			}
			if utf8.ValidString(name) { // the scan reports the others
				m.Files = append(m.Files, files.URI(name))
			}
		}
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		m.GoVersion = "go" + p.Module.GoVersion
	}
	if p.ForTest == "" {
		// What the standard library vendors is part of it; what another module vendors is somebody
		// else's. No pattern matches a package in a testdata directory, which the module has
		// nevertheless if one of its own imports it.
		own := p.Module != nil && p.Module.Main
		m.Workspace = (matched[p.ImportPath] || p.Standard || own) && env.within(p.Dir)
	} else {
		// The package with its tests, and its external tests. What else was compiled anew for them
		// is not shown twice.
		m.Workspace = matched[p.ForTest] && env.within(p.Dir) && (m.Path == p.ForTest || m.Path == p.ForTest+"_test")
	}
	written := map[string]string{} // ID -> path in the source
	for path, id := range p.ImportMap {
		written[id] = path
	}
	for _, id := range p.Imports {
		if id == "C" || id == "unsafe" {
			continue
		}
		e := metadata.Edge{Import: id, ID: id}
		if path, ok := written[id]; ok {
			e.Import = path
		}
		if why, ok := broken[id]; ok {
			e.ID, e.Problem = "", why
		}
		m.Imports = append(m.Imports, e)
	}
	// A pattern that matches nothing is told by golang.embedDiagnostics, which follows the disk.
	if e := p.Error; e != nil && !strings.HasPrefix(e.Err, "import cycle not allowed") && !strings.HasPrefix(e.Err, "pattern ") {
		// With an overlay the go command names files of the package by their whole paths, without
		// one it does not.
		le := metadata.Error{Message: strings.ReplaceAll(e.Err, p.Dir+string(filepath.Separator), "")}
		le.File, le.Line, le.Column = errorPosition(env.Dir, e.Pos)
		m.Errors = append(m.Errors, le)
	}
	return m
}

// errorPosition takes FILE:LINE:COL apart; File is "" if there is none.
func errorPosition(root, pos string) (uri string, line, column int) {
	// Both numbers are optional; a drive letter has a colon, too.
	numbers := [2]int{}
	n := 0
	for ; n < 2; n++ {
		i := strings.LastIndexByte(pos, ':')
		if i < 0 {
			break
		}
		v, err := strconv.Atoi(pos[i+1:])
		if err != nil || v < 0 {
			break
		}
		numbers[n] = v
		pos = pos[:i]
	}
	if pos == "" || n == 0 || !utf8.ValidString(pos) {
		return "", 0, 0
	}
	if !filepath.IsAbs(pos) {
		pos = filepath.Join(root, pos)
	}
	if n == 1 {
		return files.URI(pos), numbers[0], 0
	}
	return files.URI(pos), numbers[1], numbers[0]
}
