package document

import (
	"errors"
	"fmt"
	"unicode/utf8"

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
// exactly a change is an error that matches [ErrBadEdit]; the edit then has the URI of the document
// that the client has changed, if that can be told, for [Store.Lose].
//
// The protocol library's own type is not used here: its union of "range and text" and
// "text only" falls back to the second when a range does not decode, which would turn
// a malformed keystroke into the text of the whole document.
func DecodeEdit(params []byte) (Edit, error) {
	edit, err := decodeEdit(params)
	if err != nil {
		return Edit{URI: uriIn(params)}, fmt.Errorf("%w: %w", ErrBadEdit, err)
	}
	return edit, nil
}

// uriIn returns the URI of a document in parameters that do not decode, "" if they have none.
func uriIn(params []byte) string {
	var wire struct {
		TextDocument struct {
			URI uri.URI `json:"uri"`
		} `json:"textDocument"`
	}
	if protocol.Unmarshal(params, &wire) != nil {
		return ""
	}
	return string(wire.TextDocument.URI)
}

func decodeEdit(params []byte) (Edit, error) {
	if !utf8.Valid(params) { // which the library below lets pass
		return Edit{}, errors.New("it is not valid UTF-8")
	}
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
		return Edit{}, err
	}
	if wire.TextDocument.URI == "" {
		return Edit{}, errors.New("textDocument.uri is missing")
	}
	edit := Edit{URI: string(wire.TextDocument.URI), Version: wire.TextDocument.Version}
	for i, c := range wire.ContentChanges {
		if c.Text == nil {
			return Edit{}, fmt.Errorf("contentChanges[%d].text is missing", i)
		}
		edit.Changes = append(edit.Changes, Change{Range: c.Range, Text: *c.Text})
	}
	return edit, nil
}

// An Opening is a document as a client opens it.
type Opening struct {
	URI, Language string
	Version       int32
	Text          string
}

// DecodeOpening reads the parameters of textDocument/didOpen. Without a text they are malformed,
// and that is an error that matches [ErrBadEdit]; the opening then has the URI of the document, if
// it can be told, for [Store.Lose]: the client may have it open, with another text than this one.
func DecodeOpening(params []byte) (Opening, error) {
	o, err := decodeOpening(params)
	if err != nil {
		return Opening{URI: uriIn(params)}, fmt.Errorf("%w: %w", ErrBadEdit, err)
	}
	return o, nil
}

func decodeOpening(params []byte) (Opening, error) {
	if !utf8.Valid(params) {
		return Opening{}, errors.New("it is not valid UTF-8")
	}
	var wire struct {
		TextDocument struct {
			URI        uri.URI `json:"uri"`
			LanguageID string  `json:"languageId"`
			Version    int32   `json:"version"`
			Text       *string `json:"text"`
		} `json:"textDocument"`
	}
	if err := protocol.Unmarshal(params, &wire); err != nil {
		return Opening{}, err
	}
	d := wire.TextDocument
	switch {
	case d.URI == "":
		return Opening{}, errors.New("textDocument.uri is missing")
	case d.Text == nil:
		return Opening{}, errors.New("textDocument.text is missing")
	}
	return Opening{URI: string(d.URI), Language: d.LanguageID, Version: d.Version, Text: *d.Text}, nil
}
