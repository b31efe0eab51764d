package editor

// Everything are the capabilities of an editor that can do all that the protocol has, and counts
// columns in bytes.
const Everything = `{
	"general": {"positionEncodings": ["utf-8", "utf-16"]},
	"window": {"workDoneProgress": true, "showMessage": {"messageActionItem": {"additionalPropertiesSupport": true}}, "showDocument": {"support": true}},
	"workspace": {
		"applyEdit": true, "workspaceFolders": true, "configuration": true,
		"workspaceEdit": {"documentChanges": true, "resourceOperations": ["create", "rename", "delete"], "failureHandling": "transactional"},
		"didChangeConfiguration": {"dynamicRegistration": true},
		"didChangeWatchedFiles": {"dynamicRegistration": true, "relativePatternSupport": true},
		"symbol": {"resolveSupport": {"properties": ["location.range"]}},
		"executeCommand": {}, "diagnostics": {"refreshSupport": true},
		"codeLens": {"refreshSupport": true}, "semanticTokens": {"refreshSupport": true}, "inlayHint": {"refreshSupport": true},
		"inlineValue": {"refreshSupport": true}, "foldingRange": {"refreshSupport": true},
		"fileOperations": {"didCreate": true, "willCreate": true, "didRename": true, "willRename": true, "didDelete": true, "willDelete": true}
	},
	"textDocument": {
		"publishDiagnostics": {"versionSupport": true, "relatedInformation": true, "tagSupport": {"valueSet": [1, 2]}, "codeDescriptionSupport": true, "dataSupport": true},
		"definition": {"linkSupport": true}, "declaration": {"linkSupport": true},
		"typeDefinition": {"linkSupport": true}, "implementation": {"linkSupport": true},
		"references": {}, "documentHighlight": {}, "selectionRange": {}, "linkedEditingRange": {}, "moniker": {},
		"hover": {"contentFormat": ["markdown", "plaintext"]},
		"signatureHelp": {"contextSupport": true, "signatureInformation": {"documentationFormat": ["markdown"], "parameterInformation": {"labelOffsetSupport": true}, "activeParameterSupport": true, "noActiveParameterSupport": true}},
		"completion": {"contextSupport": true, "insertTextMode": 2,
			"completionItem": {"snippetSupport": true, "commitCharactersSupport": true, "documentationFormat": ["markdown"], "deprecatedSupport": true, "preselectSupport": true,
				"tagSupport": {"valueSet": [1]}, "insertReplaceSupport": true, "labelDetailsSupport": true, "insertTextModeSupport": {"valueSet": [1, 2]},
				"resolveSupport": {"properties": ["documentation", "detail", "additionalTextEdits"]}},
			"completionList": {"itemDefaults": ["commitCharacters", "editRange", "insertTextFormat", "insertTextMode", "data"]}},
		"documentSymbol": {"hierarchicalDocumentSymbolSupport": true, "tagSupport": {"valueSet": [1]}, "labelSupport": true},
		"codeAction": {"isPreferredSupport": true, "disabledSupport": true, "dataSupport": true, "resolveSupport": {"properties": ["edit", "command"]},
			"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "refactor.extract", "refactor.inline", "refactor.rewrite", "source", "source.organizeImports", "source.fixAll"]}}},
		"codeLens": {"resolveSupport": {"properties": ["command"]}}, "documentLink": {"tooltipSupport": true}, "colorProvider": {},
		"formatting": {}, "rangeFormatting": {"rangesSupport": true}, "onTypeFormatting": {},
		"rename": {"prepareSupport": true, "prepareSupportDefaultBehavior": 1},
		"foldingRange": {"foldingRangeKind": {"valueSet": ["comment", "imports", "region"]}, "foldingRange": {"collapsedText": true}},
		"callHierarchy": {}, "typeHierarchy": {}, "inlineValue": {}, "inlineCompletion": {},
		"inlayHint": {"resolveSupport": {"properties": ["tooltip", "label.location", "textEdits"]}},
		"semanticTokens": {"requests": {"range": true, "full": {"delta": true}}, "formats": ["relative"], "multilineTokenSupport": true,
			"tokenTypes": ["namespace", "type", "class", "enum", "interface", "struct", "typeParameter", "parameter", "variable", "property", "enumMember", "event", "function", "method", "macro", "keyword", "modifier", "comment", "string", "number", "regexp", "operator", "decorator", "label"],
			"tokenModifiers": ["declaration", "definition", "readonly", "static", "deprecated", "abstract", "async", "modification", "documentation", "defaultLibrary"]}
	}}`
