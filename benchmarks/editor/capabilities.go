package editor

import "strings"

// Capabilities are those of a client that can do all that is asked for here, but for push
// diagnostics: it pulls them.
func Capabilities() map[string]any {
	return map[string]any{
		"workspace": map[string]any{
			"configuration": true, "workspaceFolders": true, "applyEdit": true,
			"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true},
			"workspaceEdit": map[string]any{
				"documentChanges": true, "resourceOperations": []any{"create", "rename", "delete"},
			},
		},
		"window": map[string]any{
			"workDoneProgress": true, "showDocument": map[string]any{"support": true},
		},
		"textDocument": map[string]any{
			"diagnostic": map[string]any{},
			"hover":      map[string]any{"contentFormat": []any{"markdown", "plaintext"}},
			"completion": map[string]any{"completionItem": map[string]any{
				"snippetSupport": true, "insertReplaceSupport": true,
				"tagSupport":          map[string]any{"valueSet": []any{1}},
				"documentationFormat": []any{"markdown", "plaintext"},
			}},
			"signatureHelp": map[string]any{"signatureInformation": map[string]any{
				"documentationFormat": []any{"markdown", "plaintext"}, "activeParameterSupport": true,
				"parameterInformation": map[string]any{"labelOffsetSupport": true},
			}},
			"rename":         map[string]any{"prepareSupport": true},
			"foldingRange":   map[string]any{},
			"documentSymbol": map[string]any{"hierarchicalDocumentSymbolSupport": true},
			"semanticTokens": map[string]any{
				"dynamicRegistration": true, "formats": []any{"relative"},
				"requests": map[string]any{"full": true, "range": true},
				"tokenTypes": words("namespace type class enum interface struct typeParameter parameter " +
					"variable property enumMember event function method macro keyword modifier comment " +
					"string number regexp operator label"),
				"tokenModifiers": words("declaration definition readonly static deprecated abstract async " +
					"modification documentation defaultLibrary interface struct signature pointer array " +
					"map slice chan string shadowing number bool invalid format"),
			},
			"codeAction": map[string]any{
				"dataSupport": true, "isPreferredSupport": true, "disabledSupport": true,
				"resolveSupport": map[string]any{"properties": []any{"edit"}},
				"codeActionLiteralSupport": map[string]any{
					"codeActionKind": map[string]any{"valueSet": []any{""}},
				},
			},
		},
	}
}

func words(text string) (list []any) {
	for _, w := range strings.Fields(text) {
		list = append(list, w)
	}
	return list
}
