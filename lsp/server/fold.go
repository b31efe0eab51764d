package server

import (
	"cmp"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// foldSupport is what a client makes of folds.
type foldSupport struct {
	wholeLines bool
	most       int // that it wants of one document; 0: all
}

func readFolds(c *protocol.FoldingRangeClientCapabilities) (out foldSupport) {
	if c != nil {
		out.wholeLines = is(c.LineFoldingOnly)
		if c.RangeLimit != nil {
			out.most = int(*c.RangeLimit)
		}
	}
	return out
}

// folds is textDocument/foldingRange.
var folds = feature{
	offered: offers[lsp.Folder],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.FoldingRangeProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentFoldingRange: textual(s,
				func(p *protocol.FoldingRangeParams) protocol.TextDocumentIdentifier { return p.TextDocument }, foldingRanges),
		}
	},
}

func foldingRanges(q *question, text []byte, _ *protocol.FoldingRangeParams) (any, error) {
	can := q.s.agreed.Load().caps.folds
	list := q.root.ws.(lsp.Folder).Folds(q.uri, text)
	out := make([]protocol.FoldingRange, 0, len(list))
	for _, f := range list {
		r, err := q.rangeOf(q.uri, f.Span)
		if err != nil {
			return nil, err
		}
		if can.wholeLines && f.Closed && r.End.Line > r.Start.Line { // the line of the bracket stays
			end, err := q.lineEnd(int(r.End.Line) - 1)
			if err != nil {
				return nil, err
			}
			r.End = end
		}
		if can.wholeLines && r.End.Line == r.Start.Line {
			continue
		}
		fold := protocol.FoldingRange{
			StartLine: r.Start.Line, StartCharacter: &r.Start.Character, EndLine: r.End.Line, EndCharacter: &r.End.Character,
		}
		switch f.Kind {
		case lsp.FoldComment:
			fold.Kind = protocol.FoldingRangeKindComment
		case lsp.FoldImports:
			fold.Kind = protocol.FoldingRangeKindImports
		case lsp.FoldCode: // has no kind
		}
		out = append(out, fold)
	}
	return largestFolds(out, can.most), nil
}

// lineEnd is the position behind the last character of a line of the document.
func (q *question) lineEnd(line int) (protocol.Position, error) {
	m, err := q.mapper(q.uri)
	if err != nil {
		return protocol.Position{}, err
	}
	start, err := m.Offset(protocol.Position{Line: uint32(line)}, q.s.agreed.Load().encoding)
	if err != nil {
		return protocol.Position{}, err
	}
	return m.Position(start+len(m.Line(line)), q.s.agreed.Load().encoding)
}

// largestFolds leaves those that hide most, in order, if a client wants no more than a number of
// them.
func largestFolds(list []protocol.FoldingRange, most int) []protocol.FoldingRange {
	if most <= 0 || len(list) <= most {
		return list
	}
	lines := func(f protocol.FoldingRange) int { return int(f.EndLine) - int(f.StartLine) }
	bySize := slices.SortedStableFunc(slices.Values(list), func(a, b protocol.FoldingRange) int { return lines(b) - lines(a) })[:most]
	slices.SortStableFunc(bySize, func(a, b protocol.FoldingRange) int {
		return cmp.Or(cmp.Compare(a.StartLine, b.StartLine), cmp.Compare(*a.StartCharacter, *b.StartCharacter))
	})
	return bySize
}
