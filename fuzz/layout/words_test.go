package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shared are the names that exported types of several packages have, with the reason. Any other
// name belongs to one type, so that a word means one thing wherever it is read.
var shared = []struct {
	why   string
	names []string
}{
	{
		"each package has its own, and the word says so: what may be set, what was counted, what is given in and out",
		[]string{"Config", "Options", "Settings", "Spec", "Stats", "Request", "Result", "Outcome", "Source", "Reason", "Problem", "Change", "Event", "Kind"},
	},
	{
		"one thing at two layers: the face gives to users what a package below it keeps",
		[]string{"Answer", "Cursor", "Entry", "MemoryUse", "PanicError", "Partition", "PartitionStats", "Query", "Reader", "Record", "RepairReport", "Snapshot", "Store", "Task", "VerifyReport", "Engine"},
	},
	{
		"a word of package lsp, and what a language calls so before it is told to editors",
		[]string{"Call", "Declaration", "Digest", "Index", "Language", "Link", "Occurrence", "RefusedError", "Signature", "Span", "Symbol", "TextEdit", "WorkspaceEdit"},
	},
	{
		"what a package of Go is to the room that speaks of it: a name of the language, with other things known of it",
		[]string{"Build", "File", "Module", "Name", "Package", "Statement", "Tree", "Use"},
	},
	{
		"terms of two fields, which never meet in one file",
		[]string{"Cache", "Conn", "Guard", "Header", "Host", "Mask", "Noted", "Table", "Verb", "Wanted"},
	},
}

// exportedTypes lists where each exported type of the product is declared, aliases left out: they
// are the same type.
func exportedTypes(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	files := token.NewFileSet()
	for _, dir := range []string{"affinity", "arena", "epoch", "lsp", "mmapcas", "queue", "runtime"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			in := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, top+string(filepath.Separator))))
			for _, decl := range f.Decls {
				gen, ok := decl.(*ast.GenDecl)
				if !ok || gen.Tok != token.TYPE {
					continue
				}
				for _, spec := range gen.Specs {
					s := spec.(*ast.TypeSpec)
					if s.Name.IsExported() && !s.Assign.IsValid() && !slices.Contains(found[s.Name.Name], in) {
						found[s.Name.Name] = append(found[s.Name.Name], in)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestOneTypePerWord: two packages give one name to exported types only where this is said, with
// its reason.
func TestOneTypePerWord(t *testing.T) {
	excused := map[string]bool{}
	for _, group := range shared {
		for _, name := range group.names {
			if excused[name] {
				t.Errorf("%s is excused twice", name)
			}
			excused[name] = true
		}
	}
	types := exportedTypes(t)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if in := types[name]; len(in) > 1 && !excused[name] {
			t.Errorf("%s is a type of %s: one word, two meanings", name, strings.Join(in, " and of "))
		}
		if len(types[name]) == 1 && excused[name] {
			t.Errorf("%s is a type of %s alone: it needs no excuse", name, types[name][0])
		}
		delete(excused, name)
	}
	for name := range excused {
		t.Errorf("%s is a type of no package", name)
	}
}

var glossaryRow = regexp.MustCompile(`(?m)^\| (\*\*.+?) \|`)

// TestGlossary: its rows are in order, none is there twice, and each word is used in the product.
func TestGlossary(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(top, "docs", "GLOSSARY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, dir := range []string{"affinity", "arena", "epoch", "lsp", "mmapcas", "queue", "runtime", "fuzz"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			code.WriteString(strings.ToLower(string(text)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := glossaryRow.FindAllStringSubmatch(string(page), -1)
	if len(rows) < 40 {
		t.Fatalf("%d rows found, there are more", len(rows))
	}
	before, seen := "", map[string]bool{}
	for _, row := range rows {
		for i, word := range strings.Split(strings.ReplaceAll(row[1], "**", ""), ", ") {
			word = strings.ToLower(word)
			if i == 0 {
				if word < before {
					t.Errorf("%q stands behind %q", word, before)
				}
				before = word
			}
			if seen[row[1]] {
				t.Errorf("%q has two rows", row[1])
			}
			first, _, _ := strings.Cut(word, " ")
			if !strings.Contains(code.String(), strings.TrimSuffix(first, "e")) { // "e": -ing, -ed
				t.Errorf("%q is used nowhere", word)
			}
		}
		seen[row[1]] = true
	}
}
