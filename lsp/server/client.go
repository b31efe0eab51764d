package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// A Client asks a host that runs elsewhere, as an editor would, on behalf of a command. It
// counts characters in bytes and takes nothing that it did not ask for.
type Client struct {
	conn  *dispatch.Conn
	ended chan struct{} // closed when the connection has ended
	err   error         // written before ended is closed
}

// NewClient begins a session over rw, which it closes, about the workspace at root, or about
// the host's store alone if root is empty. name is what the host is told of the command;
// progress, which may be nil, hears how far a request is that has ProgressToken.
func NewClient(ctx context.Context, rw io.ReadWriteCloser, root, name string, progress func(message string)) (*Client, error) {
	drop := func(context.Context, *dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil }
	handlers := make(map[string]dispatch.Handler)
	for _, method := range []string{
		protocol.MethodTextDocumentPublishDiagnostics, protocol.MethodWindowLogMessage, protocol.MethodWindowShowMessage,
		protocol.MethodClientRegisterCapability, methodProgress, methodProgressCreate,
	} {
		handlers[method] = drop
	}
	if progress != nil {
		handlers[methodProgress] = func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
			var p struct {
				Value struct {
					Message string `json:"message"`
				} `json:"value"`
			}
			if err := json.Unmarshal(r.Params, &p); err != nil {
				return dispatch.Done, err
			}
			if p.Value.Message != "" {
				progress(p.Value.Message)
			}
			return dispatch.Done, nil
		}
	}
	c := &Client{conn: dispatch.New(rw, handlers, dispatch.Options{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_, c.err = c.conn.Run(context.Background())
	}()
	pid, folder := int32(os.Getpid()), uri.File(root)
	yes := true
	var literals protocol.ClientCodeActionLiteralOptions
	literals.CodeActionKind.ValueSet = []protocol.CodeActionKind{protocol.CodeActionKindSource}
	params := &protocol.InitializeParams{
		ProcessID:  &pid,
		ClientInfo: protocol.ClientInfo{Name: name},
		Capabilities: protocol.ClientCapabilities{
			General: &protocol.GeneralClientCapabilities{PositionEncodings: []protocol.PositionEncodingKind{protocol.PositionEncodingKindUTF8}},
			Workspace: &protocol.WorkspaceClientCapabilities{
				WorkspaceEdit: &protocol.WorkspaceEditClientCapabilities{
					DocumentChanges: &yes, ResourceOperations: []protocol.ResourceOperationKind{protocol.ResourceOperationKindRename},
				},
			},
			TextDocument: &protocol.TextDocumentClientCapabilities{
				DocumentSymbol: &protocol.DocumentSymbolClientCapabilities{HierarchicalDocumentSymbolSupport: &yes},
				Diagnostic:     &protocol.DiagnosticClientCapabilities{},
				CodeAction:     &protocol.CodeActionClientCapabilities{CodeActionLiteralSupport: literals},
			},
		},
		InitializationOptions: protocol.LSPAny(`{"diagnostics":"pull","noIndex":true}`),
	}
	if root != "" {
		params.WorkspaceFolders = protocol.NewNullable([]protocol.WorkspaceFolder{{URI: folder, Name: root}})
	}
	if err := c.begin(ctx, params); err != nil {
		rw.Close()
		<-c.ended
		return nil, err
	}
	return c, nil
}

func (c *Client) begin(ctx context.Context, params *protocol.InitializeParams) error {
	var result protocol.InitializeResult
	if err := c.conn.Call(ctx, protocol.MethodInitialize, params, &result); err != nil {
		return err
	}
	if e := result.Capabilities.PositionEncoding; e != protocol.PositionEncodingKindUTF8 {
		return fmt.Errorf("server: the host counts characters in %q, not in bytes", e)
	}
	return c.conn.Notify(protocol.MethodInitialized, &protocol.InitializedParams{})
}

// Call sends a request and decodes its answer into result, a type of the protocol library,
// unless that is nil. An error of the host is a *jsonrpc2.Error.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	return c.conn.Call(ctx, method, params, result)
}

// ProgressToken is for requests whose progress the client is to hear of.
const ProgressToken = protocol.String("cytisus")

// Notify sends a notification.
func (c *Client) Notify(method string, params any) error { return c.conn.Notify(method, params) }

// CallPlain is Call for what is not of the protocol: the standard library has a form for all
// of it.
func (c *Client) CallPlain(ctx context.Context, method string, params, result any) error {
	p, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("server: encoding %T: %w", params, err)
	}
	var raw protocol.LSPAny
	if err := c.conn.Call(ctx, method, json.RawMessage(p), &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fmt.Errorf("server: decoding the answer to %s: %w", method, err)
	}
	return nil
}

// Stats returns what the host says about itself.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	return s, c.CallPlain(ctx, MethodStats, nil, &s)
}

// Close ends the session in the orderly way and waits for the end.
func (c *Client) Close(ctx context.Context) error {
	err := c.conn.Call(ctx, protocol.MethodShutdown, nil, nil)
	if err == nil {
		err = c.conn.Notify(protocol.MethodExit, nil)
	}
	if err != nil {
		c.conn.Abort()
	}
	select {
	case <-c.ended:
		return err
	case <-ctx.Done():
		c.conn.Abort()
		<-c.ended
		return context.Cause(ctx)
	}
}
