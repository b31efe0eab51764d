package layout

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is where lines of prose end, and figures the width of what is set out by hand in a
// comment: tables, code and drawings.
const columns, figures = 100, 120

// TestCommentsFit: whole-line comments of Go files end before column 100, tabs counted as four, but
// for what is set out by hand and what cannot be broken.
func TestCommentsFit(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && path != top) {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		number, quoted := 0, false // quoted: within a string of several lines
		for line := range bytes.Lines(text) {
			number++
			trimmed := bytes.TrimSpace(line)
			if quoted || !bytes.HasPrefix(trimmed, []byte("//")) {
				quoted = quoted != (bytes.Count(line, []byte("`"))%2 == 1)
				continue
			}
			seen++
			said := trimmed[2:]
			wide := columns
			if bytes.HasPrefix(said, []byte("\t")) || bytes.HasPrefix(said, []byte("    ")) {
				wide = figures
			}
			if n := columnsOf(bytes.TrimRight(line, "\n")); n > wide && len(bytes.Fields(said)) > 1 &&
				!bytes.HasPrefix(trimmed, []byte("//go:")) {
				t.Errorf("%s:%d: a comment of %d columns", path, number, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10_000 {
		t.Errorf("%d lines of comments found, there are more", seen)
	}
}

func columnsOf(line []byte) int {
	n := 0
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		if line = line[size:]; r == '\t' {
			n += 4 - n%4
		} else {
			n++
		}
	}
	return n
}
