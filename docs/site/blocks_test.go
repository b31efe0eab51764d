package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	filesOf   = regexp.MustCompile(`(?m)^<!-- files: (\S+) -->$`)
	codeBlock = regexp.MustCompile("(?ms)^```(?:go|text) (\\S+)\n(.*?)\n```$")
)

// TestBlocksAreFiles: a page that says `files: DIR` builds what is in DIR. Its blocks of code that
// name a file, put together, are that file, and it has something of each Go file but the tests.
func TestBlocksAreFiles(t *testing.T) {
	checked := 0
	for p, source := range allPages(t) {
		text := strings.ReplaceAll(string(source), "\r\n", "\n")
		says := filesOf.FindStringSubmatch(text)
		if says == nil {
			continue
		}
		checked++
		dir := filepath.Join(projectDir, filepath.FromSlash(filepath.Dir(p.path)), filepath.FromSlash(says[1]))
		blocks := map[string][]string{} // by file
		for _, m := range codeBlock.FindAllStringSubmatch(text, -1) {
			blocks[m[1]] = append(blocks[m[1]], m[2])
		}
		sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(sources) == 0 {
			t.Errorf("%s: no Go files in %s: %v", p.path, says[1], err)
		}
		for _, file := range sources {
			name := filepath.Base(file)
			// A test that the page shows is one of its files; others hold the page to the code.
			if blocks[name] == nil && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s has nothing of %s", p.path, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(blocks)) {
			file, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				t.Errorf("%s: %v", p.path, err)
				continue
			}
			want := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(file), "\r\n", "\n"), "\n"), "\n")
			got := strings.Split(strings.Join(blocks[name], "\n\n"), "\n")
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Errorf("%s and its page %s differ from line %d on:\n%s\nthe page:\n%s",
						name, p.path, i+1, rest(want, i), rest(got, i))
					break
				}
			}
		}
	}
	if checked < 2 {
		t.Errorf("%d pages build files, there are two", checked)
	}
}

// rest are a few lines, from one on.
func rest(lines []string, from int) string {
	return strings.Join(lines[min(from, len(lines)):min(from+3, len(lines))], "\n")
}
