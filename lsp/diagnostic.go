package lsp

import "cmp"

// CompareDiagnostics orders diagnostics for a reader: by place, worse ones first.
func CompareDiagnostics(a, b Diagnostic) int {
	return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End, int(a.Severity)-int(b.Severity),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
}
