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

// NewClient begins a session over rw, which it closes, about the workspace at root. name is
// what the host is told of the command.
func NewClient(ctx context.Context, rw io.ReadWriteCloser, root, name string) (*Client, error) {
	drop := func(context.Context, *dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil }
	handlers := make(map[string]dispatch.Handler)
	for _, method := range []string{
		protocol.MethodTextDocumentPublishDiagnostics, protocol.MethodWindowLogMessage, protocol.MethodWindowShowMessage,
		protocol.MethodClientRegisterCapability, methodProgress, methodProgressCreate,
	} {
		handlers[method] = drop
	}
	c := &Client{conn: dispatch.New(rw, handlers, dispatch.Options{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_, c.err = c.conn.Run(context.Background())
	}()
	pid, folder := int32(os.Getpid()), uri.File(root)
	yes := true
	params := &protocol.InitializeParams{
		ProcessID:  &pid,
		ClientInfo: protocol.ClientInfo{Name: name},
		Capabilities: protocol.ClientCapabilities{
			General: &protocol.GeneralClientCapabilities{PositionEncodings: []protocol.PositionEncodingKind{protocol.PositionEncodingKindUTF8}},
			TextDocument: &protocol.TextDocumentClientCapabilities{
				DocumentSymbol: &protocol.DocumentSymbolClientCapabilities{HierarchicalDocumentSymbolSupport: &yes},
				Diagnostic:     &protocol.DiagnosticClientCapabilities{},
			},
		},
		InitializationOptions: protocol.LSPAny(`{"diagnostics":"pull","noIndex":true}`),
	}
	params.WorkspaceFolders = protocol.NewNullable([]protocol.WorkspaceFolder{{URI: folder, Name: root}})
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

// Stats returns what the host says about itself.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var raw protocol.LSPAny
	if err := c.conn.Call(ctx, methodStats, nil, &raw); err != nil {
		return Stats{}, err
	}
	var s Stats
	if err := json.Unmarshal(raw, &s); err != nil {
		return Stats{}, fmt.Errorf("server: decoding the host's statistics: %w", err)
	}
	return s, nil
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
