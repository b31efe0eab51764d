package load

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func comparable(h header) header {
	// The scan keeps what is above the package clause only if it may matter.
	if !strings.Contains(string(h.constraints), "build") {
		h.constraints = nil
	}
	h.constraints = []byte(strings.TrimPrefix(string(h.constraints), "\ufeff"))
	return h
}

func TestHeaders(t *testing.T) {
	for _, text := range []string{
		"package p", "package p\n", "package p;import \"a\"", "// c\npackage p // d\nimport . \"a\"\nimport (\n\t_ \"b\"; x `c`\n)\nfunc f() {}",
		"//go:build linux\n\npackage p\n\nimport \"C\"\n\nvar x = 1\n", "\ufeffpackage p\nvar x", "/* build */ package p\ntype t int",
		"package p import \"a\"", "package\n/**/p\nimport/**/\"a\"\n\nconst c = 1", "package \u00e9\n", "package p\nimport \"a\\x62\"\n",
		"package p\nimport \"a\" \"b\"\n", "package p\nimport (\n\"a\"\n", "", "x", "package p\n\nimport (\"a\")\nimport ()\nvar _ = `import \"b\"`\n",
		"package p\r\nimport \"a\"\r\nfunc f() {}\r\n", "package p;;import \"a\";import\n\"b\"\n", "package _\n", "/", "package p\n/", "package p\n// end",
	} {
		want := comparable(parseHeader([]byte(text)))
		if got := comparable(readHeader([]byte(text))); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, the parser has %+v", text, got, want)
		}
	}
}

// TestHeadersOfTheStandardLibrary compares the scan with the parser on all its files.
func TestHeadersOfTheStandardLibrary(t *testing.T) {
	files, parsed := 0, 0
	err := filepath.WalkDir(filepath.Join(goEnv(t, ".").GoRoot, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		if testing.Short() && files > 500 {
			return fs.SkipAll
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		want := comparable(parseHeader(text))
		if got := comparable(readHeader(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, the parser has %+v", path, got, want)
		}
		if s := (&headScanner{text: text}); true {
			if _, v := s.header(); v == odd {
				parsed++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, of which the parser reads %d", files, parsed)
	if parsed > files/20 {
		t.Errorf("the scan gives up at %d of %d files", parsed, files)
	}
}
