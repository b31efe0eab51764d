package server

import (
	"context"
	"errors"
	"strings"
	"sync"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A publisher keeps the diagnostics that one client shows up to date.
type publisher struct {
	s     *session
	pulls refresher // has the client pull again

	mu      sync.Mutex
	stopped bool                   // guarded by mu
	sent    map[string]publication // guarded by mu: by canonical URI
	told    map[string]bool        // guarded by mu: see firstTime
}

// A publication is what a client was last told of a file.
type publication struct {
	generation uint64     // that it was computed from
	digest     lsp.Digest // of the message
	empty      bool
}

func (p *publisher) init(s *session) {
	p.s = s
	p.pulls = refresher{s: s, method: protocol.MethodWorkspaceDiagnosticRefresh}
	p.sent = make(map[string]publication)
	p.told = make(map[string]bool)
}

// stop ends all publishing.
func (p *publisher) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// firstTime reports whether it is called for the first time with a subject.
func (p *publisher) firstTime(subject string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.told[subject]
	p.told[subject] = true
	return first
}

func (p *publisher) mode() diagnosticsMode { return p.s.agreed.Load().mode }

// opened is called when the client has opened a document.
func (p *publisher) opened(name string) {
	switch p.mode() {
	case modePush:
		p.edited(name)
	case modeMixed:
		p.withdraw(func(u string) bool { return u == name }) // it is pulled from now on
	}
}

// edited is called when the client has opened or changed a document. What is wrong with a text that
// is judged already, as it is in another client's editor or was before, no change of a partition
// will tell.
func (p *publisher) edited(name string) {
	doc, open := p.s.agreed.Load().docs.Get(name)
	if !open || doc.Err() != nil || p.mode() != modePush {
		return
	}
	snap := p.s.host.eng.Snapshot()
	defer snap.Release()
	j, err := partition.Judgements.Get(snap, name)
	if err == nil && j.Text == doc.Digest() {
		p.publishFiles([]string{name})
	}
}

// closed is called when the client has closed a document.
func (p *publisher) closed(name string) {
	if p.mode() != modePull {
		p.publishFiles([]string{name})
	}
}

// judged is the watcher on the texts of open files of which it is known what is wrong with them. It
// is what publishes diagnostics of open documents, each with the version that has this text.
func (h *Host) judged(t *runtime.Task, changes runtime.Changes) error {
	for _, s := range h.allSessions() {
		if !s.live.Load() || s.pub.mode() != modePush {
			continue
		}
		for _, c := range changes.List {
			if doc, open := s.agreed.Load().docs.Get(c.Key); open && !c.Deleted {
				if err := s.pub.publishOpen(t, c.Key, doc); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// publishOpen publishes the diagnostics of an open document, if they are those of its text: they
// are not while an edit is under way that is newer, or another client's text counts.
func (p *publisher) publishOpen(t *runtime.Task, name string, doc *document.Document) error {
	root := p.s.rootOf(name)
	if doc.Err() != nil || root == nil {
		return nil
	}
	j, err := partition.Judgements.Get(t, name)
	if errors.Is(err, runtime.ErrNotFound) {
		return nil
	}
	if err != nil || j.Text != doc.Digest() {
		return err
	}
	list, err := partition.FileDiagnostics(t, name)
	if err != nil || partition.DigestOf(list) != j.Said {
		return err
	}
	q := &question{s: p.s, t: t, root: root, uri: name, doc: doc}
	q.remember(name, doc.Mapper())
	version := doc.Version()
	p.send(t.Generation(), name, &version, q.diagnostics(list))
	return nil
}

// diagnosticsChanged is the watcher on the partition of diagnostics.
func (h *Host) diagnosticsChanged(t *runtime.Task, changes runtime.Changes) error {
	var files []string
	for _, c := range changes.List {
		k, err := partition.Diagnostics.Decode(c.Key)
		if err != nil {
			return err
		}
		if len(files) == 0 || files[len(files)-1] != k.URI {
			files = append(files, k.URI) // changes come in the order of keys
		}
	}
	for _, s := range h.allSessions() {
		if s.live.Load() {
			s.pub.changed(files)
		}
	}
	return nil
}

// changed is called when the language has written other diagnostics.
func (p *publisher) changed(files []string) {
	var (
		mode     = p.mode()
		docs     = p.s.agreed.Load().docs
		publish  []string
		pullable bool
	)
	for _, name := range files {
		_, open := docs.Get(name)
		switch {
		case !open && !p.s.shows(name) && !p.showing(name):
		case open && mode == modePush: // see judged
		case open || mode == modePull:
			pullable = true
		default:
			publish = append(publish, name)
		}
	}
	if len(publish) > 0 {
		p.publishFiles(publish)
	}
	if pullable {
		p.refresh()
	}
}

// resume takes over a client that shows diagnostics of files, whatever they are.
func (p *publisher) resume(files []string) {
	if p.mode() == modePull || len(files) == 0 {
		return
	}
	p.mu.Lock()
	for _, name := range files {
		if _, known := p.sent[name]; !known {
			p.sent[name] = publication{}
		}
	}
	p.mu.Unlock()
	p.publishFiles(files)
}

// showing reports whether the client has been told something of a file that has not been
// taken back: of one outside of its folders, since it was open.
func (p *publisher) showing(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.sent[name]
	return known && !was.empty
}

// publishKnown publishes what is known of a folder: after a warm start, all there was.
func (p *publisher) publishKnown(f *folder) {
	if p.mode() == modePull {
		return
	}
	p.submit("publish known diagnostics", func(t *runtime.Task) error {
		files, err := partition.Files(t, f.within)
		if err != nil {
			return err
		}
		return p.publishStored(t, files)
	})
}

// publishFiles publishes what is known of files.
func (p *publisher) publishFiles(files []string) {
	p.submit("publish diagnostics", func(t *runtime.Task) error { return p.publishStored(t, files) })
}

func (p *publisher) submit(name string, fn func(*runtime.Task) error) {
	p.s.begin(func(ctx context.Context) {
		err := p.s.host.eng.Submit(ctx, lane.Default, fn, runtime.Client(p.s.id), runtime.Named(name))
		if err != nil && ctx.Err() == nil && !closed(err) && !p.s.host.storeFailed(err) {
			p.s.log.Warn("server: "+name, "err", err)
		}
	})
}

// publishStored publishes the diagnostics in the partition.
func (p *publisher) publishStored(t *runtime.Task, files []string) error {
	docs := p.s.agreed.Load().docs
	for _, name := range files {
		if doc, open := docs.Get(name); open {
			if p.mode() == modePush {
				if err := p.publishOpen(t, name, doc); err != nil {
					return err
				}
			}
			continue
		}
		var list []lsp.Diagnostic
		if p.s.shows(name) { // else it was open, and has been closed
			var err error
			if list, err = partition.FileDiagnostics(t, name); err != nil {
				return err
			}
		}
		q := &question{s: p.s, t: t, root: p.s.rootOf(name), uri: name}
		if q.root == nil {
			return nil // the folder has gone
		}
		p.send(t.Generation(), name, nil, q.diagnostics(list))
	}
	return nil
}

// send publishes a list unless the client has it already or has a newer one (V3).
func (p *publisher) send(generation uint64, name string, version *int32, list []protocol.Diagnostic) {
	params := &protocol.PublishDiagnosticsParams{URI: p.s.foreign(name), Diagnostics: list}
	if version != nil && p.s.agreed.Load().caps.diagnosticVersions {
		params.Version = protocol.NewOptional(*version)
	}
	raw, err := protocol.Marshal(params)
	if err != nil {
		p.s.log.Error("server: encoding diagnostics", "uri", name, "err", err)
		return
	}
	now := publication{generation: generation, digest: lsp.DigestOf(raw), empty: len(list) == 0}
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.sent[name]
	if p.stopped || known && generation < was.generation {
		return
	}
	p.sent[name] = now
	if now.empty && (!known || was.empty) || known && now.digest == was.digest {
		return
	}
	_ = p.s.conn.NotifyLatest(name, protocol.MethodTextDocumentPublishDiagnostics, params) // fails only at the end
}

// retract withdraws what was published of a folder that the session gives up.
func (p *publisher) retract(f *folder) {
	p.withdraw(func(name string) bool { return strings.HasPrefix(name, f.within) && !p.s.shows(name) })
}

// withdraw publishes empty lists in place of others.
func (p *publisher) withdraw(which func(name string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, was := range p.sent {
		if was.empty || p.stopped || !which(name) {
			continue
		}
		p.sent[name] = publication{generation: was.generation, empty: true}
		params := &protocol.PublishDiagnosticsParams{URI: p.s.foreign(name), Diagnostics: []protocol.Diagnostic{}}
		_ = p.s.conn.NotifyLatest(name, protocol.MethodTextDocumentPublishDiagnostics, params) // fails only at the end
	}
}

// refresh asks the client to pull its diagnostics again, if it can.
func (p *publisher) refresh() {
	if p.s.agreed.Load().caps.refreshDiagnostics {
		p.pulls.refresh()
	}
}

// diagnostics converts a file's diagnostics. Their spans are those of the text they were
// computed from; where that is not the text at hand any more they are fitted into it, until
// newer ones come.
func (q *question) diagnostics(list []lsp.Diagnostic) []protocol.Diagnostic {
	caps := q.s.agreed.Load().caps
	out := make([]protocol.Diagnostic, 0, len(list))
	for i := range list {
		d := &list[i]
		item := protocol.Diagnostic{
			Range: q.fitted(q.uri, d.Span), Severity: protocol.DiagnosticSeverity(d.Severity), Message: protocol.String(d.Message),
		}
		if d.Code != "" {
			item.Code = protocol.String(d.Code)
		}
		if d.Source != "" {
			item.Source = protocol.NewOptional(d.Source)
		}
		var tags []protocol.DiagnosticTag
		if d.Unnecessary {
			tags = append(tags, protocol.DiagnosticTagUnnecessary)
		}
		if d.Deprecated {
			tags = append(tags, protocol.DiagnosticTagDeprecated)
		}
		if len(tags) > 0 && caps.diagnosticTags {
			item.Tags = protocol.NewDiagnosticTags(tags...)
		}
		if d.Href != "" && caps.codeDescription {
			item.CodeDescription = protocol.CodeDescription{Href: uri.URI(d.Href)}
		}
		if caps.relatedInformation {
			for _, r := range d.Related {
				item.RelatedInformation = append(item.RelatedInformation, protocol.DiagnosticRelatedInformation{
					Location: protocol.Location{URI: q.s.foreign(r.Location.URI), Range: q.fitted(r.Location.URI, r.Location.Span)}, Message: r.Message,
				})
			}
		}
		out = append(out, item)
	}
	return out
}

// fitted converts a span, moving what lies outside the text to its end; without a text it
// is the file's beginning.
func (q *question) fitted(name string, span lsp.Span) protocol.Range {
	m, err := q.mapper(name)
	if err != nil {
		return protocol.Range{}
	}
	end := len(m.Text())
	start := min(max(span.Start, 0), end)
	r, err := m.Range(start, min(max(span.End, start), end), q.s.agreed.Load().encoding)
	if err != nil {
		return protocol.Range{}
	}
	return r
}
