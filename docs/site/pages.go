package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A page is one Markdown file of the project.
type page struct {
	path  string // below the root, with slashes
	title string // its first heading
	group string // under which it stands in the navigation
}

// html is where the page goes, below the directory of the site.
func (p page) html() string {
	if p.path == "README.md" {
		return "index.html"
	}
	dir, file := path.Split(p.path)
	if file == "README.md" {
		return dir + "index.html"
	}
	return strings.TrimSuffix(p.path, ".md") + ".html"
}

// The groups of the navigation, in order. A page belongs to the first whose prefix it has.
var groups = []struct{ prefix, name string }{
	{"docs/guides/", "Guides"},
	{"docs/editors/", "Guides"},
	{"docs/rfc/", "Decisions"},
	{"docs/", "Reference"},
	{"benchmarks/", "Measuring and testing"},
	{"fuzz/", "Measuring and testing"},
	{"", "The project"},
}

// navigation lists the names of the groups in the order in which they are shown.
var navigation = []string{"The project", "Guides", "Reference", "Measuring and testing", "Decisions"}

// pages finds the Markdown files of the project, sorted by path. Test data is left out: it is no
// page. A page without a heading is an error.
func pages(root string) ([]page, error) {
	var found []page
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			hidden := strings.HasPrefix(name, ".") && file != root
			if hidden || name == "testdata" || name == "node_modules" || name == "bin" {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".md" {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		p := page{path: filepath.ToSlash(rel)}
		if p.title, err = firstHeading(file); err != nil {
			return err
		}
		for _, g := range groups {
			if strings.HasPrefix(p.path, g.prefix) {
				p.group = g.name
				break
			}
		}
		found = append(found, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("pages of %s: %w", root, err)
	}
	slices.SortFunc(found, func(a, b page) int { return strings.Compare(a.path, b.path) })
	return found, nil
}

// firstHeading is the text of the first heading of a Markdown file.
func firstHeading(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if title, ok := strings.CutPrefix(lines.Text(), "# "); ok {
			return strings.TrimSpace(title), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return "", fmt.Errorf("%s: no heading", file)
}
