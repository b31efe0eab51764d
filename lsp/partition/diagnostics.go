package partition

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

// Diagnostics holds, for each file and source, what that source says is wrong with
// the file. Write through [PutDiagnostics] and [ReplaceDiagnostics], which keep the
// invariants.
var Diagnostics = keyed.NewPartition[DiagnosticsKey, []lsp.Diagnostic]("lsp/file-diagnostics")

// A DiagnosticsKey names what a source says of a file.
type DiagnosticsKey struct{ URI, Source string }

// PutDiagnostics replaces what one source says of a file. An empty list clears it (S0).
func PutDiagnostics(w *runtime.Writer, uri, source string, list []lsp.Diagnostic) error {
	if len(list) == 0 {
		return Diagnostics.Delete(w, DiagnosticsKey{uri, source})
	}
	return Diagnostics.Put(w, DiagnosticsKey{uri, source}, list)
}

// ReplaceDiagnostics replaces what all sources say of a file (S1). A diagnostic's
// Source names its producer; no diagnostics at all clear the file.
func ReplaceDiagnostics(w *runtime.Writer, uri string, list []lsp.Diagnostic) error {
	if err := Diagnostics.ClearUnder(w, DiagnosticsKey{URI: uri}, 1); err != nil {
		return err
	}
	bySource := make(map[string][]lsp.Diagnostic)
	for _, d := range list {
		bySource[d.Source] = append(bySource[d.Source], d)
	}
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		if err := PutDiagnostics(w, uri, source, bySource[source]); err != nil {
			return err
		}
	}
	return nil
}

// FileDiagnostics returns everything that is said of a file, ordered by position,
// then severity, then source. Equal diagnostics of one source stay in its order.
func FileDiagnostics(r runtime.Reader, uri string) ([]lsp.Diagnostic, error) {
	of, err := Diagnostics.Under(DiagnosticsKey{URI: uri}, 1)
	if err != nil {
		return nil, err
	}
	var all []lsp.Diagnostic
	err = Diagnostics.Scan(r, of, func(_ DiagnosticsKey, list []lsp.Diagnostic) error {
		all = append(all, list...)
		return nil
	})
	slices.SortStableFunc(all, func(a, b lsp.Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(a.Span.End, b.Span.End),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Source, b.Source),
		)
	})
	return all, err
}

// Files returns the URIs of all files of which anything is said and whose URI begins
// with prefix, in order.
func Files(r runtime.Reader, prefix string) ([]string, error) {
	in, err := Diagnostics.Prefix(DiagnosticsKey{URI: prefix}, 1)
	if err != nil {
		return nil, err
	}
	keys, err := Diagnostics.Keys(r, in)
	if err != nil {
		return nil, err
	}
	var uris []string
	for _, k := range keys {
		if len(uris) == 0 || uris[len(uris)-1] != k.URI {
			uris = append(uris, k.URI)
		}
	}
	return uris, nil
}
