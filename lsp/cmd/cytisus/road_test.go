package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

// A road is what happens between an edit and its diagnostics, in order.
type road struct {
	mu     sync.Mutex
	dir    string
	steps  []string      // guarded by mu
	change chan struct{} // guarded by mu: closed when steps grows
}

func (r *road) pass(step string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, strings.ReplaceAll(step, fileURI(r.dir)+"/", ""))
	close(r.change)
	r.change = make(chan struct{})
}

// from returns the steps from a number on, once one of them is the given one.
func (r *road) from(t *testing.T, n int, until string) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		steps, change := slices.Clone(r.steps[n:]), r.change
		r.mu.Unlock()
		if slices.Contains(steps, until) {
			return steps
		}
		select {
		case <-change:
		case <-deadline:
			t.Fatalf("no %q; got\n%s", until, strings.Join(steps, "\n"))
		}
	}
}

// splitRoad separates what reached the client, which leaves while other files are looked at.
func splitRoad(steps []string) (inside, onWire []string) {
	for _, step := range steps {
		if strings.HasPrefix(step, "published ") {
			onWire = append(onWire, step)
		} else {
			inside = append(inside, step)
		}
	}
	return inside, onWire
}

// TestRoadOfAnEdit follows an edit of a declaration from the wire and back: each floor is passed
// once, in order; an open importer is looked at before one that is not, and indexes come last.
func TestRoadOfAnEdit(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(`
-- go.mod --
module example.com/m

go 1.24
-- edited/edited.go --
package edited

func F() {}
-- closed/closed.go --
package closed

import "example.com/m/edited"

var _ = edited.F
-- open/open.go --
package open

import "example.com/m/edited"

var _ = edited.F
-- other/other.go --
package other
`)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &road{dir: dir, change: make(chan struct{})}
	eng, err := runtime.Open("", runtime.Options{Workers: 1, AuditShare: -1, Trace: func(ev runtime.TraceEvent) {
		switch {
		case ev.What.String() != "run":
		case ev.Query == "golang/content", ev.Query == "golang/shape", ev.Query == "golang/report":
			for _, name := range []string{"edited/edited.go", "open/open.go", "closed/closed.go", "other/other.go"} {
				if strings.Contains(ev.Key, name) {
					r.pass(strings.TrimPrefix(ev.Query, "golang/") + " of " + name)
				}
			}
		case ev.Query == "golang/face", ev.Query == "golang/findings", ev.Query == "golang/check":
			for _, name := range []string{"edited", "open", "closed", "other"} {
				if strings.Contains(ev.Key, "example.com/m/"+name) {
					r.pass(strings.TrimPrefix(ev.Query, "golang/") + " of " + name)
				}
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	// These are told by the committer, in the order of commits.
	nothing := func(*runtime.Task, runtime.Changes) error { return nil }
	stopJudged, err := partition.Judgements.Watch(eng, runtime.All(), func(key string, _, now *partition.Judgement) bool {
		if now != nil {
			r.pass("judged " + key)
		}
		return false
	}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	stopSaid, err := partition.Diagnostics.Untyped().Watch(eng, runtime.All(), func(key string, _, now *[]lsp.Diagnostic) bool {
		// Those of an open file are written together with the judgement.
		if k, err := partition.Diagnostics.Decode(key); err == nil && now != nil && strings.HasSuffix(k.URI, "closed.go") {
			r.pass("said of " + k.URI)
		}
		return false
	}, nothing)
	if err != nil {
		t.Fatal(err)
	}
	host, err := server.NewHost(eng, golang.Language{}, server.Options{
		Workspace: lsp.WorkspaceOptions{Env: []string{"GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	ignore := func(context.Context, *dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil }
	conn := dispatch.New(here, map[string]dispatch.Handler{
		"window/logMessage": ignore, "window/showMessage": ignore,
		"textDocument/publishDiagnostics": func(_ context.Context, q *dispatch.Request) (dispatch.Outcome, error) {
			var p struct {
				URI         string
				Version     *int
				Diagnostics []json.RawMessage
			}
			err := json.Unmarshal(q.Params, &p)
			version := ""
			if p.Version != nil {
				version = fmt.Sprintf(" version %d", *p.Version)
			}
			r.pass(fmt.Sprintf("published %s%s: %d", p.URI, version, len(p.Diagnostics)))
			return dispatch.Done, err
		},
	}, dispatch.Options{})
	var both sync.WaitGroup
	both.Go(func() { _, _ = host.Serve(context.Background(), there) })
	both.Go(func() { _, _ = conn.Run(context.Background()) })
	tell := func(method, params string) {
		t.Helper()
		if err := conn.Notify(method, json.RawMessage(params)); err != nil {
			t.Fatal(err)
		}
	}
	call := func(method, params string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := conn.Call(ctx, method, json.RawMessage(params), nil); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	uri := func(name string) string { return fileURI(filepath.Join(dir, filepath.FromSlash(name))) }
	edit := func(version int, text string) (steps int) {
		t.Helper()
		r.mu.Lock()
		defer r.mu.Unlock()
		tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"text":%q}]}`, uri("edited/edited.go"), version, text))
		return len(r.steps)
	}
	call("initialize", fmt.Sprintf(`{"processId":1,"rootUri":%q,"capabilities":{"textDocument":{"publishDiagnostics":{"versionSupport":true}}}}`, fileURI(dir)))
	tell("initialized", `{}`)
	for _, name := range []string{"edited/edited.go", "open/open.go"} {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		tell("textDocument/didOpen", fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"go","version":1,"text":%q}}`, uri(name), text))
	}
	call("cytisus/settle", `{}`)

	n := edit(2, "package edited\n\nfunc G() {}\n")
	call("cytisus/settle", `{}`)
	got := r.from(t, n, "published closed/closed.go: 1")
	inside, onWire := splitRoad(got)
	want := []string{
		"content of edited/edited.go",
		"findings of edited",
		"judged edited/edited.go",
		"shape of edited/edited.go",
		"face of edited",
		"findings of open",
		"report of open/open.go",
		"judged open/open.go",
		"check of closed",
		"findings of closed",
		"said of closed/closed.go",
		"check of edited",
		"check of open",
	}
	if !slices.Equal(inside, want) {
		t.Errorf("the way of a changed declaration:\n%s\nwant\n%s", strings.Join(inside, "\n"), strings.Join(want, "\n"))
	}
	// What is on the wire follows what is inside, and each file is told of once.
	if want := []string{"published open/open.go version 1: 1", "published closed/closed.go: 1"}; !slices.Equal(onWire, want) {
		t.Errorf("on the wire: %q, want %q", onWire, want)
	}

	// A mistake in a body goes no further than its own file.
	n = edit(3, "package edited\n\nfunc G() { wrong() }\n")
	call("cytisus/settle", `{}`)
	got = r.from(t, n, "published edited/edited.go version 3: 1")
	want = []string{
		"content of edited/edited.go",
		"findings of edited",
		"report of edited/edited.go",
		"judged edited/edited.go",
		"shape of edited/edited.go",
		"check of edited",
	}
	inside, onWire = splitRoad(got)
	if !slices.Equal(inside, want) {
		t.Errorf("the way of a changed body:\n%s\nwant\n%s", strings.Join(inside, "\n"), strings.Join(want, "\n"))
	}
	if want := []string{"published edited/edited.go version 3: 1"}; !slices.Equal(onWire, want) {
		t.Errorf("on the wire: %q, want %q", onWire, want)
	}
	call("shutdown", `null`)
	tell("exit", `null`)
	both.Wait()
	stopJudged()
	stopSaid()
	if err := host.Close(); err != nil {
		t.Error(err)
	}
	if err := eng.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
