package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// The queries, from files upwards. Each is pure: it reads inputs and other queries, and a result
// equal to the one before leaves everything above it valid. No syntax tree and no type crosses from
// one query to another.
//
//	content -> header -> layout -> metadata -> packages, read by ID
//	content -> shape -> face text -> face of the package -> face of an importer …
//	content, faces of imports, of which names are recorded -> check
var (
	headers = runtime.NewQuery("golang/header", version(4), func(t *runtime.Task, uri string) (string, error) {
		text, err := textOf(t, uri)
		if errors.Is(err, lsp.ErrUnknownFile) {
			return "", nil
		}
		return syntax.HeaderText(text), err
	})

	shapes = runtime.NewQuery("golang/shape", version(8), func(t *runtime.Task, uri string) (shape, error) {
		text, err := textOf(t, uri)
		if err != nil {
			return shape{}, ignoreUnknown(err)
		}
		tree := syntax.Trees.Get(uri, text)
		text, doubt := syntax.ShownFace(tree)
		face, err := t.PutBlob(text)
		if err != nil {
			return shape{}, err
		}
		outline := syntax.Outline(tree)
		return shape{
			Face: face, Outline: outline, Symbols: index.AppendSymbols(nil, outline), Syntax: tree.Errors, Doubt: doubt,
		}, nil
	})

	faceTexts = runtime.NewQuery("golang/face-text", version(2), func(t *runtime.Task, uri string) (runtime.Blob, error) {
		s, err := shapes.Get(t, uri)
		return s.Face, err
	})

	symbolLists = runtime.NewQuery("golang/symbols", version(1), func(t *runtime.Task, uri string) ([]byte, error) {
		s, err := shapes.Get(t, uri)
		return s.Symbols, err
	})
)

// A shape is what one parse of a file gives, without its bodies.
type shape struct {
	Face    runtime.Blob // see syntax.FaceText
	Outline []lsp.Symbol
	Symbols []byte // a symbol list
	Syntax  []lsp.Diagnostic
	Doubt   syntax.Doubt
}
