package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/benchmarks/ground"
)

// Bounds of what is waited for. A server that needs longer fails the run with what was missing.
const (
	answerMax = 2 * time.Minute // one answer, one diagnostic
	indexMax  = 8 * time.Minute // everything checked and indexed
	exitMax   = time.Minute     // the end of the process after exit
)

// A client is an editor with a server process of its own. Its methods are called by one goroutine,
// but for ask, which any may call.
type client struct {
	cmd    *exec.Cmd
	conn   jsonrpc2.Conn
	began  time.Time // when the process was started
	stderr tail
	ended  chan struct{} // closed when the process has ended
	pulls  bool          // the server is asked for diagnostics
	open   map[string]*document

	complete func(method string, params []byte) bool

	mu       sync.Mutex
	shown    map[string]published // guarded by mu: the newest diagnostics, by path
	refresh  int                  // guarded by mu: how often the client was asked to pull again
	finished bool                 // guarded by mu: complete has been true of a message
	news     chan struct{}        // guarded by mu: closed and replaced by each message
}

// A document is an open text.
type document struct {
	path    string
	version int
	text    string
}

// published is what was published of a file.
type published struct {
	Version     *int
	Diagnostics []diagnostic
}

type diagnostic struct {
	Range    protocol.Range
	Severity int
	Message  string
}

// severityError is DiagnosticSeverity.Error.
const severityError = 1

// start starts a server in a directory.
func (s *server) start(ctx context.Context, root, cache string, mode mode) (c *client, err error) {
	p, err := s.command(ctx, cache)
	if err != nil {
		return nil, err
	}
	c = &client{
		cmd: exec.Command(p.path, p.args...), ended: make(chan struct{}), pulls: mode.pulls,
		open: make(map[string]*document), complete: s.complete(),
		shown: make(map[string]published), news: make(chan struct{}),
	}
	c.cmd.Dir, c.cmd.Env, c.cmd.Stderr = root, append(ground.Env(), p.env...), &c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.conn = jsonrpc2.NewConn(jsonrpc2.NewHeaderStream(&streams{out, in}))
	c.conn.Go(context.WithoutCancel(ctx), c.handle)
	go func() {
		<-c.conn.Done() // the stream is read to its end before the process is waited for
		_ = c.cmd.Wait()
		close(c.ended)
	}()
	if err := c.initialize(ctx, root, s.options(mode)); err != nil {
		c.kill()
		return nil, err
	}
	return c, nil
}

type streams struct {
	io.Reader
	in io.WriteCloser
}

func (s *streams) Write(p []byte) (int, error) { return s.in.Write(p) }
func (s *streams) Close() error                { return s.in.Close() }

func (c *client) initialize(ctx context.Context, root string, options map[string]any) error {
	text := map[string]any{
		"synchronization":    map[string]any{"dynamicRegistration": false},
		"publishDiagnostics": map[string]any{"versionSupport": true},
		"hover":              map[string]any{"contentFormat": []string{"markdown", "plaintext"}},
		"documentSymbol":     map[string]any{"hierarchicalDocumentSymbolSupport": true},
	}
	workspace := map[string]any{
		"configuration": true, "workspaceFolders": true,
		"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true},
	}
	if c.pulls {
		text["diagnostic"] = map[string]any{"dynamicRegistration": false}
		workspace["diagnostics"] = map[string]any{"refreshSupport": true}
	}
	var result struct {
		Capabilities struct{ DiagnosticProvider json.RawMessage }
	}
	_, answer, err := c.ask(ctx, protocol.MethodInitialize, map[string]any{
		"processId": os.Getpid(), "rootUri": string(uri.File(root)),
		"workspaceFolders": []any{map[string]any{"uri": string(uri.File(root)), "name": "ground"}},
		"capabilities": map[string]any{
			"textDocument": text, "workspace": workspace,
			"window": map[string]any{"workDoneProgress": true},
		},
		"initializationOptions": options,
	})
	if err == nil {
		err = json.Unmarshal(answer, &result)
	}
	if err != nil {
		return err
	}
	if c.pulls && len(result.Capabilities.DiagnosticProvider) == 0 {
		return errors.New("the server does not announce textDocument/diagnostic")
	}
	return c.tell(ctx, protocol.MethodInitialized, map[string]any{})
}

