package server

import (
	"context"
	"encoding/hex"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// documentDiagnostic answers textDocument/diagnostic. A result's id is a hash of its items:
// a client that has them is told "unchanged", also after a restart.
func (s *session) documentDiagnostic(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DocumentDiagnosticParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	name, err := s.canonical(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	if d, ok := s.openTooLarge(name); ok {
		q, list := s.sizeDiagnostics(d)
		items, id, err := q.items(list)
		return dispatch.Now(&protocol.RelatedFullDocumentDiagnosticReport{FullDocumentDiagnosticReport: full(id, items)}), err
	}
	q, err := s.about(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	previous := ""
	if p.PreviousResultID != nil {
		previous = *p.PreviousResultID
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		list, err := s.pulled(q.t, q.root, q.uri)
		if err != nil && !nothing(q, err) {
			return nil, err
		}
		items, id, err := q.items(list)
		if err != nil {
			return nil, err
		}
		s.pull.answered(q.uri, q.doc, id)
		if id == previous {
			return &protocol.RelatedUnchangedDocumentDiagnosticReport{UnchangedDocumentDiagnosticReport: unchanged(id)}, nil
		}
		return &protocol.RelatedFullDocumentDiagnosticReport{FullDocumentDiagnosticReport: full(id, items)}, nil
	})), nil
}

// workspaceDiagnostic answers workspace/diagnostic: every file of the session's folders that
// has diagnostics, and those the client believes to have some.
func (s *session) workspaceDiagnostic(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	return s.allDiagnostics(r, false)
}

// MethodDiagnostics is workspace/diagnostic for commands: it also tells of files outside of the
// folders that their workspaces read. An editor shows its folders only.
const MethodDiagnostics = "cytisus/diagnostics"

func (s *session) diagnosticsOfAll(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	return s.allDiagnostics(r, true)
}

func (s *session) allDiagnostics(r *dispatch.Request, elsewhere bool) (dispatch.Outcome, error) {
	var p protocol.WorkspaceDiagnosticParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	previous := make(map[string]string, len(p.PreviousResultIds))
	for _, id := range p.PreviousResultIds {
		if name, err := s.canonical(id.URI); err == nil {
			previous[name] = id.Value
		}
	}
	roots := s.roots()
	return dispatch.Later(s.answer(r, &question{s: s}, lane.RPC3, func(q *question) (any, error) {
		files, err := s.filesWithDiagnostics(q.t, roots, previous, elsewhere)
		if err != nil {
			return nil, err
		}
		report := &protocol.WorkspaceDiagnosticReport{Items: []protocol.WorkspaceDocumentDiagnosticReport{}}
		for _, name := range files {
			item, err := s.fileReport(q.t, name, previous[name])
			if err != nil {
				return nil, err
			}
			if item != nil {
				report.Items = append(report.Items, item)
			}
		}
		report.Items = inParts(s, p.PartialResultToken, report.Items, func(part []protocol.WorkspaceDocumentDiagnosticReport) any {
			return &protocol.WorkspaceDiagnosticReportPartialResult{Items: part}
		})
		return report, nil
	})), nil
}

func (s *session) filesWithDiagnostics(t *runtime.Task, roots []*root, previous map[string]string, elsewhere bool) ([]string, error) {
	var files []string
	for _, root := range roots {
		some, err := partition.Files(t, root.prefix)
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	if elsewhere {
		all, err := partition.Files(t, "")
		if err != nil {
			return nil, err
		}
		for _, root := range roots {
			files = append(files, slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !root.reads(name) })...)
		}
	}
	for name := range previous {
		files = append(files, name)
	}
	for _, d := range s.agreed.Load().docs.All() {
		if s.shows(d.URI()) && s.host.handles(d.URI()) {
			files = append(files, d.URI())
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// fileReport returns what workspace/diagnostic says of one file, nil for nothing.
func (s *session) fileReport(t *runtime.Task, name, previous string) (protocol.WorkspaceDocumentDiagnosticReport, error) {
	root := s.rootOf(name)
	if root == nil {
		return nil, nil
	}
	q := &question{s: s, t: t, root: root, uri: name}
	var (
		list    []lsp.Diagnostic
		version *int32
		err     error
	)
	if doc, ok := s.agreed.Load().docs.Get(name); ok && doc.Err() == nil {
		q.doc = doc
		if q.checkText() != nil {
			return nil, nil // edited since the request: the next one tells
		}
		v := doc.Version()
		version = &v
		if list, err = s.pulled(t, root, name); nothing(q, err) {
			err = nil
		}
	} else if doc, ok := s.openTooLarge(name); ok {
		q, list = s.sizeDiagnostics(doc)
	} else {
		list, err = partition.FileDiagnostics(t, name)
	}
	if err != nil {
		return nil, err
	}
	items, id, err := q.items(list)
	if err != nil || len(items) == 0 && previous == "" && version == nil {
		return nil, err
	}
	if q.doc != nil {
		s.pull.answered(name, q.doc, id)
	}
	where := s.foreign(name)
	if id == previous {
		return &protocol.WorkspaceUnchangedDocumentDiagnosticReport{UnchangedDocumentDiagnosticReport: unchanged(id), URI: where, Version: version}, nil
	}
	return &protocol.WorkspaceFullDocumentDiagnosticReport{FullDocumentDiagnosticReport: full(id, items), URI: uri.URI(where), Version: version}, nil
}

// pulled are the diagnostics of an open file for a client that pulls. One that will not be asked to
// pull again gets what would follow later at once.
func (s *session) pulled(t *runtime.Task, r *root, name string) ([]lsp.Diagnostic, error) {
	if ws, ok := r.ws.(lsp.FullDiagnoser); ok && !s.agreed.Load().caps.refreshDiagnostics {
		return ws.FullDiagnostics(t, name)
	}
	return r.ws.Diagnostics(t, name)
}

// items converts a file's diagnostics and returns them with their id.
func (q *question) items(list []lsp.Diagnostic) (items []protocol.Diagnostic, id string, err error) {
	items = q.diagnostics(list)
	raw, err := protocol.Marshal(&protocol.FullDocumentDiagnosticReport{Items: items})
	if err != nil {
		return nil, "", err
	}
	d := lsp.DigestOf(raw)
	return items, hex.EncodeToString(d[:]), nil
}

func full(id string, items []protocol.Diagnostic) protocol.FullDocumentDiagnosticReport {
	return protocol.FullDocumentDiagnosticReport{Kind: string(protocol.DocumentDiagnosticReportKindFull), ResultID: &id, Items: items}
}

func unchanged(id string) protocol.UnchangedDocumentDiagnosticReport {
	return protocol.UnchangedDocumentDiagnosticReport{Kind: string(protocol.DocumentDiagnosticReportKindUnchanged), ResultID: id}
}
