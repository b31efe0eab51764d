package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// codeOf lists the lines of a page's code blocks, and its spans of code.
func codeOf(source []byte) []string {
	var found []string
	_ = ast.Walk(parse(source), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			lines := n.Lines()
			for i := range lines.Len() {
				segment := lines.At(i)
				found = append(found, strings.TrimRight(string(segment.Value(source)), "\n"))
			}
		case *ast.CodeSpan:
			var text bytes.Buffer
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					text.Write(t.Segment.Value(source))
				}
			}
			found = append(found, text.String())
		}
		return ast.WalkContinue, nil
	})
	return found
}

var (
	calling = regexp.MustCompile(`^(?:\$ )?(?:bin/)?cytisus ((?:-{1,2}\S+ )*)([a-z][a-z-]+)\b(.*)$`)
	flagged = regexp.MustCompile(`(?:^|[\s\[|(])(--[a-z][a-z-]*)`)
)

// TestCommands: each line that calls the command names a subcommand and flags that it has.
func TestCommands(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "cytisus")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", binary, "./lsp/cmd/cytisus")
	build.Dir = projectDir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help := map[string]string{}
	helpOf := func(subcommand string) (string, bool) {
		if text, ok := help[subcommand]; ok {
			return text, text != ""
		}
		out, err := exec.Command(binary, "help", subcommand).CombinedOutput()
		text := string(out)
		if err != nil || !strings.Contains(text, "cytisus "+subcommand) {
			text = ""
		}
		help[subcommand] = text
		return text, text != ""
	}
	found := 0
	for p, source := range allPages(t) {
		if !current(p) {
			continue
		}
		for _, line := range codeOf(source) {
			m := calling.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			found++
			text, ok := helpOf(m[2])
			if !ok {
				t.Errorf("%s: %q: there is no command %s", p.path, line, m[2])
				continue
			}
			arguments, _, _ := strings.Cut(m[1]+" "+m[3], "   ") // what follows is said of it
			for _, f := range flagged.FindAllStringSubmatch(arguments, -1) {
				if !regexp.MustCompile(regexp.QuoteMeta(f[1]) + `(?:[^a-z-]|$)`).MatchString(text) {
					t.Errorf("%s: %q: cytisus %s has no flag %s", p.path, line, m[2], f[1])
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d calls found, there are more", found)
	}
}
