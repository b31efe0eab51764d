package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/server"
)

// patience bounds what a test waits for that must come.
const patience = 2 * time.Minute

// An editor is one with a cytisus serve of its own, a real process.
type editor struct {
	*dispatch.Conn
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser // of the process
	out   io.ReadCloser
	errs  lockedBuffer
	ended chan struct{} // closed when the process and the connection have ended
	code  int           // written before ended is closed

	mu     sync.Mutex
	got    []told        // guarded by mu: what the server sent of its own accord
	change chan struct{} // guarded by mu: closed when got grows
}

// A told is a notification or request of the server.
type told struct{ method, params string }

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serveProcess starts a command that speaks the protocol on its standard streams.
func serveProcess(t *testing.T, env []string, args ...string) *editor {
	t.Helper()
	return serveProcessIn(t, "", env, args...)
}

// serveProcessIn is serveProcess in a directory; in "removed" it is one that is gone.
func serveProcessIn(t *testing.T, dir string, env []string, args ...string) *editor {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{t: t, cmd: exec.Command(self, args...), ended: make(chan struct{}), change: make(chan struct{})}
	if dir == "removed" {
		e.cmd = exec.Command("sh", append([]string{"-c", `rmdir "$PWD" && exec "$0" "$@"`, self}, args...)...)
		dir = filepath.Join(t.TempDir(), dir)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	e.cmd.Dir = dir
	e.cmd.Env = append(append(os.Environ(), commandEnv+"=1"), env...)
	e.cmd.Stderr = &e.errs
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if e.out, err = e.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	handlers := map[string]dispatch.Handler{}
	for _, method := range []string{
		"textDocument/publishDiagnostics", "window/logMessage", "window/showMessage", "$/progress", "$/logTrace",
		"window/workDoneProgress/create", "client/registerCapability", "client/unregisterCapability", "workspace/diagnostic/refresh",
	} {
		handlers[method] = e.take
	}
	e.Conn = dispatch.New(&processStreams{e.out, e.in}, handlers, dispatch.Options{})
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_, _ = e.Run(context.Background())
	}()
	go func() {
		<-ran
		_ = e.cmd.Wait()
		e.code = e.cmd.ProcessState.ExitCode()
		close(e.ended)
	}()
	t.Cleanup(func() {
		_ = e.cmd.Process.Kill()
		<-e.ended
		if t.Failed() {
			t.Logf("standard error of process %d:\n%s", e.cmd.Process.Pid, e.errs.String())
		}
	})
	return e
}

type processStreams struct {
	io.ReadCloser
	in io.WriteCloser
}

func (s *processStreams) Write(p []byte) (int, error) { return s.in.Write(p) }
func (s *processStreams) Close() error                { return errors.Join(s.in.Close(), s.ReadCloser.Close()) }

func (e *editor) take(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, told{r.Method, string(r.Params)})
	close(e.change)
	e.change = make(chan struct{})
	return dispatch.Done, nil
}

// await waits for a message of the server that fits.
func (e *editor) await(method string, fits func(params string) bool) string {
	e.t.Helper()
	deadline := time.After(patience)
	for from := 0; ; {
		e.mu.Lock()
		for ; from < len(e.got); from++ {
			if m := e.got[from]; m.method == method && fits(m.params) {
				e.mu.Unlock()
				return m.params
			}
		}
		change := e.change
		e.mu.Unlock()
		select {
		case <-change:
		case <-deadline:
			e.t.Fatalf("no %s from process %d", method, e.cmd.Process.Pid)
		}
	}
}

// ask sends a request; the answer is JSON.
func (e *editor) ask(method string, params any) (string, error) {
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	var raw protocol.LSPAny
	var p any
	if params != nil {
		b, err := json.Marshal(params)
		if err != nil {
			return "", err
		}
		p = json.RawMessage(b)
	}
	err := e.Call(ctx, method, p, &raw)
	return string(raw), err
}

func (e *editor) must(method string, params any) string {
	e.t.Helper()
	answer, err := e.ask(method, params)
	if err != nil {
		e.t.Fatalf("process %d: %s: %v", e.cmd.Process.Pid, method, err)
	}
	return answer
}

func (e *editor) tell(method string, params any) {
	e.t.Helper()
	b, err := json.Marshal(params)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := e.Notify(method, json.RawMessage(b)); err != nil {
		e.t.Fatal(err)
	}
}

