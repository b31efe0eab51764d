package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A corpus has real packages that histories of edits begin with: of the standard library, and of
// the public modules golang.org/x/mod and golang.org/x/tools at the versions that are built with.
type corpus struct {
	std, mod, tools pieces
}

// pieces are the packages of one module, by their directories below it.
type pieces map[string]*piece

// A piece is the files of a package.
type piece struct {
	texts   map[string]string   // by name
	imports map[string][]string // by name of a file
}

// The packages that histories are made of. Those of the standard library import nothing internal.
var (
	stdPieces = []string{
		"container/list", "container/heap", "container/ring", "unicode/utf16", "encoding/base32", "encoding/hex", "encoding/csv", "html",
		"text/tabwriter", "text/scanner", "regexp/syntax", "regexp", "go/token", "go/scanner", "mime/quotedprintable", "maps", "image/color",
		"text/template/parse", "encoding/ascii85", "compress/bzip2", "bufio", "cmp",
	}
	modPieces   = []string{"semver", "module", "modfile", "sumdb/note", "sumdb/tlog", "sumdb/dirhash"}
	toolsPieces = []string{
		"txtar", "go/ast/astutil", "container/intsets", "go/ast/inspector", "internal/diff", "internal/diff/lcs", "internal/event",
		"internal/event/keys", "internal/event/label", "internal/event/core", "go/ast/edge", "internal/modindex", "internal/gopathwalk",
	}
)

// newCorpus reads the packages, or skips the test if the go command cannot get the modules.
func newCorpus(t *testing.T) *corpus {
	t.Helper()
	dirOf := func(module string) string {
		out, err := exec.Command("go", "mod", "download", "-json", module).CombinedOutput()
		if err == nil {
			out, err = exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).CombinedOutput()
		}
		if err != nil {
			t.Skipf("the go command cannot get %s: %v\n%s", module, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	return &corpus{
		std:   readPieces(t, filepath.Join(goroot(), "src"), stdPieces),
		mod:   readPieces(t, dirOf("golang.org/x/mod"), modPieces),
		tools: readPieces(t, dirOf("golang.org/x/tools"), toolsPieces),
	}
}

// readPieces reads packages with those below the same directory that they import, and with those of
// their tests that import nothing internal to the Go tree and nothing of other modules.
func readPieces(t *testing.T, dir string, list []string) pieces {
	t.Helper()
	module := map[string]string{"mod": "golang.org/x/mod/", "tools": "golang.org/x/tools/"}[path.Base(strings.Split(dir, "@")[0])]
	out := pieces{}
	for queue := slices.Clone(list); len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if out[at] != nil {
			continue
		}
		out[at] = &piece{texts: map[string]string{}, imports: map[string][]string{}}
		names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(at), "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatal(at, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			imports := importsOf(string(text))
			foreign := func(p string) bool {
				return strings.HasPrefix(p, "internal/") || p == "C" ||
					strings.Contains(strings.Split(p, "/")[0], ".") && !strings.HasPrefix(p, "golang.org/x/mod/") &&
						(module == "" || !strings.HasPrefix(p, module) || strings.HasSuffix(name, "_test.go") && !slices.Contains(list, p[len(module):]))
			}
			if slices.ContainsFunc(imports, foreign) && strings.HasSuffix(name, "_test.go") {
				continue
			}
			base := filepath.Base(name)
			out[at].texts[base], out[at].imports[base] = string(text), imports
			for _, p := range imports {
				if rest, ok := strings.CutPrefix(p, module); ok && module != "" {
					queue = append(queue, rest)
				}
			}
		}
	}
	return out
}

func importsOf(text string) (list []string) {
	f, _ := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if f == nil {
		return nil
	}
	for _, s := range f.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// some are a few of the packages, with those that they import.
func (p pieces) some(rng *rand.Rand, module string, n int) pieces {
	out := pieces{}
	queue := []string{}
	all := slices.Sorted(maps.Keys(p))
	for range n {
		queue = append(queue, pick(rng, all))
	}
	for ; len(queue) > 0; queue = queue[1:] {
		if out[queue[0]] != nil {
			continue
		}
		out[queue[0]] = p[queue[0]]
		for _, imports := range p[queue[0]].imports {
			for _, path := range imports {
				if rest, ok := strings.CutPrefix(path, module+"/"); ok && p[rest] != nil {
					queue = append(queue, rest)
				}
			}
		}
	}
	return out
}

// files are the texts of packages by name, below a directory. Of a copy of packages of the standard
// library they import each other's copies.
func (p pieces) files(dir, copyOf string) map[string]string {
	out := map[string]string{}
	for at, piece := range p {
		for name, text := range piece.texts {
			for _, path := range piece.imports[name] {
				if copyOf != "" && p[path] != nil {
					text = strings.ReplaceAll(text, strconv.Quote(path), strconv.Quote(copyOf+"/"+path))
				}
			}
			out[path.Join(dir, at, name)] = text
		}
	}
	return out
}

// A layout is how modules lie in the top directory.
type layout struct {
	folders []string // "" is the top
	modules []string // directories
	texts   map[string]string
}

// newLayout takes some packages of the corpus.
func (c *corpus) newLayout(rng *rand.Rand) *layout {
	l := &layout{folders: []string{""}, texts: map[string]string{}}
	put := func(dir, mod string, files map[string]string) {
		l.modules = append(l.modules, dir)
		maps.Copy(l.texts, files)
		l.texts[path.Join(dir, "go.mod")] = mod + "\n\ngo 1.26\n"
	}
	std := func(dir string) {
		put(dir, "module ex.org/std", c.std.some(rng, "", 5).files(dir, "ex.org/std"))
	}
	mod := func(dir string, n int) {
		put(dir, "module golang.org/x/mod", c.mod.some(rng, "golang.org/x/mod", n).files(dir, ""))
	}
	tools := func(dir, rest string) {
		put(dir, "module golang.org/x/tools"+rest, c.tools.some(rng, "golang.org/x/tools", 3).files(dir, ""))
	}
	const replaced = "\n\nrequire golang.org/x/mod v0.42.0\n\nreplace golang.org/x/mod => ../mod"
	switch rng.IntN(6) {
	case 0, 1:
		std("")
	case 2:
		mod("", 2)
	case 3: // a module that another one is replaced by
		l.folders = []string{"tools"}
		tools("tools", replaced)
		mod("mod", len(c.mod))
	case 4: // two folders
		l.folders = []string{"std", "mod"}
		std("std")
		mod("mod", 1)
	case 5: // a go.work file
		mod("mod", 2)
		tools("tools", "\n\nrequire golang.org/x/mod v0.42.0")
		std("std")
		l.texts["go.work"] = "go 1.26\n\nuse (\n\t./mod\n\t./tools\n\t./std\n)\n"
	}
	return l
}

// String is what a history began with.
func (l *layout) String() string {
	dirs := map[string]bool{}
	for name := range l.texts {
		dirs[path.Dir(name)] = true
	}
	return fmt.Sprintf("folders %q, files in %q", l.folders, slices.Sorted(maps.Keys(dirs)))
}
