package main

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// repository is where files that are no pages are looked at.
const repository = "https://github.com/cytisus/cytisus/blob/main/"

// markdown reads what GitHub reads: tables, and an anchor for each heading.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

// A link is one destination that a page names.
type link struct {
	file   string // below the root, with slashes; the page itself for a mere anchor
	anchor string // without #, "" for none
	text   string // as it is written
}

// parse reads a page.
func parse(source []byte) ast.Node {
	return markdown.Parser().Parse(text.NewReader(source))
}

// local takes a destination apart that names a file or an anchor of the project.
func (p page) local(destination string) (link, bool) {
	u, err := url.Parse(destination)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return link{}, false
	}
	file := p.path
	if u.Path != "" {
		file = path.Join(path.Dir(p.path), u.Path)
	}
	return link{file: file, anchor: u.Fragment, text: destination}, true
}

// links lists what a page links to within the project.
func (p page) links(source []byte) []link {
	var found []link
	_ = ast.Walk(parse(source), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		var destination []byte
		switch n := n.(type) {
		case *ast.Link:
			destination = n.Destination
		case *ast.Image:
			destination = n.Destination
		}
		if entering && destination != nil {
			if l, ok := p.local(string(destination)); ok {
				found = append(found, l)
			}
		}
		return ast.WalkContinue, nil
	})
	return found
}

// anchors lists the anchors that the headings of a page have.
func anchors(source []byte) map[string]bool {
	found := map[string]bool{}
	_ = ast.Walk(parse(source), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			if id, ok := h.AttributeString("id"); ok {
				found[string(id.([]byte))] = true
			}
		}
		return ast.WalkContinue, nil
	})
	return found
}

// render makes HTML of a page's text. A link to another page leads to that page of the site, an
// image to its copy, one to any other file to the repository.
func (p page) render(source []byte, byPath map[string]page) ([]byte, error) {
	doc := parse(source)
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		l, ok := n.(*ast.Link)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		to, ok := p.local(string(l.Destination))
		if !ok {
			return ast.WalkContinue, nil
		}
		target := repository + to.file
		if other, ok := byPath[to.file]; ok {
			target = relative(p.html(), other.html())
		}
		if to.anchor != "" {
			target += "#" + to.anchor
		}
		l.Destination = []byte(target)
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, source, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	return out.Bytes(), nil
}

// relative is the way from one page of the site to another, so that the site works from any
// directory, of a disk too.
func relative(from, to string) string {
	return strings.Repeat("../", strings.Count(from, "/")) + to
}
