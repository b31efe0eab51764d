package partition

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// A Record is what is known of one file of one kind, and the text that it is known of.
type Record[T any] struct {
	Text lsp.Digest // of the file's text; what it says of places is about this text alone
	List []T        // in the order of places
}

// The standard partitions of what is known of files, each by URI.
var (
	// Symbols holds outlines.
	Symbols = runtime.NewPartition[Record[lsp.Symbol]]("lsp/symbols")

	// Occurrences holds names: definitions, references, highlights and renames follow from them.
	Occurrences = runtime.NewPartition[Record[lsp.Occurrence]]("lsp/occurrences")

	// Hovers holds what is shown of a name, for each place where there is something to show.
	Hovers = runtime.NewPartition[Record[lsp.Hover]]("lsp/hovers")

	// Links holds places that lead to documents.
	Links = runtime.NewPartition[Record[lsp.Link]]("lsp/links")
)

// Recorded reads what a partition knows of a file, given the digest of the file's text. Of another
// text than this one it is lsp.ErrBehind; of a file that nobody has written of, nothing.
func Recorded[T any](r runtime.Reader, p *runtime.Partition[Record[T]], uri string, text lsp.Digest) ([]T, error) {
	rec, err := p.Get(r, uri)
	switch {
	case errors.Is(err, runtime.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case rec.Text != text:
		return nil, &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrBehind}
	}
	return rec.List, nil
}
