package main

import (
	_ "embed"
	"flag"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
)

//go:embed template.html
var around string

//go:embed style.css
var style string

var layout = template.Must(template.New("page").Parse(around))

func main() {
	root := flag.String("root", filepath.Join("..", ".."), "the project's directory")
	out := flag.String("out", filepath.Join("..", "..", "bin", "site"), "where the pages go")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "site: %q is no flag; see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	n, err := build(*root, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
	fmt.Printf("%d pages; open %s\n", n, filepath.Join(*out, "index.html"))
}

// A section is a group of the navigation as one page shows it.
type section struct {
	Name    string
	Entries []entry
}

type entry struct {
	Title, Link string
	Here        bool
}

// build writes the site and returns how many pages it has. Files in out that no page makes stay.
func build(root, out string) (int, error) {
	all, err := pages(root)
	if err != nil {
		return 0, err
	}
	byPath := map[string]page{}
	for _, p := range all {
		byPath[p.path] = p
	}
	for _, p := range all {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.path)))
		if err != nil {
			return 0, err
		}
		body, err := p.render(source, byPath)
		if err != nil {
			return 0, err
		}
		if err := write(filepath.Join(out, filepath.FromSlash(p.html())), p, all, body); err != nil {
			return 0, err
		}
	}
	images, err := filepath.Glob(filepath.Join(root, "docs", "images", "*"))
	if err != nil {
		return 0, err
	}
	for _, image := range images {
		data, err := os.ReadFile(image)
		if err != nil {
			return 0, err
		}
		file := filepath.Join(out, "docs", "images", filepath.Base(image))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return 0, err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func write(file string, p page, all []page, body []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return layout.Execute(f, map[string]any{
		"Title":      p.title,
		"Style":      template.CSS(style),
		"Navigation": sections(p, all),
		"Body":       template.HTML(body),
	})
}

// sections is the navigation that a page shows.
func sections(here page, all []page) []section {
	var found []section
	for _, name := range navigation {
		s := section{Name: name}
		for _, p := range all {
			if p.group == name {
				link := relative(here.html(), p.html())
				s.Entries = append(s.Entries, entry{p.title, link, p.path == here.path})
			}
		}
		if len(s.Entries) > 0 {
			found = append(found, s)
		}
	}
	return found
}
