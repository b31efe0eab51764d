package document

import (
	"sync"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/position"
)

// A Document is one version of a text that a client has open. It is immutable and
// may be shared by any number of goroutines.
type Document struct {
	uri      string
	language string
	version  int32
	text     []byte
	err      error // why the text is out of sync with the client's, or nil (D2)
	mapper   func() *position.Mapper
	digest   func() lsp.Digest
}

func newDocument(uri, language string, version int32, text []byte, err error) *Document {
	return &Document{
		uri: uri, language: language, version: version, text: text, err: err,
		mapper: sync.OnceValue(func() *position.Mapper { return position.NewMapper(text) }),
		digest: sync.OnceValue(func() lsp.Digest { return lsp.DigestOf(text) }),
	}
}

// URI returns the document's URI as the store keys it.
func (d *Document) URI() string { return d.uri }

// Language returns the client's name of the document's language.
func (d *Document) Language() string { return d.language }

// Version returns the client's version number of this text.
func (d *Document) Version() int32 { return d.version }

// Text returns the text: read only.
func (d *Document) Text() []byte { return d.text }

// Mapper returns the text's line index, made at first use.
func (d *Document) Mapper() *position.Mapper { return d.mapper() }

// Digest returns the digest of the text, made at first use.
func (d *Document) Digest() lsp.Digest { return d.digest() }

// Err returns nil, or why the text is not the client's: a *[SyncError] (D2), or a *[SizeError] of
// a document that has no text here (D3).
func (d *Document) Err() error { return d.err }
