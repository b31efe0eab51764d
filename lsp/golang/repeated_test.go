package golang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// fileRich is a module of one package of so many files, which import a package of another.
func fileRich(files int) string {
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/rich\n\ngo 1.24\n")
	for i := range files {
		fmt.Fprintf(&b, "-- f%03d.go --\npackage rich\n\nimport \"strings\"\n\n"+
			"func f%d(text string) string { local := text + \"x\"; return strings.ToUpper(local) }\n\n"+
			"func g%d() string { return f%d(\"y\") }\n", i, i, i, i)
	}
	return b.String()
}

// TestRepeatedQuestionAsksLittle: what a hover or a definition asks in a state in which the package
// was asked about before does not grow with the package, and nothing runs for it.
func TestRepeatedQuestionAsksLittle(t *testing.T) {
	asks := map[int][]uint64{}
	for _, files := range []int{2, 40} {
		f := newFixture(t, fileRich(files), lsp.WorkspaceOptions{})
		f.index()
		uri := f.uri("f001.go")
		text := f.read("f001.go")
		f.open("f001.go")
		f.settle()
		question := func(what, at string) (asked uint64) {
			t.Helper()
			offset := strings.Index(text, at)
			before, ran := f.answers()
			if strings.HasSuffix(what, "definition") {
				list, err := f.definition(uri, offset)
				if err != nil || len(list) != 1 {
					t.Fatalf("%d files, %s of %q: %v, %v", files, what, at, list, err)
				}
			} else if h, err := f.hover(uri, offset); err != nil || h.Signature == "" {
				t.Fatalf("%d files, %s of %q: %+v, %v", files, what, at, h, err)
			}
			after, nowRan := f.answers()
			asked, parts := sumOfDifferences(before, after)
			if n, runs := sumOfDifferences(ran, nowRan); n > 0 && strings.HasPrefix(what, "again") {
				t.Errorf("%d files, %s of %q: ran %s", files, what, at, strings.Join(runs, ", "))
			}
			t.Logf("%d files, %s of %q: %s", files, what, at, strings.Join(parts, ", "))
			return asked
		}
		question("hover", "local)")
		question("hover", "ToUpper")
		question("definition", "local)")
		for _, again := range [][2]string{
			{"again hover", "local)"},
			{"again hover", "f1(\""},
			{"again hover", "ToUpper"},
			{"again definition", "local)"},
			{"again definition", "f1(\""},
		} {
			asks[files] = append(asks[files], question(again[0], again[1]))
		}
	}
	const most = 40
	for i, n := range asks[40] {
		if n != asks[2][i] || n > most {
			t.Errorf("question %d asks %d answers in a package of 40 files, %d in one of 2, want at most %d",
				i, n, asks[2][i], most)
		}
	}
}

// TestDefinitionBeforeEditsRunsNothing: the index of a package that has a session, and was not
// edited since it was indexed, answers what stands in each of its files.
func TestDefinitionBeforeEditsRunsNothing(t *testing.T) {
	f := newFixture(t, fileRich(3), lsp.WorkspaceOptions{})
	f.index()
	f.open("f001.go")
	f.settle()
	if n := f.ran("golang/file-index"); n > 0 {
		t.Fatalf("%d file indexes were made before a question", n)
	}
	definition := func(name, at string) string {
		t.Helper()
		_, ran := f.answers()
		list, err := f.definition(f.uri(name), strings.Index(f.read(name), at))
		if err != nil || len(list) != 1 {
			t.Fatalf("definition of %q: %v, %v", at, list, err)
		}
		_, nowRan := f.answers()
		_, runs := sumOfDifferences(ran, nowRan)
		return strings.Join(runs, ", ")
	}
	for _, name := range []string{"f000.go", "f001.go", "f002.go"} {
		if runs := definition(name, "local)"); runs != "" {
			t.Errorf("definition in %s: ran %s", name, runs)
		}
	}
	// Behind an edit the index is of another text, and the session knows what is needed of it.
	f.set("f001.go", strings.Replace(f.read("f001.go"), "local := ", "local := \"y\" + ", 1))
	if runs := definition("f001.go", "local)"); !strings.Contains(runs, "golang/file-index") {
		t.Errorf("definition behind an edit: ran %s, want the index of the file", runs)
	}
}
