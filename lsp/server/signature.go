package server

import (
	"unicode/utf16"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// signatures is textDocument/signatureHelp.
var signatures = feature{
	offered: offers[lsp.SignatureHelper],
	announce: func(out *protocol.ServerCapabilities, of lsp.Workspace, _ capabilities) {
		first, again := of.(lsp.SignatureHelper).SignatureTriggers()
		out.SignatureHelpProvider = &protocol.SignatureHelpOptions{TriggerCharacters: first, RetriggerCharacters: again}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentSignatureHelp: positional(s, lane.RPC1,
				func(p *protocol.SignatureHelpParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				}, signatureHelp),
		}
	},
}

// signatureSupport is what of signatures a client understands.
type signatureSupport struct {
	markdown bool
	offsets  bool // of parameters in the label
}

func readSignature(c *protocol.SignatureHelpClientCapabilities) (out signatureSupport) {
	if c == nil || c.SignatureInformation == nil {
		return out
	}
	i := c.SignatureInformation
	out.markdown = len(i.DocumentationFormat) > 0 && i.DocumentationFormat[0] == protocol.MarkupKindMarkdown
	out.offsets = i.ParameterInformation != nil && is(i.ParameterInformation.LabelOffsetSupport)
	return out
}

// signatureHelp answers textDocument/signatureHelp.
func signatureHelp(q *question, at int, p *protocol.SignatureHelpParams) (any, error) {
	can := q.s.agreed.Load().caps.signature
	unasked := p.Context.TriggerKind != protocol.SignatureHelpTriggerKindInvoked && !p.Context.IsRetrigger
	sig, err := q.root.ws.(lsp.SignatureHelper).SignatureHelp(q.t, q.uri, at, unasked)
	if err != nil || sig == nil {
		return nil, err
	}
	info := protocol.SignatureInformation{Label: sig.Label}
	if sig.Doc != "" {
		info.Documentation = proseContents(sig.Doc, can.markdown)
	}
	units := func(at int) uint32 { return uint32(len(utf16.Encode([]rune(sig.Label[:at])))) }
	for _, p := range sig.Params {
		var label protocol.ParameterInformationLabel = protocol.String(sig.Label[p.Start:p.End])
		if can.offsets { // they count UTF-16 code units, whatever positions count
			label = protocol.ParameterInformationLabelTuple{units(p.Start), units(p.End)}
		}
		info.Parameters = append(info.Parameters, protocol.ParameterInformation{Label: label})
	}
	out := &protocol.SignatureHelp{Signatures: []protocol.SignatureInformation{info}, ActiveSignature: new(uint32)}
	if sig.Active >= 0 {
		out.ActiveParameter = protocol.NewNullable(uint32(sig.Active))
	}
	return out, nil
}
