package describe

import (
	"encoding/json"
	"go/doc"
	"regexp"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// Settings say how much a reader is told of something.
type Settings struct {
	// Kind is FullDocumentation, SynopsisDocumentation, NoDocumentation, SingleLine, or Structured
	// for a JSON object; anything else is FullDocumentation.
	Kind string `json:"hoverKind"`

	// Links says whether there are links; nil is true. A text is one that users of gopls set, and
	// is true.
	Links any `json:"linksInHover"`

	// Site is the web site that documents published packages; "" is that of Go.
	Site string `json:"linkTarget"`
}

// structured is a description as an object, for programs.
type structured struct {
	Synopsis   string `json:"synopsis"`
	Doc        string `json:"fullDocumentation"`
	Signature  string `json:"signature"`
	SingleLine string `json:"singleLine"`
	Name       string `json:"symbolName"`
	Path       string `json:"linkPath"`
	Anchor     string `json:"linkAnchor"`
}

// Apply leaves of a description what the settings ask for.
func (s *Settings) Apply(h *lsp.Hover) {
	if h == nil {
		return
	}
	site := PackageSite
	if s.Site != "" {
		site = "https://" + s.Site + "/"
		h.DocMarkdown = strings.ReplaceAll(h.DocMarkdown, "]("+PackageSite, "]("+site)
		if rest, ok := strings.CutPrefix(h.Reference.URL, PackageSite); ok {
			h.Reference.URL = site + rest
		}
	}
	synopsis := new(doc.Package).Synopsis(h.Doc)
	switch s.Kind {
	case "SynopsisDocumentation":
		h.Doc, h.DocMarkdown = synopsis, markdown(synopsis)
	case "NoDocumentation":
		h.Doc, h.DocMarkdown = "", ""
	case "SingleLine":
		*h = lsp.Hover{Span: h.Span, Language: h.Language, Signature: h.Signature}
	case "Structured":
		o := structured{
			Synopsis: synopsis, Signature: h.Text(), SingleLine: h.Signature, Name: h.Reference.Name,
		}
		if h.Declaration != "" {
			o.Signature += "\n" // its last line ends
		}
		if h.Doc != "" {
			o.Doc = h.Doc + "\n"
		}
		o.Path, o.Anchor, _ = strings.Cut(strings.TrimPrefix(h.Reference.URL, site), "#")
		text, _ := json.Marshal(o) // texts
		*h = lsp.Hover{Span: h.Span, Doc: string(text), DocMarkdown: string(text)}
	}
	if s.Links == false {
		h.Reference = lsp.Reference{}
		h.DocMarkdown = unlinked(h.Doc)
	}
}

// withoutLinks finds links in what the printer of comments writes.
var withoutLinks = regexp.MustCompile(`\[([^\]\n]*)\]\([^)\n]*\)`)

// unlinked is documentation as Markdown whose links lead nowhere.
func unlinked(text string) string {
	if text == "" {
		return ""
	}
	return withoutLinks.ReplaceAllString(markdown(text), "$1")
}
