package describe

import (
	"go/ast"
	"go/doc/comment"
	"sort"
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// PackageSite is the web site that documents published packages.
const PackageSite = "https://pkg.go.dev/"

// A text is a piece of documentation, as plain text and as Markdown.
type text struct {
	plain, markdown string
}

// documentation is what a comment in a file of a package says. Its links lead to the source.
func documentation(lib Library, p *metadata.Package, t *syntax.Tree, g *ast.CommentGroup) (text, error) {
	if g == nil {
		return text{}, nil
	}
	plain := strings.ToValidUTF8(g.Text(), "\uFFFD")
	if strings.TrimSpace(plain) == "" {
		return text{}, nil
	}
	links := map[string]string{} // by what stands between the brackets
	for _, l := range syntax.DocLinks([]byte(plain)) {
		if !l.Last {
			continue
		}
		url, err := lib.Link(p, t, l.Name)
		if err != nil {
			return text{}, err
		}
		if url != "" {
			links[plain[l.Full.Start:l.Full.End]] = url
		}
	}
	// Behind the text the links are defined, which the parser takes out again.
	defined := make([]string, 0, len(links))
	for name, url := range links {
		defined = append(defined, name+": "+url)
	}
	sort.Strings(defined)
	source := plain
	if len(defined) > 0 {
		source += "\n" + strings.Join(defined, "\n") + "\n"
	}
	return text{plain: strings.TrimSpace(plain), markdown: markdown(source)}, nil
}

// markdown is a documentation comment without its markers as Markdown. Links of which nothing more
// is known lead to the site of packages.
func markdown(source string) string {
	var parser comment.Parser
	printer := comment.Printer{
		HeadingID: func(*comment.Heading) string { return "" }, // editors show them
		DocLinkURL: func(l *comment.DocLink) string {
			url := PackageSite + l.ImportPath
			if name := strings.TrimPrefix(l.Recv+"."+l.Name, "."); name != "" {
				url += "#" + name
			}
			return url
		},
	}
	return string(printer.Markdown(parser.Parse(source)))
}
