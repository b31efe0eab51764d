package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	dir   string
	conn  *dispatch.Conn
	ended chan error
	texts map[string][]string // lines of files, read from disk
}

func newRemote(ctx context.Context, conn io.ReadWriteCloser, root string) (*remote, error) {
	answerNull := func(context.Context, *dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil }
	r := &remote{dir: root, ended: make(chan error, 1), texts: map[string][]string{}}
	r.conn = dispatch.New(conn, map[string]dispatch.Handler{
		"window/workDoneProgress/create":  answerNull,
		"client/registerCapability":       answerNull,
		"window/logMessage":               answerNull,
		"window/showMessage":              answerNull,
		"$/progress":                      answerNull,
		"textDocument/publishDiagnostics": answerNull,
	}, dispatch.Options{})
	go func() {
		_, err := r.conn.Run(context.WithoutCancel(ctx))
		r.ended <- err
	}()
	var rootURI any // none: only the store is of interest
	if root != "" {
		rootURI = string(uri.File(root))
	}
	params := map[string]any{
		"processId": os.Getpid(),
		"rootUri":   rootURI,
		"capabilities": map[string]any{
			"general":      map[string]any{"positionEncodings": []string{"utf-8"}},
			"textDocument": map[string]any{"documentSymbol": map[string]any{"hierarchicalDocumentSymbolSupport": true}, "hover": map[string]any{"contentFormat": []string{"plaintext"}}},
		},
	}
	err := r.conn.Call(ctx, "initialize", params, nil)
	if err == nil {
		err = r.conn.Notify("initialized", map[string]any{})
	}
	if err == nil && root != "" {
		// The process may not have been told of what was written since: it looks at the whole root again.
		err = r.conn.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": rootURI, "type": 2}}})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("asking the process that holds the store: %w", err), conn.Close())
	}
	return r, nil
}

func (r *remote) root() string { return r.dir }

func (r *remote) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), dialFor)
	defer cancel()
	if err := r.conn.Call(ctx, "shutdown", nil, nil); err != nil {
		return err
	}
	if err := r.conn.Notify("exit", nil); err != nil {
		return err
	}
	<-r.ended
	return nil
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

// call turns the other side's refusals into the errors that a local answer would have given.
func (r *remote) call(ctx context.Context, method string, params, result any) error {
	err := r.conn.Call(ctx, method, params, result)
	var refused *jsonrpc2.Error
	if errors.As(err, &refused) {
		switch {
		case refused.Code == server.NoSuchPartition:
			return &noPartitionError{refused.Message}
		case strings.Contains(refused.Message, lsp.ErrUnknownFile.Error()):
			return lsp.ErrUnknownFile
		case refused.Code == jsonrpc2.InvalidParams:
			return &usageError{errors.New(refused.Message)}
		}
		return errors.New(refused.Message)
	}
	return err
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

// cutDeclaration parts the text of a hover into the declaration and its documentation. They are separated by a blank line, but a
// declaration may hold blank lines itself: it goes on as long as lines are indented or close something.
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
		out = append(out, foundSymbol{Name: m.Name, Kind: lsp.SymbolKind(m.Kind).String(), Container: m.ContainerName, Place: r.place(m.Location)})
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
