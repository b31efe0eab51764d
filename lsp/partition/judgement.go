package partition

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// A Judgement says which text of an open file the diagnostics of the file are about, and stands for
// them: it differs whenever one of the two does.
type Judgement struct {
	Text lsp.Digest
	Said lsp.Digest // see DigestOf
}

// Judgements holds, for each file with an unsaved text, the newest text of which it is known what
// is wrong with it. The language writes it together with the diagnostics of the file (S2).
var Judgements = runtime.NewPartition[Judgement]("lsp/judgements", runtime.Volatile)

// DigestOf stands for the diagnostics of a file, in whichever order.
func DigestOf(list []lsp.Diagnostic) lsp.Digest {
	each := make([]lsp.Digest, len(list))
	for i := range list {
		d := &list[i]
		each[i] = lsp.DigestOf(fmt.Appendf(nil, "%d %d %d %q %q %q %t %t %q %q", d.Span.Start, d.Span.End, d.Severity, d.Code, d.Source, d.Message,
			d.Unnecessary, d.Deprecated, d.Href, fmt.Sprint(d.Related)))
	}
	slices.SortFunc(each, func(a, b lsp.Digest) int { return bytes.Compare(a[:], b[:]) })
	var all []byte
	for _, d := range each {
		all = append(all, d[:]...)
	}
	return lsp.DigestOf(all)
}
