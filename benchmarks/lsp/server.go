package lsp

import (
	"context"
	"sync"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// A server is one that takes part.
type server struct {
	name string
	ours bool

	// command is how to start it so that all it keeps is in one directory.
	command func(ctx context.Context, cache string) (editor.Program, error)

	// options are its initialization options.
	options func(mode) map[string]any

	// complete makes what reports, of the messages of one client in turn, whether one says that
	// everything has been checked and indexed.
	complete func() func(method string, params []byte) bool
}

// A mode is what the client wants of a server.
type mode struct {
	pulls bool // diagnostics are asked for
	tells bool // the end of the first index is waited for

	settings    bool // the client has some
	staticcheck bool // of them
}

// hinted are the kinds of inlay hints that are asked for; both servers tell none by default.
var hinted = map[string]bool{"parameterNames": true, "assignVariableTypes": true}

// servers are those that take part, ours first.
func servers(env *compare.Env) []*server {
	built := sync.OnceValues(func() (string, error) {
		return ground.Command(context.Background(), env)
	})
	return []*server{
		{
			name: "cytisus", ours: true,
			command: func(_ context.Context, cache string) (editor.Program, error) {
				path, err := built()
				return editor.Cytisus(path, cache), err
			},
			options:  func(mode) map[string]any { return nil },
			complete: editor.CytisusComplete,
		},
		{
			name: "gopls",
			command: func(ctx context.Context, cache string) (editor.Program, error) {
				path, err := editor.BuildGopls(ctx, env.Quick)
				return editor.Gopls(path, cache), err
			},
			options: func(m mode) map[string]any {
				o := map[string]any{"hints": hinted, "semanticTokens": true}
				if m.tells {
					o["verboseWorkDoneProgress"] = true
				}
				if m.pulls {
					o["pullDiagnostics"] = true
				}
				return o
			},
			complete: editor.GoplsComplete,
		},
	}
}
