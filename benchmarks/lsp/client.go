package lsp

import (
	"context"
	"errors"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// Bounds of what is waited for.
const (
	answerMax = editor.AnswerMax
	indexMax  = editor.IndexMax
)

// A client is an editor with a server process of its own.
type client struct {
	*editor.Client
	pulls bool // the server is asked for diagnostics
}

// start starts a server in a directory.
func (s *server) start(ctx context.Context, root, cache string, mode mode) (*client, error) {
	p, err := s.command(ctx, cache)
	if err != nil {
		return nil, err
	}
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
	if mode.pulls {
		text["diagnostic"] = map[string]any{"dynamicRegistration": false}
		workspace["diagnostics"] = map[string]any{"refreshSupport": true}
	}
	c, err := editor.Start(ctx, p, editor.Config{
		Root: root, Options: s.options(mode), Complete: s.complete(), Answer: mode.answer,
		Capabilities: map[string]any{
			"textDocument": text, "workspace": workspace,
			"window": map[string]any{"workDoneProgress": true},
		},
	})
	if err == nil && mode.pulls && !c.Announces("diagnosticProvider", "textDocument/diagnostic") {
		c.Kill()
		err = errors.New("the server does not announce textDocument/diagnostic")
	}
	if err != nil {
		return nil, err
	}
	return &client{c, mode.pulls}, nil
}
