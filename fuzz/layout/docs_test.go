package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocsStandAtWhatTheyName: what stands above a function does not begin as the doc of another
// one does. A function that is moved or given a new name takes its doc with it.
func TestDocsStandAtWhatTheyName(t *testing.T) {
	files := token.NewFileSet()
	functions := map[string][]*ast.FuncDecl{} // by directory
	named := map[string]map[string]bool{}     // names of functions, by directory
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && path != top) {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		if named[dir] == nil {
			named[dir] = map[string]bool{}
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				functions[dir] = append(functions[dir], fn)
				named[dir][fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dir, list := range functions {
		for _, fn := range list {
			// A test's doc says what is promised, and of what.
			if fn.Doc == nil || strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			seen++
			line, _, _ := strings.Cut(fn.Doc.Text(), "\n")
			if name := docOf(line); name != fn.Name.Name && named[dir][name] {
				t.Errorf("%s: this stands above %s: %q", files.Position(fn.Pos()), fn.Name.Name, line)
			}
		}
	}
	if seen < 2000 {
		t.Errorf("%d functions with a doc found, there are more", seen)
	}
}

// docOf is the name that a line begins with as docs of functions do, with a verb of one subject.
func docOf(line string) string {
	words := strings.Fields(line)
	if len(words) < 2 || !strings.HasSuffix(words[1], "s") || strings.HasSuffix(words[1], "ss") {
		return ""
	}
	return words[0]
}
