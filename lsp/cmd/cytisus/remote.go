package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/server"
)

// A remote asks the process that holds the store, in the Language Server Protocol.
type remote struct {
	dir, store string
	client     *server.Client
	texts      map[string][]string // lines of files, read from disk
}

// newRemote begins to ask over a connection. An empty root means that only the store is of
// interest.
func newRemote(ctx context.Context, conn io.ReadWriteCloser, root, store string, m meter) (*remote, error) {
	client, err := server.NewClient(ctx, conn, root, "cytisus", func(message string) {
		phase, _, _ := strings.Cut(message, ":")
		m.update(lsp.Progress{Phase: phase})
	})
	if err != nil {
		return nil, fmt.Errorf("asking the process that holds the store: %w", err)
	}
	r := &remote{dir: root, store: store, client: client, texts: map[string][]string{}}
	if root != "" {
		// The process may not have been told of what was written since: it looks at the whole root
		// again.
		params := map[string]any{"changes": []any{map[string]any{"uri": string(uri.File(root)), "type": 2}}}
		if err := client.Notify("workspace/didChangeWatchedFiles", params); err != nil {
			return nil, errors.Join(fmt.Errorf("asking the process that holds the store: %w", err), conn.Close())
		}
	}
	return r, nil
}

func (r *remote) root() string { return r.dir }

// refresh waits until the process has looked at the disk, as newRemote has asked it to.
func (r *remote) refresh(ctx context.Context) error {
	return r.call(ctx, server.MethodSettle, &server.SettleParams{Files: true}, nil)
}

func (r *remote) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), dialFor)
	defer cancel()
	return r.client.Close(ctx)
}

type remoteLocation struct {
	URI   string         `json:"uri"`
	Range protocol.Range `json:"range"`
}

// ask calls a method about a place.
func (r *remote) ask(ctx context.Context, method string, p place, more map[string]any, result any) error {
	params := map[string]any{
		"textDocument": map[string]any{"uri": string(uri.File(p.file))},
		"position":     map[string]any{"line": p.line - 1, "character": p.column - 1},
	}
	for k, v := range more {
		params[k] = v
	}
	return r.call(ctx, method, params, result)
}

// call calls a method of the protocol.
func (r *remote) call(ctx context.Context, method string, params, result any) error {
	return localError(r.client.Call(ctx, method, params, result))
}

// callPlain calls a method that is not of the protocol.
func (r *remote) callPlain(ctx context.Context, method string, params, result any) error {
	return localError(r.client.CallPlain(ctx, method, params, result))
}

// localError turns the other side's refusals into the errors that a local answer would have given.
func localError(err error) error {
	refused, ok := errors.AsType[*jsonrpc2.Error](err)
	if !ok {
		return err
	}
	switch refused.Code {
	case server.NoSuchPartition:
		return &noPartitionError{refused.Message}
	case server.UnknownFile:
		return lsp.ErrUnknownFile
	case dispatch.RequestFailed:
		return &refusedError{refused.Message}
	case jsonrpc2.InvalidParams:
		return &usageError{errors.New(refused.Message)}
	}
	return errors.New(refused.Message)
}

func (r *remote) definition(ctx context.Context, p place) ([]found, error) {
	var locs []remoteLocation
	if err := r.ask(ctx, "textDocument/definition", p, nil, &locs); err != nil {
		return nil, err
	}
	return r.places(locs), nil
}

func (r *remote) references(ctx context.Context, p place, declaration bool) ([]found, error) {
	var locs []remoteLocation
	more := map[string]any{"context": map[string]any{"includeDeclaration": declaration}}
	if err := r.ask(ctx, "textDocument/references", p, more, &locs); err != nil {
		return nil, err
	}
	return r.places(locs), nil
}

func (r *remote) hover(ctx context.Context, p place) (*described, error) {
	var h *struct {
		Contents struct {
			Value string `json:"value"`
		} `json:"contents"`
	}
	if err := r.ask(ctx, "textDocument/hover", p, nil, &h); err != nil {
		return nil, err
	}
	if h == nil {
		return nil, nil
	}
	signature, doc := cutDeclaration(strings.TrimSpace(h.Contents.Value))
	return &described{Signature: signature, Doc: doc}, nil
}

// cutDeclaration parts the text of a hover into the declaration and its documentation. They are
// separated by a blank line, but a declaration may hold blank lines itself: it goes on as long as
// lines are indented or close something.
func cutDeclaration(text string) (declaration, doc string) {
	for at := 0; ; {
		i := strings.Index(text[at:], "\n\n")
		if i < 0 {
			return text, ""
		}
		at += i + len("\n\n")
		if at < len(text) && strings.IndexByte("\t\n})", text[at]) < 0 {
			return text[:at-len("\n\n")], text[at:]
		}
	}
}

func (r *remote) symbols(ctx context.Context, pattern string, limit int) ([]foundSymbol, error) {
	var matches []struct {
		Name          string              `json:"name"`
		Kind          protocol.SymbolKind `json:"kind"`
		ContainerName string              `json:"containerName"`
		Location      remoteLocation      `json:"location"`
	}
	if err := r.call(ctx, "workspace/symbol", map[string]any{"query": pattern}, &matches); err != nil {
		return nil, err
	}
	var out []foundSymbol
	for _, m := range matches[:min(limit, len(matches))] {
		name := m.Name
		// A name that was found by its package has that before it; the container tells it.
		for _, q := range []string{m.ContainerName, path.Base(m.ContainerName), "main"} {
			name = strings.TrimPrefix(name, q+".")
		}
		out = append(out, foundSymbol{Name: name, Kind: lsp.SymbolKind(m.Kind).String(), Container: m.ContainerName, Place: r.place(m.Location)})
	}
	return out, nil
}

type remoteSymbol struct {
	Name           string              `json:"name"`
	Detail         string              `json:"detail"`
	Kind           protocol.SymbolKind `json:"kind"`
	SelectionRange protocol.Range      `json:"selectionRange"`
	Children       []remoteSymbol      `json:"children"`
}

func (r *remote) outline(ctx context.Context, file string) ([]outlined, error) {
	u := string(uri.File(file))
	var symbols []remoteSymbol
	if err := r.call(ctx, "textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": u}}, &symbols); err != nil {
		return nil, err
	}
	return r.outlines(u, symbols), nil
}

func (r *remote) outlines(u string, symbols []remoteSymbol) []outlined {
	var out []outlined
	for _, s := range symbols {
		out = append(out, outlined{
			Name: s.Name, Detail: s.Detail, Kind: lsp.SymbolKind(s.Kind).String(),
			Place: r.place(remoteLocation{URI: u, Range: s.SelectionRange}), Children: r.outlines(u, s.Children),
		})
	}
	return out
}

func (r *remote) places(locs []remoteLocation) []found {
	out := make([]found, len(locs))
	for i, loc := range locs {
		out[i] = r.place(loc)
	}
	return out
}

func (r *remote) place(loc remoteLocation) found {
	f := found{
		File: filename(loc.URI),
		Line: int(loc.Range.Start.Line) + 1, Column: int(loc.Range.Start.Character) + 1,
		EndLine: int(loc.Range.End.Line) + 1, EndColumn: int(loc.Range.End.Character) + 1,
	}
	lines, ok := r.texts[f.File]
	if !ok {
		// The text is a courtesy: a file that cannot be read has none.
		if text, err := files.Read(f.File, lsp.MaxFileBytes); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		r.texts[f.File] = lines
	}
	if f.Line <= len(lines) {
		f.Text = strings.TrimSpace(lines[f.Line-1])
	}
	return f
}
