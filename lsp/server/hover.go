package server

import (
	"context"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// hover answers textDocument/hover, in Markdown if the client prefers it.
func (s *session) hover(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.HoverParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	_, work, err := s.atPosition(r, p.TextDocumentPositionParams, lane.RPC2, func(q *question, at int) (any, error) {
		h, err := q.root.ws.Hover(q.t, q.uri, at)
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

func hoverContents(h *lsp.Hover, markdown bool) *protocol.MarkupContent {
	if markdown {
		return &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: hoverMarkdown(h)}
	}
	return &protocol.MarkupContent{Kind: protocol.MarkupKindPlainText, Value: strings.TrimSpace(h.Text() + "\n\n" + h.Doc)}
}

// hoverMarkdown puts the signature into a fence that nothing inside it can close, and the
// documentation, which is plain text, under it.
func hoverMarkdown(h *lsp.Hover) string {
	fence, shown := "```", h.Text()
	for strings.Contains(shown, fence) {
		fence += "`"
	}
	var b strings.Builder
	if shown != "" {
		b.WriteString(fence + h.Language + "\n" + shown + "\n" + fence)
	}
	if doc := strings.TrimSpace(h.Doc); doc != "" {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		writeProse(&b, doc)
	}
	return b.String()
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
