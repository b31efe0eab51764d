package server

import (
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// editing is what of changes to the workspace a client understands.
type editing struct {
	versioned bool // edits of documents with the version that they are about
	create    bool
	rename    bool
}

func readEditing(c *protocol.WorkspaceEditClientCapabilities) (out editing) {
	if c == nil {
		return out
	}
	out.versioned = is(c.DocumentChanges)
	for _, k := range c.ResourceOperations {
		switch k {
		case protocol.ResourceOperationKindCreate:
			out.create = true
		case protocol.ResourceOperationKindRename:
			out.rename = true
		}
	}
	return out
}

// textEdits converts edits of one file, in order.
func (q *question) textEdits(name string, edits []lsp.TextEdit) ([]protocol.TextEdit, error) {
	if err := lsp.SortEdits(edits); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := make([]protocol.TextEdit, len(edits))
	for i, e := range edits {
		r, err := q.rangeOf(name, e.Span)
		if err != nil {
			return nil, err
		}
		out[i] = protocol.TextEdit{Range: r, NewText: e.NewText}
	}
	return out, nil
}

// version is that of a client's document, nil if it is not open. An edit is about the text that the
// question sees, so a client with another one is told that it has been modified.
func (q *question) version(name string) (*int32, error) {
	doc, ok := q.s.agreed.Load().docs.Get(name)
	if !ok || doc == nil {
		return nil, nil
	}
	has, err := q.root.ws.Digest(q.t, name)
	if err != nil {
		return nil, err
	}
	if has != doc.Digest() {
		return nil, errModified("the text of " + name + " has changed meanwhile")
	}
	v := doc.Version()
	return &v, nil
}

// errFilesOfClient is the error for a change that the client could not make.
var errFilesOfClient = jsonrpc2.NewError(
	dispatch.RequestFailed, "the change creates or renames files, which the client does not support",
)

// workspaceEdit converts a change for the client. It is refused as a whole if the client does not
// understand all of it.
func (q *question) workspaceEdit(e *lsp.WorkspaceEdit) (*protocol.WorkspaceEdit, error) {
	can := q.s.agreed.Load().caps.editing
	if len(e.Create) > 0 && !can.create || len(e.Renames) > 0 && !can.rename {
		return nil, errFilesOfClient
	}
	out := &protocol.WorkspaceEdit{}
	versioned := can.versioned || len(e.Create) > 0 || len(e.Renames) > 0
	if !versioned {
		out.Changes = map[uri.URI][]protocol.TextEdit{}
	}
	for _, name := range e.Create {
		out.DocumentChanges = append(out.DocumentChanges, &protocol.CreateFile{Kind: "create", URI: q.s.foreign(name)})
	}
	for _, f := range e.Files {
		edits, err := q.textEdits(f.URI, f.Edits)
		if err != nil {
			return nil, err
		}
		version, err := q.version(f.URI)
		if err != nil {
			return nil, err
		}
		if !versioned {
			out.Changes[q.s.foreign(f.URI)] = edits
			continue
		}
		change := &protocol.TextDocumentEdit{TextDocument: protocol.OptionalVersionedTextDocumentIdentifier{
			TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: q.s.foreign(f.URI)}, Version: version,
		}}
		for i := range edits {
			change.Edits = append(change.Edits, &edits[i])
		}
		out.DocumentChanges = append(out.DocumentChanges, change)
	}
	for _, r := range e.Renames {
		out.DocumentChanges = append(out.DocumentChanges, &protocol.RenameFile{Kind: "rename", OldURI: q.s.foreign(r.Old), NewURI: q.s.foreign(r.New)})
	}
	return out, nil
}
