package golang

import (
	"cmp"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// Sources of diagnostics, as editors show them.
const (
	sourceTypes = "types"
	sourceList  = "go list"
	sourceDisk  = "disk"
)

// compareDiagnostics orders diagnostics for a reader: by place, worse ones first.
func compareDiagnostics(a, b lsp.Diagnostic) int {
	return cmp.Or(a.Span.Start-b.Span.Start, a.Span.End-b.Span.End, int(a.Severity)-int(b.Severity),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
}

// mergeDiagnostics sorts diagnostics and drops repeats: a file that is in several variants of a
// package has the same errors in each.
func mergeDiagnostics(ds []lsp.Diagnostic) []lsp.Diagnostic {
	slices.SortStableFunc(ds, compareDiagnostics)
	return slices.CompactFunc(ds, func(a, b lsp.Diagnostic) bool { return compareDiagnostics(a, b) == 0 })
}
