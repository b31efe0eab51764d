package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// selectionOf is the selection that some clients send along with a position; nil if there is none.
func selectionOf(r *dispatch.Request) *protocol.Range {
	var more struct {
		Range *protocol.Range `json:"range"`
	}
	if json.Unmarshal(r.Params, &more) != nil {
		return nil // it is no part of the protocol
	}
	return more.Range
}

// hover answers textDocument/hover, in Markdown if the client prefers it.
func (s *session) hover(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.HoverParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	selected := selectionOf(r)
	_, work, err := s.atPosition(r, p.TextDocumentPositionParams, lane.RPC2, func(q *question, at int) (any, error) {
		h, err := q.hover(at, selected)
		if err != nil || h == nil {
			return nil, err
		}
		rng, err := q.rangeOf(q.uri, h.Span)
		if err != nil {
			return nil, err
		}
		return &protocol.Hover{Contents: hoverContents(h, s.agreed.Load().caps.markdownHover), Range: &rng}, nil
	})
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(work), nil
}

// hover describes what is selected, if the language can do that, or else what stands at an offset.
func (q *question) hover(at int, selected *protocol.Range) (*lsp.Hover, error) {
	if ws, ok := q.root.ws.(lsp.SelectionHoverer); ok && selected != nil {
		span, err := q.spanOf(*selected)
		if err != nil {
			return nil, err
		}
		return ws.HoverSelection(q.t, q.uri, span)
	}
	return q.root.ws.Hover(q.t, q.uri, at)
}

func hoverContents(h *lsp.Hover, markdown bool) *protocol.MarkupContent {
	if markdown {
		return &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: hoverMarkdown(h)}
	}
	return &protocol.MarkupContent{Kind: protocol.MarkupKindPlainText, Value: h.Plain()}
}

// hoverMarkdown has up to three sections, with lines between them: the signature; the documentation
// and the members; notes and the reference.
func hoverMarkdown(h *lsp.Hover) string {
	doc := h.DocMarkdown
	if prose := strings.TrimSpace(h.Doc); doc == "" && prose != "" {
		var b strings.Builder
		writeProse(&b, prose)
		doc = b.String()
	}
	middle := []string{doc}
	for _, list := range h.Members {
		middle = append(middle, fenced(h.Language, list))
	}
	var b strings.Builder
	for _, section := range [][]string{
		{fenced(h.Language, h.Text())}, middle, {strings.Join(h.Notes, "\n"), referenceMarkdown(h.Reference)},
	} {
		begun := b.Len()
		for _, part := range section {
			if part == "" {
				continue
			}
			if b.Len() == begun && begun > 0 {
				b.WriteString("\n\n---")
			}
			if b.Len() > 0 {
				b.WriteString("\n\n")
			}
			b.WriteString(part)
		}
	}
	return b.String()
}

// fenced puts code into a fence that nothing inside it can close.
func fenced(language, code string) string {
	if code = strings.Trim(code, "\n"); code == "" {
		return ""
	}
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	return fence + language + "\n" + code + "\n" + fence
}

// referenceMarkdown is a link that says which site it leads to.
func referenceMarkdown(r lsp.Reference) string {
	if r == (lsp.Reference{}) {
		return ""
	}
	site := r.URL
	if u, err := url.Parse(r.URL); err == nil && u.Host != "" {
		site = u.Host
	}
	return fmt.Sprintf("[`%s` on %s](%s)", r.Name, site, r.URL)
}

// writeProse writes plain text so that Markdown shows it as it is: what would be markup is
// escaped, and lines that were indented stay together as code.
func writeProse(b *strings.Builder, text string) {
	code, blank := false, true
	for i, line := range strings.Split(text, "\n") {
		indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ")
		if indented && !code && !blank {
			b.WriteString("\n") // a code block needs a blank line before it
		}
		blank = line == ""
		if i > 0 {
			b.WriteString("\n")
		}
		if code = indented || code && line == ""; indented {
			b.WriteString("    " + strings.TrimPrefix(strings.TrimPrefix(line, "\t"), "    "))
			continue
		}
		for _, r := range line {
			if strings.ContainsRune("\\`*_{}[]<>#|~", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
}
