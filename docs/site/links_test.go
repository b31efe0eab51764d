package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// projectDir is the project as the tests see it.
var projectDir = filepath.Join("..", "..")

// allPages reads each page of the project.
func allPages(t *testing.T) map[page][]byte {
	t.Helper()
	all, err := pages(projectDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("%d pages found, there are more", len(all))
	}
	sources := map[page][]byte{}
	for _, p := range all {
		source, err := os.ReadFile(filepath.Join(projectDir, filepath.FromSlash(p.path)))
		if err != nil {
			t.Fatal(err)
		}
		sources[p] = source
	}
	return sources
}

// TestLinksLeadSomewhere: each link within the project names a file that is there, and an anchor
// that one of its headings has.
func TestLinksLeadSomewhere(t *testing.T) {
	sources := allPages(t)
	headings := map[string]map[string]bool{}
	for p, source := range sources {
		headings[p.path] = anchors(source)
	}
	links := 0
	for p, source := range sources {
		for _, l := range p.links(source) {
			links++
			if _, err := os.Stat(filepath.Join(projectDir, filepath.FromSlash(l.file))); err != nil {
				t.Errorf("%s links to %s, which is not there", p.path, l.text)
				continue
			}
			if have, isPage := headings[l.file]; l.anchor != "" && isPage && !have[l.anchor] {
				t.Errorf("%s links to %s, and no heading of %s has that anchor", p.path, l.text, l.file)
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links found, there are more", links)
	}
}

// TestSite: each page is written, and its links lead to pages of the site or out of it.
func TestSite(t *testing.T) {
	out := t.TempDir()
	n, err := build(projectDir, out)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pages(projectDir)
	if err != nil || n != len(all) {
		t.Fatalf("%d pages of %d, %v", n, len(all), err)
	}
	for _, p := range all {
		html, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(p.html())))
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(html), "<h1") {
			t.Errorf("%s has no heading", p.html())
		}
		if strings.Contains(string(html), `.md"`) && !strings.Contains(string(html), repository) {
			t.Errorf("%s links to Markdown", p.html())
		}
		if strings.Contains(string(html), "<script") || strings.Contains(string(html), "<link") {
			t.Errorf("%s loads something", p.html())
		}
	}
}

func TestRelative(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"index.html", "docs/FORMAT.html", "docs/FORMAT.html"},
		{"docs/FORMAT.html", "index.html", "../index.html"},
		{"docs/rfc/index.html", "docs/FORMAT.html", "../../docs/FORMAT.html"},
	} {
		if got := relative(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
