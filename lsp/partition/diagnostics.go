package partition

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// Diagnostics holds, for each file and source, what that source says is wrong with
// the file. Write through [PutDiagnostics] and [ReplaceDiagnostics], which keep the
// invariants.
var Diagnostics = runtime.NewPartition[[]lsp.Diagnostic]("lsp/diagnostics")

const separator = "\x00"

// DiagnosticsKey returns the key of what a source says of a file.
func DiagnosticsKey(uri, source string) string { return uri + separator + source }

// SplitDiagnosticsKey is the reverse of [DiagnosticsKey]. It reports false for
// anything else.
func SplitDiagnosticsKey(key string) (uri, source string, ok bool) {
	return strings.Cut(key, separator)
}

// OfFile matches everything that is said of a file.
func OfFile(uri string) runtime.Pattern { return runtime.Prefix(uri + separator) }

// PutDiagnostics replaces what one source says of a file. An empty list clears it (S0).
func PutDiagnostics(w *runtime.Writer, uri, source string, list []lsp.Diagnostic) error {
	if strings.Contains(uri, separator) {
		return fmt.Errorf("partition: the URI %q holds a NUL", uri) // S2
	}
	if len(list) == 0 {
		return Diagnostics.Delete(w, DiagnosticsKey(uri, source))
	}
	return Diagnostics.Put(w, DiagnosticsKey(uri, source), list)
}

// ReplaceDiagnostics replaces what all sources say of a file (S1). A diagnostic's
// Source names its producer; no diagnostics at all clear the file.
func ReplaceDiagnostics(w *runtime.Writer, uri string, list []lsp.Diagnostic) error {
	if err := Diagnostics.ClearPrefix(w, uri+separator); err != nil {
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
	var all []lsp.Diagnostic
	err := Diagnostics.Scan(r, OfFile(uri), func(_ string, list []lsp.Diagnostic) error {
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

// Files returns the URIs of all files of which anything is said, in order.
func Files(r runtime.Reader, in runtime.Pattern) ([]string, error) {
	keys, err := Diagnostics.Keys(r, in)
	if err != nil {
		return nil, err
	}
	uris := keys[:0]
	for _, key := range keys {
		uri, _, ok := SplitDiagnosticsKey(key)
		if ok && (len(uris) == 0 || uris[len(uris)-1] != uri) {
			uris = append(uris, uri)
		}
	}
	return uris, nil
}
