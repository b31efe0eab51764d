package editor

import (
	"context"
	"encoding/json"
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
	AnswerMax = 2 * time.Minute // one answer, one diagnostic
	IndexMax  = 8 * time.Minute // everything checked and indexed
	exitMax   = time.Minute     // the end of the process after exit
)

// A Client is an editor with a server process of its own. Its methods are called by one goroutine,
// but for Ask, which any may call.
type Client struct {
	Open map[string]*Document // by path

	// Capabilities is what the server announced, by the names of the protocol.
	Capabilities map[string]json.RawMessage

	cmd    *exec.Cmd
	conn   jsonrpc2.Conn
	began  time.Time // when the process was started
	stderr tail
	ended  chan struct{} // closed when the process has ended
	config Config

	mu    sync.Mutex
	heard Heard         // guarded by mu
	news  chan struct{} // guarded by mu: closed and replaced by each message
}

// A Config is what a client wants of a server.
type Config struct {
	Root         string         // the workspace's directory, which is the process' as well
	Capabilities map[string]any // of the client
	Options      map[string]any // initialization options
	Env          []string       // more environment of the process

	// Complete reports, of each message in turn, whether it says that all is checked and indexed.
	// Nil never does.
	Complete func(method string, params []byte) bool

	// Answer answers requests of the server. It returns false to leave one to the client, which
	// answers as an editor without settings does. Nil leaves all.
	Answer func(method string, params []byte) (answer any, ok bool)
}

// Heard is what a server has told of its own accord.
type Heard struct {
	Messages   int                  // how many
	Shown      map[string]Published // the newest diagnostics, by path
	Refresh    int                  // how often the client was asked to pull diagnostics again
	Finished   bool                 // Config.Complete has been true of a message
	Registered map[string]bool      // methods of capabilities that were registered later
}

// Published is what was published of a file.
type Published struct {
	Version     *int
	Diagnostics []Diagnostic
}

// Start starts a program in a workspace and initializes it.
func Start(ctx context.Context, p Program, config Config) (c *Client, err error) {
	c = &Client{
		Open: make(map[string]*Document),
		cmd:  exec.Command(p.Path, p.Args...), ended: make(chan struct{}), config: config,
		heard: Heard{Shown: make(map[string]Published), Registered: make(map[string]bool)},
		news:  make(chan struct{}),
	}
	c.cmd.Dir, c.cmd.Stderr = config.Root, &c.stderr
	c.cmd.Env = append(append(ground.Env(), p.Env...), config.Env...)
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
	if err := c.initialize(ctx); err != nil {
		c.Kill()
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

func (c *Client) initialize(ctx context.Context) error {
	var result struct{ Capabilities map[string]json.RawMessage }
	root := string(uri.File(c.config.Root))
	_, answer, err := c.Ask(ctx, protocol.MethodInitialize, map[string]any{
		"processId": os.Getpid(), "rootUri": root,
		"workspaceFolders":      []any{map[string]any{"uri": root, "name": "ground"}},
		"capabilities":          c.config.Capabilities,
		"initializationOptions": c.config.Options,
	})
	if err == nil {
		err = json.Unmarshal(answer, &result)
	}
	if err != nil {
		return err
	}
	c.Capabilities = result.Capabilities
	return c.Tell(ctx, protocol.MethodInitialized, map[string]any{})
}

// Announces reports whether the server offers what a field of its capabilities, or a method that it
// registered later, stands for.
func (c *Client) Announces(field, method string) bool {
	if v := string(c.Capabilities[field]); v != "" && v != "null" && v != "false" {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard.Registered[method]
}

// handle takes what the server sends of its own accord.
func (c *Client) handle(_ context.Context, r *jsonrpc2.Request) (answer any, err error) {
	params := r.Params()
	var (
		shown struct {
			URI string
			Published
		}
		registered struct{ Registrations []struct{ Method string } }
		answered   bool
	)
	if c.config.Answer != nil {
		answer, answered = c.config.Answer(r.Method(), params)
	}
	switch r.Method() {
	case protocol.MethodWorkspaceConfiguration:
		var p struct{ Items []struct{} }
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
		if !answered {
			answer = make([]any, len(p.Items)) // nulls: defaults
		}
	case protocol.MethodWorkspaceApplyEdit:
		if !answered {
			answer = map[string]any{"applied": false}
		}
	case protocol.MethodTextDocumentPublishDiagnostics:
		if err := json.Unmarshal(params, &shown); err != nil {
			return nil, err
		}
	case protocol.MethodClientRegisterCapability:
		if err := json.Unmarshal(params, &registered); err != nil {
			return nil, err
		}
	case "window/workDoneProgress/create", "window/showMessageRequest",
		protocol.MethodClientUnregisterCapability,
		"workspace/diagnostic/refresh", "workspace/semanticTokens/refresh",
		"workspace/inlayHint/refresh", "workspace/codeLens/refresh",
		"workspace/foldingRange/refresh":
	default:
		if r.IsCall() && !answered {
			return nil, fmt.Errorf("%q: %w", r.Method(), jsonrpc2.ErrMethodNotFound)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range registered.Registrations {
		c.heard.Registered[one.Method] = true
	}
	switch {
	case shown.URI != "":
		c.heard.Shown[PathOf(shown.URI)] = shown.Published
	case r.Method() == "workspace/diagnostic/refresh":
		c.heard.Refresh++
	case !c.heard.Finished && c.config.Complete != nil && c.config.Complete(r.Method(), params):
		c.heard.Finished = true
	}
	c.heard.Messages++
	close(c.news)
	c.news = make(chan struct{})
	return answer, nil
}

// Ask sends a request and returns how long it took, and the answer. An error that the server
// answered has a *jsonrpc2.Error in it.
func (c *Client) Ask(
	ctx context.Context,
	method string,
	params any,
) (took time.Duration, answer []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(
		ctx,
		AnswerMax,
		fmt.Errorf("no answer within %v", AnswerMax),
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

// Tell sends a notification.
func (c *Client) Tell(ctx context.Context, method string, params any) error {
	raw, err := json.Marshal(params)
	if err == nil {
		err = c.conn.Notify(ctx, method, jsonrpc2.RawMessage(raw))
	}
	if err != nil {
		return fmt.Errorf("%s: %w%s", method, err, c.stderr.said())
	}
	return nil
}

// Hear calls met with what the server has sent so far. met must not keep it, nor call the client.
func (c *Client) Hear(met func(*Heard)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	met(&c.heard)
}

// Wait returns when what the server has sent makes met true. met is called as by Hear.
func (c *Client) Wait(
	ctx context.Context,
	most time.Duration,
	what string,
	met func(*Heard) bool,
) error {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		c.mu.Lock()
		done, news := met(&c.heard), c.news
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

// SinceStart is how long ago the process was started.
func (c *Client) SinceStart() time.Duration { return time.Since(c.began) }

// Pid is the process' number.
func (c *Client) Pid() int { return c.cmd.Process.Pid }

// Close ends the server as an editor does. A client that is nil has none.
func (c *Client) Close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	_, _, err := c.Ask(ctx, protocol.MethodShutdown, nil)
	if err == nil {
		err = c.Tell(ctx, protocol.MethodExit, nil)
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
	c.Kill()
	return err
}

// Kill ends the process and waits for that.
func (c *Client) Kill() {
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
