package server

import (
	"encoding/json"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/position"
)

// capabilities are those of a client's that matter here.
type capabilities struct {
	hierarchicalSymbols bool
	definitionLinks     bool
	typeDefinitionLinks bool
	implementationLinks bool
	declarationLinks    bool
	markdownHover       bool
	workspaceSymbols    bool // WorkspaceSymbol, not only SymbolInformation
	progress            bool
	watchFiles          bool // dynamic registration of file watchers
	relativePatterns    bool
	pushDiagnostics     bool
	pullDiagnostics     bool
	refreshDiagnostics  bool
	diagnosticTags      bool
	codeDescription     bool
	relatedInformation  bool
	diagnosticVersions  bool
	editing             editing
	settings            bool     // it can be asked for settings
	settingsEvents      bool     // dynamic registration of what tells of changed settings
	refreshes           []string // requests that have it ask again
	applyEdit           bool
	showDocument        bool
	prepareRename       bool
	willRename          bool // it asks before it renames files
	didCreate           bool // it tells of files that it has created, and so on
	didRename           bool
	didDelete           bool
	actions             actionSupport
	folds               foldSupport
	tokens              tokenSupport
	completion          completionSupport
	signature           signatureSupport
}

func is(b *bool) bool { return b != nil && *b }

// readCapabilities reads a client's capabilities; every part of them may be missing.
func readCapabilities(c *protocol.ClientCapabilities) capabilities {
	var out capabilities
	if t := c.TextDocument; t != nil {
		out.prepareRename = t.Rename != nil && is(t.Rename.PrepareSupport)
		if t.DocumentSymbol != nil {
			out.hierarchicalSymbols = is(t.DocumentSymbol.HierarchicalDocumentSymbolSupport)
		}
		if t.Definition != nil {
			out.definitionLinks = is(t.Definition.LinkSupport)
		}
		if t.Declaration != nil {
			out.declarationLinks = is(t.Declaration.LinkSupport)
		}
		if t.TypeDefinition != nil {
			out.typeDefinitionLinks = is(t.TypeDefinition.LinkSupport)
		}
		out.actions = readActions(t.CodeAction)
		out.folds = readFolds(t.FoldingRange)
		out.tokens = readTokens(&t.SemanticTokens)
		if t.Implementation != nil {
			out.implementationLinks = is(t.Implementation.LinkSupport)
		}
		out.completion = readCompletion(t.Completion)
		out.signature = readSignature(t.SignatureHelp)
		if t.Hover != nil && len(t.Hover.ContentFormat) > 0 {
			out.markdownHover = t.Hover.ContentFormat[0] == protocol.MarkupKindMarkdown // in order of preference
		}
		if p := t.PublishDiagnostics; p != nil {
			out.pushDiagnostics = true
			out.relatedInformation = is(p.RelatedInformation)
			out.diagnosticTags = len(p.TagSupport.ValueSet) > 0
			out.codeDescription = is(p.CodeDescriptionSupport)
			out.diagnosticVersions = is(p.VersionSupport)
		}
		if d := t.Diagnostic; d != nil {
			out.pullDiagnostics = true
			out.relatedInformation = out.relatedInformation || is(d.RelatedInformation)
			out.diagnosticTags = out.diagnosticTags || len(d.TagSupport.ValueSet) > 0
			out.codeDescription = out.codeDescription || is(d.CodeDescriptionSupport)
		}
	}
	if w := c.Workspace; w != nil {
		out.settings = is(w.Configuration)
		out.settingsEvents = w.DidChangeConfiguration != nil && is(w.DidChangeConfiguration.DynamicRegistration)
		out.refreshes = readRefreshes(w)
		out.applyEdit = is(w.ApplyEdit)
		if f := w.FileOperations; f != nil {
			out.willRename = is(f.WillRename)
			out.didCreate, out.didRename, out.didDelete = is(f.DidCreate), is(f.DidRename), is(f.DidDelete)
		}
		out.editing = readEditing(w.WorkspaceEdit)
		if w.Symbol != nil {
			out.workspaceSymbols = len(w.Symbol.ResolveSupport.Properties) > 0
		}
		if f := w.DidChangeWatchedFiles; f != nil {
			out.watchFiles, out.relativePatterns = is(f.DynamicRegistration), is(f.RelativePatternSupport)
		}
		if w.Diagnostics != nil {
			out.refreshDiagnostics = is(w.Diagnostics.RefreshSupport)
		}
	}
	if c.Window != nil {
		out.progress = is(c.Window.WorkDoneProgress)
		out.showDocument = c.Window.ShowDocument != nil && c.Window.ShowDocument.Support
	}
	return out
}

// A diagnosticsMode says which diagnostics are published and which are pulled; see the
// package comment.
type diagnosticsMode string

const (
	modePush  diagnosticsMode = "push"
	modeMixed diagnosticsMode = "mixed"
	modePull  diagnosticsMode = "pull"
)

// initOptions are the initialization options of this server.
type initOptions struct {
	Diagnostics diagnosticsMode `json:"diagnostics"` // see the package comment
	NoIndex     bool            `json:"noIndex"`     // answer from what is known, and on demand
	Settings    json.RawMessage `json:"settings"`    // of the language, for clients that cannot be asked
}

// readOptions reads initialization options. Those of another server, or malformed ones,
// count as none.
func readOptions(raw []byte) initOptions {
	var o initOptions
	if len(raw) > 0 && json.Unmarshal(raw, &o) != nil {
		return initOptions{}
	}
	return o
}

// chooseMode picks the mode.
func chooseMode(c capabilities, o initOptions) diagnosticsMode {
	switch {
	case !c.pullDiagnostics:
		return modePush
	case slices.Contains([]diagnosticsMode{modePush, modeMixed, modePull}, o.Diagnostics):
		return o.Diagnostics
	case !c.pushDiagnostics:
		return modePull
	case c.refreshDiagnostics:
		return modeMixed
	}
	return modePush
}

// serverCapabilities is what initialize answers.
func (h *Host) serverCapabilities(e position.Encoding, c capabilities, mode diagnosticsMode) protocol.ServerCapabilities {
	incremental := protocol.TextDocumentSyncKindIncremental
	yes := true
	progress := protocol.WorkDoneProgressOptions{WorkDoneProgress: &yes}
	out := protocol.ServerCapabilities{
		PositionEncoding: e.Kind(),
		TextDocumentSync: &protocol.TextDocumentSyncOptions{
			OpenClose: &yes, Change: &incremental, Save: &protocol.SaveOptions{},
		},
		HoverProvider:           protocol.Boolean(true),
		DefinitionProvider:      protocol.Boolean(true),
		ReferencesProvider:      &protocol.ReferenceOptions{WorkDoneProgressOptions: progress},
		DocumentSymbolProvider:  protocol.Boolean(true),
		WorkspaceSymbolProvider: &protocol.WorkspaceSymbolOptions{WorkDoneProgressOptions: progress},
		ExecuteCommandProvider:  protocol.ExecuteCommandOptions{Commands: h.commandNames(), WorkDoneProgressOptions: progress},
		Workspace: &protocol.WorkspaceOptions{
			WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{Supported: &yes, ChangeNotifications: protocol.Boolean(true)},
		},
	}
	announceFileEvents(&out, c)
	if mode != modePush {
		out.DiagnosticProvider = &protocol.DiagnosticOptions{InterFileDependencies: true, WorkspaceDiagnostics: mode == modePull}
	}
	return out
}
