package markers

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// TestNotes checks where notes are found, and how their arguments are read.
func TestNotes(t *testing.T) {
	text := "package p //@one(\"a\\n\", re`b+`, -3, c, true, _), two\n" +
		"// @none(1)\n" +
		"// words //@three(x=1)\n" +
		"var s = \"//@none()\" /*@four(),\n five(y)*/\n"
	notes, err := notesOf("p.go", text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range notes {
		got = append(got, fmt.Sprintf("%s %v %v", n.name, n.args, n.named))
		if !strings.HasPrefix(text[n.offset:], n.name) {
			t.Errorf("%s is not at offset %d", n.name, n.offset)
		}
	}
	want := []string{
		"one [a\n b+ -3 c true _] map[]", "two [] map[]",
		"three [] map[x:1]", "four [] map[]", "five [y] map[]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := notesOf("p.go", "package p //@one(\n"); err == nil {
		t.Error("a call without an end is read")
	}
	mod, err := notesOf("go.mod", "module m //@diag(\"m\", re\"x\")\n")
	if err != nil || len(mod) != 1 || mod[0].offset != 12 {
		t.Errorf("%+v, %v", mod, err)
	}
}

// TestPatch checks differences without context.
func TestPatch(t *testing.T) {
	text := "a\nb\nc\n"
	for _, test := range []struct{ diff, want string }{
		{"", text},
		{"@@ -2 +2 @@\n-b\n+B\n", "a\nB\nc\n"},
		{"@@ -1,2 +1 @@\n-a\n-b\n+x\n@@ -3,0 +3,2 @@\n+d\n+e\n", "x\nc\nd\ne\n"},
		{"@@ -0,0 +1 @@\n+first\n", "first\n" + text},
		{"@@ -3 +3 @@\n-c\n+c\n\\ No newline at end of file\n", "a\nb\nc"},
	} {
		if got, err := patch(text, test.diff); err != nil || got != test.want {
			t.Errorf("%q gives %q, %v, want %q", test.diff, got, err, test.want)
		}
	}
	if got, err := patch(text, "@@ -2 +2 @@\n-x\n+B\n"); err == nil {
		t.Errorf("a difference of another text gives %q", got)
	}
}

// TestRunnable checks what keeps an archive from being run.
func TestRunnable(t *testing.T) {
	for _, test := range []struct {
		files string
		runs  bool
	}{
		{"-- flags --\n-min_go=go1.26 -max_go_command=go1.26\n", true},
		{"-- flags --\n-min_go=go1.27\n", false},
		{"-- flags --\n-max_go=go1.25\n", false},
		{"-- flags --\n-cgo\n", false},
		{"-- skip --\nfor now\n", false},
	} {
		a, err := parse("a.txt", []byte(test.files))
		if err != nil {
			t.Fatal(err)
		}
		err = a.runnable(26, false)
		if (err == nil) != test.runs || err != nil && !errors.Is(err, errSkipped) {
			t.Errorf("%q: %v", test.files, err)
		}
	}
	if _, err := parse("a.txt", []byte("-- flags --\n-unknown\n")); err == nil {
		t.Error("an unknown flag is taken")
	}
}

// TestJudges holds the server against an archive in which every second check is wrong, and checks
// that those and no others fail.
func TestJudges(t *testing.T) {
	env := &compare.Env{Dir: t.TempDir(), Logf: t.Logf}
	command, err := ground.Command(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	a, err := parse("own.txt", []byte(`
-- go.mod --
module example.org/own

go 1.26
-- own.go --
package own

func F() int { return 1 } //@loc(F, "F")

var _ = F() //@def("F", F),def("F", G),refs("F", F, re"_ = (F)"),refs("F", F)

func G() int { return x } //@loc(G, "G"),diag("x", "undefined: x"),diag("x", re"^y$")

var V = y //@hover("V", "V", "var V"),hover("V", "V", re"^func")
`))
	if err != nil {
		t.Fatal(err)
	}
	s := server{
		program:  func(cache string) editor.Program { return editor.Cytisus(command, cache) },
		complete: editor.CytisusComplete,
	}
	all := func(kind string) bool { return kind != "" }
	verdicts, err := judgeOne(t.Context(), &s, a, all, env.Dir, filepath.Join(env.Dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range verdicts {
		got = append(got, fmt.Sprintf("%s %v", v.Kind, v.Passed))
	}
	want := []string{
		"extradiag false",
		"def true", "def false", "refs true", "refs false",
		"diag true", "diag false", "hover true", "hover false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r := &Report{Verdicts: verdicts, Skipped: map[string]string{}, Failed: map[string]string{}}
	var table, failures strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	r.WriteFailures(&failures)
	if !regexp.MustCompile(`(?m)^def +1 +2 +50 %`).MatchString(table.String()) {
		t.Errorf("the table lacks def:\n%s", table.String())
	}
	if !strings.Contains(failures.String(), "own.txt own.go:5 fails: def(\"F\", G)") {
		t.Errorf("failures:\n%s", failures.String())
	}
}
