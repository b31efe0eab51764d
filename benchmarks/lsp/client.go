package lsp

import (
	"context"
	"encoding/json"
	"errors"

	"go.lsp.dev/protocol"

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

// hintSettings answers what a server asks of the user's settings with the wanted hints.
func hintSettings(method string, params []byte) (answer any, ok bool) {
	var asked struct{ Items []any }
	if method != protocol.MethodWorkspaceConfiguration || json.Unmarshal(params, &asked) != nil {
		return nil, false
	}
	list := make([]any, len(asked.Items))
	for i := range list {
		list[i] = map[string]any{"hints": hinted}
	}
	return list, true
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
		"completion":         map[string]any{"completionItem": map[string]any{"snippetSupport": true}},
		"signatureHelp":      map[string]any{},
		"implementation":     map[string]any{},
		"callHierarchy":      map[string]any{},
		"rename":             map[string]any{"prepareSupport": true},
		"inlayHint":          map[string]any{},
		"foldingRange":       map[string]any{},
		"codeAction": map[string]any{"codeActionLiteralSupport": map[string]any{
			"codeActionKind": map[string]any{
				"valueSet": []string{"quickfix", "refactor", "source"},
			},
		}},
		"semanticTokens": map[string]any{
			"requests": map[string]any{"full": true}, "formats": []string{"relative"},
			"tokenTypes": []string{
				"namespace", "type", "class", "interface", "struct", "typeParameter", "parameter",
				"variable", "property", "function", "method", "keyword", "comment", "string",
				"number", "operator",
			},
			"tokenModifiers": []string{"declaration", "definition", "readonly"},
		},
	}
	workspace := map[string]any{
		"configuration": true, "workspaceFolders": true,
		"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true},
	}
	if mode.pulls {
		text["diagnostic"] = map[string]any{"dynamicRegistration": false}
		workspace["diagnostics"] = map[string]any{"refreshSupport": true}
	}
	answer := mode.answer
	if s.ours && !mode.settings {
		answer = hintSettings
	}
	c, err := editor.Start(ctx, p, editor.Config{
		Root: root, Options: s.options(mode), Complete: s.complete(), Answer: answer,
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
