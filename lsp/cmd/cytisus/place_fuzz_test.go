package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzPlace: whatever stands where FILE:LINE:COL is wanted is a mistake that is told, or a place in
// the file.
func FuzzPlace(f *testing.F) {
	for _, arg := range []string{":1:1", ":2:3", ":0:1", ":1:0", ":99999999999999999999:1", ":1", "::", ":-1:1", ":1:1:1", ":+1:+1", ":1:9", ""} {
		f.Add(arg, "a\nbé\n")
	}
	file := filepath.Join(f.TempDir(), "a:b.go")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		f.Skip(err) // no such names here
	}
	f.Fuzz(func(t *testing.T, rest, text string) {
		if strings.ContainsRune(rest, '/') {
			return // another file
		}
		p, err := parsePlace(file + rest)
		if err != nil {
			if _, ok := errors.AsType[*usageError](err); !ok && !strings.Contains(err.Error(), file) {
				t.Errorf("%q: %v", rest, err)
			}
			return
		}
		if p.file != file || p.line < 1 || p.column < 1 {
			t.Fatalf("%q is %+v", rest, p)
		}
		at, err := p.offset([]byte(text))
		if err != nil {
			return
		}
		before := text[:at]
		if line, column := strings.Count(before, "\n")+1, at-strings.LastIndexByte(before, '\n'); line != p.line || column != p.column {
			t.Errorf("%s is at %d, which is %s", fmt.Sprint(p.line, ":", p.column), at, fmt.Sprint(line, ":", column))
		}
	})
}
