package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var kindDefined = regexp.MustCompile(`(?m)(\w+)\s+mmapcas\.Kind\s+=\s+(\d+)`)

// A record says by its kind what its bytes mean, to collections too: no two kinds have one number.
func TestRecordKindsDiffer(t *testing.T) {
	names := map[string]string{}
	root := filepath.Join("..", "..", "runtime")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range kindDefined.FindAllStringSubmatch(string(text), -1) {
			if name := path + ": " + m[1]; names[m[2]] == "" {
				names[m[2]] = name
			} else {
				t.Errorf("%s and %s are both %s", names[m[2]], name, m[2])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 10 {
		t.Errorf("%d kinds were found", len(names))
	}
}