// handle takes what the server sends of its own accord.
func (c *client) handle(_ context.Context, r *jsonrpc2.Request) (answer any, err error) {
	params := r.Params()
	var shown struct {
		URI string
		published
	}
	switch r.Method() {
	case protocol.MethodWorkspaceConfiguration:
		var p struct{ Items []struct{} }
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
		answer = make([]any, len(p.Items)) // nulls: defaults
	case protocol.MethodWorkspaceApplyEdit:
		answer = map[string]any{"applied": false}
	case protocol.MethodTextDocumentPublishDiagnostics:
		if err := json.Unmarshal(params, &shown); err != nil {
			return nil, err
		}
	case "window/workDoneProgress/create", "window/showMessageRequest",
		protocol.MethodClientRegisterCapability, protocol.MethodClientUnregisterCapability,
		"workspace/diagnostic/refresh", "workspace/semanticTokens/refresh",
		"workspace/inlayHint/refresh", "workspace/codeLens/refresh":
	default:
		if r.IsCall() {
			return nil, fmt.Errorf("%q: %w", r.Method(), jsonrpc2.ErrMethodNotFound)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case shown.URI != "":
		c.shown[pathOf(shown.URI)] = shown.published
	case r.Method() == "workspace/diagnostic/refresh":
		c.refresh++
	case !c.finished && c.complete(r.Method(), params):
		c.finished = true
	}
	close(c.news)
	c.news = make(chan struct{})
	return answer, nil
}

// ask sends a request and returns how long it took, and the answer.
func (c *client) ask(
	ctx context.Context,
	method string,
	params any,
) (took time.Duration, answer []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(
		ctx,
		answerMax,
		fmt.Errorf("no answer within %v", answerMax),
	)
	defer cancel()
	raw, err := json.Marshal(params)
	if err != nil {
		return 0, nil, err
	}
	var result jsonrpc2.RawMessage
	began := time.Now()
	_, err = c.conn.Call(ctx, method, jsonrpc2.RawMessage(raw), &result)
	took = time.Since(began)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, nil, fmt.Errorf("%s %s: %w%s", method, raw, err, c.stderr.said())
	}
	return took, result, nil
}

func (c *client) tell(ctx context.Context, method string, params any) error {
	raw, err := json.Marshal(params)
	if err == nil {
		err = c.conn.Notify(ctx, method, jsonrpc2.RawMessage(raw))
	}
	if err != nil {
		return fmt.Errorf("%s: %w%s", method, err, c.stderr.said())
	}
	return nil
}

// wait returns when what the server has sent makes met true. met is called with mu held.
func (c *client) wait(ctx context.Context, most time.Duration, what string, met func() bool) error {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		c.mu.Lock()
		done, news := met(), c.news
		c.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-news:
		case <-late.C:
			return fmt.Errorf("%s: not within %v%s", what, most, c.stderr.said())
		case <-c.ended:
			return fmt.Errorf(
				"%s: the server has ended: %v%s",
				what,
				c.cmd.ProcessState,
				c.stderr.said(),
			)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sinceStart is how long ago the process was started.
func (c *client) sinceStart() time.Duration { return time.Since(c.began) }

// close ends the server as an editor does. A client that is nil has none.
func (c *client) close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	_, _, err := c.ask(ctx, protocol.MethodShutdown, nil)
	if err == nil {
		err = c.tell(ctx, protocol.MethodExit, nil)
	}
	if err == nil {
		late := time.NewTimer(exitMax)
		defer late.Stop()
		select {
		case <-c.ended:
		case <-late.C:
			err = fmt.Errorf("the server has not ended %v after exit%s", exitMax, c.stderr.said())
		}
	}
	c.kill()
	return err
}

// kill ends the process and waits for that.
func (c *client) kill() {
	_ = c.cmd.Process.Kill() // fails if it has ended
	_ = c.conn.Close()
	<-c.ended
}

// A tail keeps the last of what a process writes to its standard error.
type tail struct {
	mu   sync.Mutex
	last []byte // guarded by mu
}

const tailBytes = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	return len(p), nil
}

// said is what there is, for the end of an error message.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := strings.TrimSpace(string(t.last)); text != "" {
		return "; standard error ends with: " + text
	}
	return ""
}
