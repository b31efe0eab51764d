package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// A server is one that takes part.
type server struct {
	name string
	ours bool

	// command is how to start it so that all it keeps is in one directory.
	command func(ctx context.Context, cache string) (program, error)

	// options are its initialization options.
	options func(mode) map[string]any

	// complete makes what reports, of the messages of one client in turn, whether one says that
	// everything has been checked and indexed.
	complete func() func(method string, params []byte) bool
}

// A program is what is started.
type program struct {
	path      string
	args, env []string
}

// A mode is what the client wants of a server.
type mode struct {
	pulls bool // diagnostics are asked for
	tells bool // the end of the first index is waited for
}

// servers are those that take part, ours first.
func servers(env *compare.Env) []*server {
	built := sync.OnceValues(func() (string, error) {
		return ground.Command(context.Background(), env)
	})
	return []*server{
		{
			name: "cytisus", ours: true,
			command: func(ctx context.Context, cache string) (program, error) {
				path, err := built()
				store := filepath.Join(cache, "store")
				return program{path: path, args: []string{"serve", "--store", store}}, err
			},
			options: func(m mode) map[string]any { return nil },
			complete: func() func(string, []byte) bool {
				return func(method string, params []byte) bool {
					return method == protocol.MethodWindowLogMessage &&
						bytes.Contains(params, []byte("cytisus: index of "))
				}
			},
		},
		{
			name: "gopls",
			command: func(ctx context.Context, cache string) (program, error) {
				path, err := goplsPath(ctx, env.Quick)
				kept := "GOPLSCACHE=" + filepath.Join(cache, "gopls")
				return program{path: path, args: []string{"serve"}, env: []string{kept}}, err
			},
			options: func(m mode) map[string]any {
				o := make(map[string]any)
				if m.tells {
					o["verboseWorkDoneProgress"] = true
				}
				if m.pulls {
					o["pullDiagnostics"] = true
				}
				return o
			},
			complete: goplsComplete,
		},
	}
}

// goplsComplete follows the progress that gopls shows, in its verbose mode, of the first
// diagnostics.
func goplsComplete() func(method string, params []byte) bool {
	var token string
	return func(method string, params []byte) bool {
		var p struct {
			Token json.RawMessage
			Value struct{ Kind, Title string }
		}
		if method != "$/progress" || json.Unmarshal(params, &p) != nil {
			return false
		}
		if p.Value.Title == "diagnosing initial workspace load" {
			token = string(p.Token)
		}
		return p.Value.Kind == "end" && string(p.Token) == token
	}
}