// begin initializes a session that is told of everything.
func (e *editor) begin(root string) {
	e.t.Helper()
	e.must("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": string(uri.File(root)),
		"capabilities": map[string]any{
			"general":   map[string]any{"positionEncodings": []string{"utf-8"}},
			"window":    map[string]any{"workDoneProgress": true},
			"workspace": map[string]any{"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true}},
			"textDocument": map[string]any{
				"publishDiagnostics": map[string]any{"versionSupport": true},
				"hover":              map[string]any{"contentFormat": []string{"plaintext"}},
			},
		},
	})
	e.tell("initialized", map[string]any{})
}

func (e *editor) open(file string, version int, text string) {
	e.t.Helper()
	e.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": string(uri.File(file)), "languageId": "go", "version": version, "text": text,
	}})
}

// insert types text at a place, counted from 0.
func (e *editor) insert(file string, version, line, column int, text string) {
	e.t.Helper()
	at := map[string]any{"line": line, "character": column}
	e.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": string(uri.File(file)), "version": version},
		"contentChanges": []any{map[string]any{"range": map[string]any{"start": at, "end": at}, "text": text}},
	})
}

// placeOf is the parameters of a question about a place, counted from 0.
func placeOf(file string, line, column int) map[string]any {
	return map[string]any{
		"textDocument": map[string]any{"uri": string(uri.File(file))},
		"position":     map[string]any{"line": line, "character": column},
	}
}

// outlines asks what a file declares, and fails unless a name is there.
func (e *editor) outlines(file, name string) {
	e.t.Helper()
	got := e.must("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": string(uri.File(file))}})
	if !strings.Contains(got, `"`+name+`"`) {
		e.t.Fatalf("process %d has no %s in %s: %s", e.cmd.Process.Pid, name, file, got)
	}
}

// shown counts the messages to the user that fit, so far.
func (e *editor) shown(fits func(string) bool) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.got {
		if m.method == "window/showMessage" && fits(m.params) {
			n++
		}
	}
	return n
}

// stats asks the host about itself.
func (e *editor) stats() server.Stats {
	e.t.Helper()
	var st server.Stats
	if err := json.Unmarshal([]byte(e.must("cytisus/stats", nil)), &st); err != nil {
		e.t.Fatal(err)
	}
	return st
}

// finish ends the session in the orderly way.
func (e *editor) finish() {
	e.t.Helper()
	e.leave()
	e.left()
}

// leave says that the session ends. The process of a host ends when its guests have left.
func (e *editor) leave() {
	e.t.Helper()
	e.must("shutdown", nil)
	if err := e.Notify("exit", nil); err != nil {
		e.t.Fatal(err)
	}
}

// left waits for the process' end.
func (e *editor) left() {
	e.t.Helper()
	select {
	case <-e.ended:
	case <-time.After(patience):
		e.t.Fatalf("process %d does not end", e.cmd.Process.Pid)
	}
	if e.code != 0 {
		e.t.Errorf("process %d ended with code %d", e.cmd.Process.Pid, e.code)
	}
}

// runtimeDir gives a test's sockets a directory of their own.
func runtimeDir(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cy") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
}

// An editor dies in the middle of a request: the answer goes to a pipe that nobody reads. Its
// process goes on serving the others.
func TestHostOutlivesItsEditor(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	store := newCLI(t).store
	host := serveProcess(t, nil, "serve", "--store", store)
	host.begin(dir)
	guest := serveProcess(t, nil, "serve", "--store", store)
	guest.begin(dir)
	at := placeOf(dir+"/broom.go", 6, 11)
	want := guest.must("textDocument/definition", at)
	if !strings.Contains(want, "twig.go") {
		t.Fatal(want)
	}
	// The pipe's read end first, then requests whose answers go into it.
	if err := host.out.Close(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := host.Start("textDocument/definition", json.RawMessage(mustJSON(at))); err != nil {
			break
		}
	}
	deadline := time.Now().Add(patience)
	for len(guest.stats().Sessions) > 1 {
		if time.Now().After(deadline) {
			t.Fatal("the dead editor's session does not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := guest.must("textDocument/definition", at); got != want {
		t.Errorf("%s, before: %s", got, want)
	}
	if pid := guest.stats().PID; pid != host.cmd.Process.Pid {
		t.Errorf("process %d answers, the host was %d", pid, host.cmd.Process.Pid)
	}
	guest.finish()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprint("a test's own parameters: ", err))
	}
	return b
}
