package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// answerMax is the longest time for one answer. A server that needs longer hangs.
const answerMax = 30 * time.Second

// A run is one archive with its server.
type run struct {
	archive *archive
	dir     string // the workspace
	client  *editor.Client
	wanted  func(kind string) bool
	values  map[identifier]any // location, highlight or item
	left    []*shown           // diagnostics that no marker has taken

	mu    sync.Mutex
	edits []workspaceEdit // guarded by mu: what the server asked to be applied
}

// shown is a diagnostic of a file, with the text of the protocol that actions are asked with.
type shown struct {
	path string
	editor.Diagnostic
	raw json.RawMessage
}

// A server is how servers are started, with a directory for what one keeps.
type server struct {
	program  func(cache string) editor.Program
	complete func() func(string, []byte) bool
	settings map[string]any // beside those of an archive
}

// start lays the archive out below a directory, starts the server and reads diagnostics.
func (r *run) start(ctx context.Context, s *server, dir, cache string) (err error) {
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	r.dir = filepath.Join(dir, "work")
	env, err := r.layOut(ctx, dir)
	if err != nil {
		return err
	}
	settings := map[string]any{"env": env}
	maps.Copy(settings, s.settings)
	maps.Copy(settings, r.archive.settings)
	var variables []string
	for name, value := range env {
		variables = append(variables, name+"="+value)
	}
	r.client, err = editor.Start(ctx, s.program(cache), editor.Config{
		Root: r.dir, Options: settings, Env: variables, Complete: s.complete(),
		Capabilities: overlaid(editor.Capabilities(), r.archive.capabilities),
		Answer: func(method string, params []byte) (any, bool) {
			switch method {
			case protocol.MethodWorkspaceConfiguration:
				var p struct{ Items []struct{} }
				if json.Unmarshal(params, &p) != nil {
					return nil, false
				}
				answer := make([]any, len(p.Items))
				for i := range answer {
					answer[i] = settings
				}
				return answer, true
			case protocol.MethodWorkspaceApplyEdit:
				var p struct{ Edit workspaceEdit }
				if json.Unmarshal(params, &p) != nil {
					return nil, false
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				r.edits = append(r.edits, p.Edit)
				return map[string]any{"applied": true}, true
			}
			return nil, false
		},
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.archive.files)) {
		if err := r.client.OpenFile(ctx, r.path(name)); err != nil {
			return err
		}
	}
	done := func(h *editor.Heard) bool { return h.Finished }
	if err := r.client.Wait(ctx, answerMax, "the first index", done); err != nil {
		return err
	}
	return r.readDiagnostics(ctx)
}

// layOut writes the files, and returns the environment of the server.
func (r *run) layOut(ctx context.Context, dir string) (map[string]string, error) {
	for name, text := range r.archive.files {
		text = strings.ReplaceAll(text, "$SANDBOX_WORKDIR", filepath.ToSlash(r.dir))
		r.archive.files[name] = text
		if err := write(r.path(name), []byte(text)); err != nil {
			return nil, err
		}
	}
	for _, sub := range []string{"work", "gopath", "proxy"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return nil, err
		}
	}
	if err := writeProxy(filepath.Join(dir, "proxy"), r.archive.proxy); err != nil {
		return nil, err
	}
	env := map[string]string{
		"GOPATH": filepath.Join(dir, "gopath"), "GOMODCACHE": "", "GO111MODULE": "",
		"GOPROXY": "file://" + filepath.ToSlash(filepath.Join(dir, "proxy")),
		"GOSUMDB": "off", "GOPACKAGESDRIVER": "off", "GOFLAGS": "-modcacherw", "GOWORK": "",
	}
	for name, value := range r.archive.env {
		env[name] = strings.ReplaceAll(value, "$SANDBOX_WORKDIR", r.dir)
	}
	for _, sub := range r.archive.flags.sumIn {
		cmd := exec.CommandContext(ctx, "go", "list", "-mod=mod", "./...")
		cmd.Dir = r.path(sub)
		cmd.Env = os.Environ()
		for name, value := range env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go list in %s: %w: %s", sub, err, out)
		}
	}
	return env, nil
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// path is that of a file of the archive.
func (r *run) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// nameOf is the name in the archive of a path, or the path for one outside.
func (r *run) nameOf(path string) string {
	if name, err := filepath.Rel(r.dir, path); err == nil && filepath.IsLocal(name) {
		return filepath.ToSlash(name)
	}
	return path
}

// text is that of a file, as open or as on the disk.
func (r *run) text(path string) (string, bool) {
	if text, ok := r.archive.files[r.nameOf(path)]; ok {
		return text, true
	}
	data, err := os.ReadFile(path)
	return string(data), err == nil
}

// below are the files right in a directory of the workspace.
func (r *run) below(dir string) (files []string) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !e.IsDir() {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// ask sends a request and decodes the answer, if into is not nil.
func (r *run) ask(ctx context.Context, method string, params, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	_, answer, err := r.client.Ask(ctx, method, params)
	if err != nil {
		if refused, ok := errors.AsType[*jsonrpc2.Error](err); ok {
			return &refusal{refused.Message}
		}
		return err
	}
	if into == nil || len(answer) == 0 {
		return nil
	}
	if raw, ok := into.(*json.RawMessage); ok {
		*raw = answer
		return nil
	}
	return json.Unmarshal(answer, into)
}

// A refusal is an error that the server answered.
type refusal struct{ message string }

func (e *refusal) Error() string { return e.message }

// readDiagnostics asks for the diagnostics of each file, where the server can be asked. Otherwise
// those count that it has published.
func (r *run) readDiagnostics(ctx context.Context) error {
	asked := r.client.Announces("diagnosticProvider", protocol.MethodTextDocumentDiagnostic)
	for _, name := range slices.Sorted(maps.Keys(r.archive.files)) {
		path := r.path(name)
		var list []json.RawMessage
		if asked {
			var report struct{ Items []json.RawMessage }
			params := map[string]any{"textDocument": editor.Named(path)}
			if err := r.ask(ctx, protocol.MethodTextDocumentDiagnostic, params, &report); err != nil {
				if _, ok := errors.AsType[*refusal](err); !ok {
					return err
				}
			}
			list = report.Items
		}
		if len(list) == 0 {
			r.client.Hear(func(h *editor.Heard) {
				for _, d := range h.Shown[path].Diagnostics {
					if raw, err := json.Marshal(d); err == nil {
						list = append(list, raw)
					}
				}
			})
		}
		for _, raw := range list {
			d := &shown{path: path, raw: raw}
			if err := json.Unmarshal(raw, &d.Diagnostic); err != nil {
				return err
			}
			r.left = append(r.left, d)
		}
	}
	return nil
}

// overlaid is base with the fields of over put over it, maps field by field.
func overlaid(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for name, value := range over {
		inner, isMap := value.(map[string]any)
		old, wasMap := out[name].(map[string]any)
		if isMap && wasMap && len(inner) > 0 {
			value = overlaid(old, inner)
		}
		out[name] = value
	}
	return out
}
