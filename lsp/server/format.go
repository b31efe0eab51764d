package server

import (
	"errors"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// formatting is textDocument/formatting, rangeFormatting, rangesFormatting and onTypeFormatting.
var formatting = feature{
	offered: offers[lsp.Formatter],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.DocumentFormattingProvider = protocol.Boolean(true)
		several := true
		out.DocumentRangeFormattingProvider = &protocol.DocumentRangeFormattingOptions{RangesSupport: &several}
		out.DocumentOnTypeFormattingProvider = protocol.DocumentOnTypeFormattingOptions{FirstTriggerCharacter: "}", MoreTriggerCharacter: []string{"\n"}}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentFormatting: textual(s,
				func(p *protocol.DocumentFormattingParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, text []byte, _ *protocol.DocumentFormattingParams) (any, error) {
					return q.formatted(q.formatter().Format(q.uri, text))
				}),
			protocol.MethodTextDocumentRangeFormatting: textual(s,
				func(p *protocol.DocumentRangeFormattingParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, text []byte, p *protocol.DocumentRangeFormattingParams) (any, error) {
					return q.formatRanges(text, p.Range)
				}),
			protocol.MethodTextDocumentRangesFormatting: textual(s,
				func(p *protocol.DocumentRangesFormattingParams) protocol.TextDocumentIdentifier {
					return p.TextDocument
				},
				func(q *question, text []byte, p *protocol.DocumentRangesFormattingParams) (any, error) {
					return q.formatRanges(text, p.Ranges...)
				}),
			protocol.MethodTextDocumentOnTypeFormatting: textual(s,
				func(p *protocol.DocumentOnTypeFormattingParams) protocol.TextDocumentIdentifier {
					return p.TextDocument
				},
				formatTyped),
		}
	},
}

func (q *question) formatter() lsp.Formatter { return q.root.ws.(lsp.Formatter) }

// formatted converts edits that lay out the document. A text that cannot be parsed is refused with
// the reason alone: it is about the text that the reader has before him.
func (q *question) formatted(edits []lsp.TextEdit, err error) (any, error) {
	if errors.Is(err, lsp.ErrSyntax) {
		return nil, jsonrpc2.Errorf(dispatch.RequestFailed, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	out, err := q.textEdits(q.uri, edits)
	if err != nil {
		return nil, err
	}
	return out, q.unchanged()
}

func (q *question) formatRanges(text []byte, ranges ...protocol.Range) (any, error) {
	spans := make([]lsp.Span, len(ranges))
	for i, r := range ranges {
		span, err := q.spanOf(r)
		if err != nil {
			return nil, err
		}
		spans[i] = span
	}
	return q.formatted(q.formatter().FormatSpans(q.uri, text, spans))
}

func formatTyped(q *question, text []byte, p *protocol.DocumentOnTypeFormattingParams) (any, error) {
	at, err := q.offset(p.Position)
	if err != nil {
		return nil, err
	}
	return q.formatted(q.formatter().FormatTyped(q.uri, text, at, p.Ch), nil)
}
