package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// findings is a module with an error behind characters of several bytes, and something for an
// analyzer.
const findings = `
-- go.mod --
module example.com/broom

go 1.24
-- bad/a, b%bad.go --
package bad

var s, x = "ü😀", y
-- twig/twig.go --
package twig

import "fmt"

func Print(format string, args ...any) { fmt.Printf(format, args...) }
-- use/use.go --
package use

import "example.com/broom/twig"

func Use() { twig.Print("%d", "text") }
`

// gitIn runs git in a directory, under a name of its own.
func gitIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
}

// TestCheckAnnotates: annotations of a workflow run name files from the checkout on, and what would
// end a part of a command is escaped.
func TestCheckAnnotates(t *testing.T) {
	dir := write(t, findings)
	t.Setenv("GITHUB_WORKSPACE", dir)
	out, _, code := newCLI(t).run("check", "--lint", "--format=github", filepath.Join(dir, "..."))
	if code != exitBadNews {
		t.Errorf("exit code %d", code)
	}
	want := `::error file=bad/a%2C b%25bad.go,line=3,endLine=3,col=22,endColumn=23,title=types/UndeclaredName::undefined: y
::warning file=use/use.go,line=5,endLine=5,col=26,endColumn=28,title=printf::example.com/broom/twig.Print format %25d has arg "text" of wrong type string
`
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	var b strings.Builder
	at := found{File: "c:,\n%", Line: 1, Column: 2, EndLine: 3, EndColumn: 4}
	if err := writeAnnotations(&b, dir, []foundDiagnostic{{Place: at, Severity: "hint", Source: "a:b", Message: "a:b,\r\n::error::%0A"}}); err != nil {
		t.Fatal(err)
	}
	if want := "::notice file=c%3A%2C%0A%25,line=1,endLine=3,title=a%3Ab::a:b,%0D%0A::error::%250A\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// TestCheckSARIF: logs are valid, name places as the standard has it, and tell findings apart.
func TestCheckSARIF(t *testing.T) {
	schema := jsonschema.NewCompiler().MustCompile("testdata/sarif/schema-2.1.0.json")
	dir := write(t, findings)
	c := newCLI(t)
	prints := func() (sarifLog, []string) {
		out, errs, _ := c.run("check", "--lint", "--format=sarif", dir)
		any, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err == nil {
			err = schema.Validate(any)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var log sarifLog
		if err := json.Unmarshal([]byte(out), &log); err != nil {
			t.Fatal(err)
		}
		var prints []string
		if errs != "" {
			t.Log(errs) // what could not be looked at
		}
		for _, r := range log.Runs[0].Results {
			prints = append(prints, r.PartialFingerprints["cytisusFinding/v1"])
		}
		return log, prints
	}
	log, before := prints()
	run := log.Runs[0]
	if len(run.Results) != 2 {
		t.Fatalf("%d results: %+v", len(run.Results), run.Results)
	}
	bad := run.Results[0]
	at := bad.Locations[0].PhysicalLocation
	if bad.Level != "error" || at.ArtifactLocation != (sarifArtifact{"bad/a,%20b%25bad.go", sourceRoot}) || at.Region != (sarifRegion{3, 19, 3, 20}) {
		t.Errorf("%+v", bad)
	}
	if rule := run.Tool.Driver.Rules[run.Results[1].RuleIndex]; rule.ID != "printf" || !strings.Contains(rule.HelpURI, "passes/printf") || run.Results[1].RuleID != rule.ID {
		t.Errorf("the second result goes against %+v", rule)
	}
	// A line that moves keeps its fingerprint.
	name := filepath.Join(dir, "use", "use.go")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("func Use()"), []byte("// Use.\n\nfunc Use()"), 1)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, after := prints(); !slices.Equal(after, before) || before[0] == before[1] {
		t.Errorf("fingerprints %v were %v", after, before)
	}
}

// TestCheckChooses: arguments say whose findings are printed.
func TestCheckChooses(t *testing.T) {
	dir := write(t, findings)
	c := newCLI(t)
	arguments := func(text string) []string {
		args := []string{"check", "--lint"}
		for word := range strings.FieldsSeq(text) {
			args = append(args, strings.Replace(word, "$", dir, 1))
		}
		return args
	}
	for _, at := range []struct {
		args string // $ is the directory
		want string // whose findings
	}{
		{"$", "bad use"},
		{"$/...", "bad use"},
		{"$/use", "use"},
		{"$/use/use.go", "use"},
		{"$/twig", ""},
		{"$ example.com/broom/use", "bad use"},
		{"$/twig example.com/broom/use", "use"},
		{"$/twig example.com/broom", ""},
		{"$/twig example.com/broom/...", "bad use"},
		{"--analyses=-printf $", "bad"},
	} {
		out, errs, code := c.run(arguments(at.args)...)
		var got []string
		for _, name := range []string{"bad", "use"} {
			if strings.Contains(out, name+".go:") {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != at.want || (code == exitBadNews) != (at.want != "") {
			t.Errorf("%s: findings of %q, exit code %d, want %q\n%s%s", at.args, got, code, at.want, out, errs)
		}
	}
	for args, why := range map[string]string{
		"$/twig example.com/other": "no package of the workspace",
		"$/twig example.com/bro":   "no package of the workspace",
		"$/twig/twig.go/...":       "is a file",
		"--analyses=nosuch $":      "there is no such analyzer",
		"--format=xml $":           "--format",
		"--fail=bad $":             "--fail",
		"--json --format=sarif $":  "exclude",
	} {
		if _, errs, code := c.run(arguments(args)...); code != exitUsage || !strings.Contains(errs, why) {
			t.Errorf("%s: exit code %d: %s", args, code, errs)
		}
	}
	for fail, code := range map[string]int{"never": exitOK, "error": exitOK, "warning": exitBadNews, "hint": exitBadNews} {
		if _, _, got := c.run("check", "--lint", "--fail="+fail, filepath.Join(dir, "use")); got != code {
			t.Errorf("--fail=%s of a warning: exit code %d, want %d", fail, got, code)
		}
	}
}

// TestCheckSince: only what touches changed lines is printed.
func TestCheckSince(t *testing.T) {
	needGit(t)
	dir := write(t, `
-- go.mod --
module example.com/broom

go 1.24
-- a.go --
package broom

var a = old1

var b = "fine"

var c = old2
-- moved.go --
package broom

var m = old3

// 1
// 2
// 3
// 4
// 5
`)
	c := newCLI(t)
	check := func(rev string, want ...string) {
		t.Helper()
		out, errs, code := c.run("check", "--since="+rev, dir)
		var got []string
		for line := range strings.Lines(out) {
			_, name, _ := strings.Cut(line, "undefined: ")
			got = append(got, strings.TrimSpace(name))
		}
		if !slices.Equal(got, want) || (code == exitBadNews) != (len(want) > 0) {
			t.Errorf("since %s: %q, exit code %d, want %q\n%s", rev, got, code, want, errs)
		}
	}
	if _, errs, code := c.run("check", "--since=HEAD", dir); code != exitUsage || !strings.Contains(errs, "--since") {
		t.Errorf("outside of a repository: exit code %d: %s", code, errs)
	}
	gitIn(t, dir, "init", "-q", "-b", "main")
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-q", "-m", "one")
	check("HEAD")
	for _, rev := range []string{"nosuch", "-x", ""} {
		if _, errs, code := c.run("check", "--since="+rev, dir); rev != "" && (code != exitUsage || !strings.Contains(errs, "no revision")) {
			t.Errorf("since %q: exit code %d: %s", rev, code, errs)
		}
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a.go", "package broom\n\nvar a = old1\n\nvar b = new1\n\nvar c = old2\n")
	put("späce name.go", "package broom\n\nvar d = new2\n")
	check("HEAD", "new1", "new2")
	gitIn(t, dir, "checkout", "-q", "-b", "branch")
	gitIn(t, dir, "mv", "moved.go", "moved2.go")
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-q", "-m", "two")
	check("HEAD")
	check("main", "new1", "new2")
	// What another branch has gained meanwhile is no change of this one.
	gitIn(t, dir, "checkout", "-q", "main")
	put("a.go", "package broom\n\nvar a = old1\n\nvar b = \"fine\"\n\nvar c = 1\n")
	gitIn(t, dir, "commit", "-q", "-a", "-m", "three")
	gitIn(t, dir, "checkout", "-q", "branch")
	check("main", "new1", "new2")
}

// TestDiffs: names and contents that look like something else.
func TestDiffs(t *testing.T) {
	c := changes{}
	root := filepath.FromSlash("/r")
	err := c.addDiff(root, []byte(`diff --git a/x b/x
index 1..2 100644
--- a/x
+++ b/x
@@ -1,2 +1,3 @@ +++ b/no
--- gone
-@@ -9 +9 @@
+++ b/trap
+@@ -7 +7 @@
+
\ No newline at end of file
@@ -9 +10,0 @@
-gone
diff --git "a/t\tab\303\274" "b/t\tab\303\274"
--- "a/t\tab\303\274"
+++ "b/t\tab\303\274"
@@ -0,0 +5 @@
+new
diff --git a/gone b/gone
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-all
diff --git a/with space b/with space
--- a/with space	
+++ b/with space	
@@ -3 +3 @@
-a
+b
`))
	if err != nil {
		t.Fatal(err)
	}
	want := changes{"x": {{1, 3}}, "t\tabü": {{5, 5}}, "with space": {{3, 3}}}
	if len(c) != len(want) {
		t.Errorf("got %v", c)
	}
	for name, ranges := range want {
		if got := c[filepath.Join(root, name)]; !slices.Equal(got, ranges) {
			t.Errorf("%q: %v, want %v", name, got, ranges)
		}
	}
	for _, bad := range []string{"+++ x\n", "+++ \"b/x\n", "@@ -1 @@\n", "@@ -1 +x @@\n", "@@ -1 +1,-2 @@\n", "@@ 1 1 @@\n"} {
		if err := (changes{}).addDiff(root, []byte(bad)); !errors.Is(err, errDiff) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, at := range []struct {
		place found
		want  bool
	}{
		{found{File: "f", Line: 4, EndLine: 4}, false},
		{found{File: "f", Line: 4, EndLine: 5, EndColumn: 1}, false},
		{found{File: "f", Line: 4, EndLine: 5, EndColumn: 2}, true},
		{found{File: "f", Line: 6, EndLine: 9, EndColumn: 2}, true},
		{found{File: "f", Line: 7, EndLine: 7}, false},
		{found{File: "g", Line: 5, EndLine: 5}, false},
	} {
		if got := (changes{"f": {{5, 6}}}).touch(at.place); got != at.want {
			t.Errorf("%+v touches: %t", at.place, got)
		}
	}
}
