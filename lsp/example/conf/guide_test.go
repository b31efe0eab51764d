package conf

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var codeBlock = regexp.MustCompile("(?ms)^```(?:go|text) (\\S+)\n(.*?)\n```$")

// The code of the guide is that of this package: its blocks, put together, are the files.
func TestGuide(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guides", "language.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{} // by file
	guide := strings.ReplaceAll(string(raw), "\r\n", "\n")
	for _, m := range codeBlock.FindAllStringSubmatch(guide, -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if name != "guide_test.go" && blocks[name] == nil {
			t.Errorf("the guide has nothing of %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		text, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Error(err)
			continue
		}
		want := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
		got := strings.Split(strings.Join(blocks[name], "\n\n"), "\n")
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("%s and the guide differ from line %d on:\n%s\nthe guide:\n%s", name, i+1, rest(want, i), rest(got, i))
				break
			}
		}
	}
}

// rest are a few lines, from one on.
func rest(lines []string, from int) string {
	return strings.Join(lines[min(from, len(lines)):min(from+3, len(lines))], "\n")
}
