package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// completions are textDocument/completion and completionItem/resolve, which adds documentation.
var completions = feature{
	offered: offers[lsp.Completer],
	announce: func(out *protocol.ServerCapabilities, of lsp.Workspace, _ capabilities) {
		yes := true
		out.CompletionProvider = &protocol.CompletionOptions{
			TriggerCharacters: of.(lsp.Completer).CompletionTriggers(), ResolveProvider: &yes,
		}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentCompletion: positional(s, lane.RPC1,
				func(p *protocol.CompletionParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				}, complete),
			protocol.MethodCompletionItemResolve: s.resolveCompletion,
		}
	},
}

// completionSupport is what of completions a client understands.
type completionSupport struct {
	snippets      bool
	markdown      bool
	deprecatedTag bool
	deprecated    bool
	preselect     bool
	insertReplace bool
	defaultRange  bool // for all items of a list
}

func readCompletion(c *protocol.CompletionClientCapabilities) (out completionSupport) {
	if c == nil {
		return out
	}
	if i := c.CompletionItem; i != nil {
		out.snippets = is(i.SnippetSupport)
		out.markdown = len(i.DocumentationFormat) > 0 && i.DocumentationFormat[0] == protocol.MarkupKindMarkdown
		out.deprecatedTag = slices.Contains(i.TagSupport.ValueSet, protocol.CompletionItemTagDeprecated)
		out.deprecated = is(i.DeprecatedSupport)
		out.preselect = is(i.PreselectSupport)
		out.insertReplace = is(i.InsertReplaceSupport)
	}
	if l := c.CompletionList; l != nil {
		out.defaultRange = slices.Contains(l.ItemDefaults, "editRange")
	}
	return out
}

// A completionData finds the documentation of a completion.
type completionData struct {
	URI   uri.URI `json:"uri"`
	Token string  `json:"token"`
}

// complete answers textDocument/completion. The order of the items is that of their sort texts.
func complete(q *question, at int, p *protocol.CompletionParams) (any, error) {
	can := q.s.agreed.Load().caps.completion
	list, err := q.root.ws.(lsp.Completer).Complete(q.t, q.uri, at, lsp.CompletionOptions{Snippets: can.snippets})
	if err != nil || list == nil {
		return nil, err
	}
	insert, err := q.rangeOf(q.uri, list.Insert)
	if err != nil {
		return nil, err
	}
	replace, err := q.rangeOf(q.uri, list.Replace)
	if err != nil {
		return nil, err
	}
	out := &protocol.CompletionList{IsIncomplete: list.Partial, Items: make([]protocol.CompletionItem, len(list.Items))}
	if can.defaultRange {
		out.ItemDefaults = &protocol.CompletionItemDefaults{EditRange: &insert}
		if can.insertReplace {
			out.ItemDefaults.EditRange = &protocol.EditRangeWithInsertReplace{Insert: insert, Replace: replace}
		}
	}
	for i := range list.Items {
		from, to := &list.Items[i], &out.Items[i]
		to.Label, to.Kind = from.Label, protocol.CompletionItemKind(from.Kind)
		if from.Detail != "" {
			to.Detail = protocol.NewOptional(from.Detail)
		}
		to.SortText = protocol.NewOptional(fmt.Sprintf("%05d", i))
		if from.Filter != "" {
			to.FilterText = protocol.NewOptional(from.Filter)
		}
		switch {
		case !from.Deprecated:
		case can.deprecatedTag:
			to.Tags = []protocol.CompletionItemTag{protocol.CompletionItemTagDeprecated}
		case can.deprecated:
			//lint:ignore SA1019 clients that know no tags are told in the old way
			to.Deprecated = protocol.NewOptional(true)
		}
		if i == 0 && can.preselect {
			to.Preselect = protocol.NewOptional(true)
		}
		if from.Snippet && can.snippets {
			to.InsertTextFormat = protocol.InsertTextFormatSnippet
		} else {
			to.InsertTextFormat = protocol.InsertTextFormatPlainText
		}
		switch {
		case can.defaultRange:
			to.TextEditText = protocol.NewOptional(from.Text)
		case can.insertReplace:
			to.TextEdit = &protocol.InsertReplaceEdit{NewText: from.Text, Insert: insert, Replace: replace}
		default:
			to.TextEdit = &protocol.TextEdit{NewText: from.Text, Range: insert}
		}
		if len(from.Extra) > 0 {
			if to.AdditionalTextEdits, err = q.textEdits(q.uri, from.Extra); err != nil {
				return nil, err
			}
		}
		if from.Token != "" {
			if to.Data, err = json.Marshal(completionData{p.TextDocument.URI, from.Token}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// resolveCompletion answers completionItem/resolve.
func (s *session) resolveCompletion(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.CompletionItem
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	if len(p.Data) == 0 {
		return dispatch.Now(&p), nil
	}
	var d completionData
	if err := json.Unmarshal(p.Data, &d); err != nil || d.Token == "" {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the completion has not come from this server")
	}
	return s.aboutFile(r, protocol.TextDocumentIdentifier{URI: d.URI}, lane.RPC2, func(q *question) (any, error) {
		doc, err := q.root.ws.(lsp.Completer).CompletionDoc(q.t, q.uri, d.Token)
		if err != nil {
			return nil, err
		}
		if doc != "" {
			p.Documentation = proseContents(doc, s.agreed.Load().caps.completion.markdown)
		}
		return &p, nil
	})
}

// proseContents is plain text for a client.
func proseContents(text string, markdown bool) *protocol.MarkupContent {
	text = strings.TrimSpace(text)
	if !markdown {
		return &protocol.MarkupContent{Kind: protocol.MarkupKindPlainText, Value: text}
	}
	var b strings.Builder
	writeProse(&b, text)
	return &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: b.String()}
}
