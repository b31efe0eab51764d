package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPagesFit: lines of prose end before column 100. Tables, blocks of code and what cannot be
// broken are as wide as they are.
func TestPagesFit(t *testing.T) {
	for p, source := range allPages(t) {
		if !current(p) {
			continue
		}
		fenced := false
		number := 0
		for line := range strings.Lines(string(source)) {
			number++
			line = strings.TrimRight(line, "\r\n")
			trimmed := strings.TrimLeft(line, " ")
			if strings.HasPrefix(trimmed, "```") {
				fenced = !fenced
			}
			if fenced || strings.HasPrefix(trimmed, "|") || strings.HasPrefix(line, "    ") {
				continue
			}
			unbroken := 0
			for _, word := range strings.Fields(trimmed) {
				unbroken = max(unbroken, utf8.RuneCountInString(word))
			}
			if n := utf8.RuneCountInString(line); n > 100 && unbroken < 80 {
				t.Errorf("%s:%d: a line of %d columns", p.path, number, n)
			}
		}
	}
}
