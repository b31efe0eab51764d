package layout

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// upMax says, for packages whose comment lists their files, how many arrows may run back up. The
// numbers only go down.
var upMax = map[string]int{
	"mmapcas":       7,
	"mmapcas/index": 1,
	"lsp/golang":    7,
}

var goFile = regexp.MustCompile(`\b\w+\.go\b`)

// listedFiles returns the files of a package in the order in which its comment lists them, under a
// heading of their own.
func listedFiles(comment string) []string {
	_, list, _ := strings.Cut(comment, "\n# Files\n")
	list, _, _ = strings.Cut(list, "\n# ")
	return goFile.FindAllString(list, -1)
}

// A checked package is one with the objects that its names stand for.
type checked struct {
	fset  *token.FileSet
	files map[string]*ast.File // by name in the folder
	types *types.Package
	uses  map[*ast.Ident]types.Object
}

// check reads the files of a package that count on this machine, without tests.
func check(t *testing.T, pkg string) checked {
	t.Helper()
	dir := filepath.Join(top, filepath.FromSlash(pkg))
	list := func(args ...string) []string {
		cmd := exec.Command("go", append([]string{"list"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %v: %v", cmd.Args, err)
		}
		return strings.Fields(string(bytes.TrimSpace(out)))
	}
	exports := map[string]string{} // by import path
	for _, line := range list("-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}") {
		path, file, _ := strings.Cut(line, "=")
		exports[path] = file
	}
	c := checked{fset: token.NewFileSet(), files: map[string]*ast.File{}, uses: map[*ast.Ident]types.Object{}}
	var files []*ast.File
	for _, name := range list("-f", `{{join .GoFiles " "}}`) {
		f, err := parser.ParseFile(c.fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		c.files[name] = f
		files = append(files, f)
	}
	config := types.Config{Importer: importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	var err error
	if c.types, err = config.Check(module+pkg, c.fset, files, &types.Info{Uses: c.uses}); err != nil {
		t.Fatal(err)
	}
	return c
}

// An arrow leads from a file to one that declares a name it uses.
type arrow struct{ from, to string }

// arrows returns the arrows between the files of a package, each with the names behind it.
func (c *checked) arrows() map[arrow][]string {
	all := map[arrow][]string{}
	for from, f := range c.files {
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			o := c.uses[id]
			if o == nil || o.Pkg() != c.types {
				return true
			}
			to := filepath.Base(c.fset.Position(o.Pos()).Filename)
			if a := (arrow{from, to}); from != to && !slices.Contains(all[a], o.Name()) {
				all[a] = append(all[a], o.Name())
			}
			return true
		})
	}
	return all
}

// A package of many files says in which order they rest on each other, and keeps to it but for a
// few arrows, whose number does not grow.
func TestFilesRestOnThoseBefore(t *testing.T) {
	for pkg, most := range upMax {
		c := check(t, pkg)
		rank := map[string]int{"doc.go": -1}
		for i, name := range listedFiles(c.files["doc.go"].Doc.Text()) {
			if _, twice := rank[name]; twice {
				t.Errorf("%s: %s is listed twice", pkg, name)
			}
			rank[name] = i
			if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(pkg), name)); err != nil {
				t.Errorf("%s: the package comment lists %s: %v", pkg, name, err)
			}
		}
		for name := range c.files {
			if _, ok := rank[name]; !ok {
				t.Errorf("%s: %s is not among the files that the package comment lists; where does it belong?", pkg, name)
				rank[name] = len(rank)
			}
		}
		all := c.arrows()
		up := 0
		for _, a := range slices.SortedFunc(maps.Keys(all), func(a, b arrow) int {
			return strings.Compare(a.from+" "+a.to, b.from+" "+b.to)
		}) {
			if rank[a.from] < rank[a.to] {
				up++
				t.Logf("%s: %s uses %s of %s, which comes later", pkg, a.from, strings.Join(all[a], ", "), a.to)
			}
		}
		t.Logf("%s: %d arrows, %d run back up", pkg, len(all), up)
		if up > most {
			t.Errorf("%s: %d arrows run back up, more than %d", pkg, up, most)
		}
	}
}
