package document

import (
	"fmt"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// A Change replaces the text of a range. A nil Range means the whole text.
type Change struct {
	Range *protocol.Range
	Text  string
}

// An Edit is a list of changes of one document, to be applied in order.
type Edit struct {
	URI     string
	Version *int32 // version the document has afterwards; nil if the client does not say
	Changes []Change
}

// DecodeEdit reads the parameters of textDocument/didChange. Anything that is not
// exactly a change is an error that matches [ErrBadEdit].
//
// The protocol library's own type is not used here: its union of "range and text" and
// "text only" falls back to the second when a range does not decode, which would turn
// a malformed keystroke into the text of the whole document.
func DecodeEdit(params []byte) (Edit, error) {
	var wire struct {
		TextDocument struct {
			URI     uri.URI `json:"uri"`
			Version *int32  `json:"version"`
		} `json:"textDocument"`
		ContentChanges []struct {
			Range *protocol.Range `json:"range"`
			Text  *string         `json:"text"`
		} `json:"contentChanges"`
	}
	if err := protocol.Unmarshal(params, &wire); err != nil {
		return Edit{}, fmt.Errorf("%w: %w", ErrBadEdit, err)
	}
	if wire.TextDocument.URI == "" {
		return Edit{}, fmt.Errorf("%w: textDocument.uri is missing", ErrBadEdit)
	}
	edit := Edit{URI: string(wire.TextDocument.URI), Version: wire.TextDocument.Version}
	for i, c := range wire.ContentChanges {
		if c.Text == nil {
			return Edit{}, fmt.Errorf("%w: contentChanges[%d].text is missing", ErrBadEdit, i)
		}
		edit.Changes = append(edit.Changes, Change{Range: c.Range, Text: *c.Text})
	}
	return edit, nil
}
