package daemon

import (
	"errors"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
)

// A state is what a client's messages up to a moment of the wire have left behind. It belongs
// to its bridge and is guarded by the bridge's mutex.
type state struct {
	initialize  []byte // the parameters; nil until a host has accepted them
	initialized []byte // the notification; nil until it was said
	settings    []byte // the newest workspace/didChangeConfiguration
	trace       []byte // the newest $/setTrace
	added       []namedFolder
	removed     []namedFolder
	docs        *document.Store
	unfit       map[string][]byte // by URI: the change that put a document out of sync
}

// take adds messages in the order of the wire. The host has taken them in the same way, or
// another one will.
func (s *state) take(list []*message) {
	list = slices.DeleteFunc(slices.Clone(list), func(m *message) bool { return m.kind != notification && m.accepted == nil })
	for len(list) > 0 {
		if n := s.takeEdits(list); n > 0 {
			list = list[n:]
			continue
		}
		s.takeOne(list[0])
		list = list[1:]
	}
}

func (s *state) takeOne(m *message) {
	if m.accepted != nil {
		s.begin(m)
	}
	if s.initialize == nil || m.kind != notification {
		return // a host drops what comes before initialize
	}
	switch m.method {
	case protocol.MethodInitialized:
		s.initialized = m.body
	case protocol.MethodWorkspaceDidChangeConfiguration:
		s.settings = m.body
	case protocol.MethodSetTrace:
		s.trace = m.body
	case protocol.MethodWorkspaceDidChangeWorkspaceFolders:
		s.changeFolders(m.params())
	case protocol.MethodTextDocumentDidOpen:
		o, err := document.DecodeOpening(m.params())
		if err != nil {
			s.lose(o.URI, err, m.body)
			return
		}
		delete(s.unfit, o.URI)
		_, _, _ = s.docs.Open(o.URI, o.Language, o.Version, o.Text) // one that is too large is open without a text, as at the host
	case protocol.MethodTextDocumentDidClose:
		var p protocol.DidCloseTextDocumentParams
		if protocol.Unmarshal(m.params(), &p) != nil {
			return
		}
		delete(s.unfit, string(p.TextDocument.URI))
		_, _ = s.docs.Close(string(p.TextDocument.URI)) // one that is not open stays so
	}
}

// begin takes what initialize has agreed on.
func (s *state) begin(m *message) {
	var result struct {
		Capabilities struct {
			PositionEncoding protocol.PositionEncodingKind `json:"positionEncoding"`
		} `json:"capabilities"`
	}
	_ = protocol.Unmarshal(m.accepted, &result) // without an encoding it is the protocol's default
	encoding, _ := position.Parse(result.Capabilities.PositionEncoding)
	s.initialize = m.params()
	s.docs = document.NewStore(encoding, lsp.MaxFileBytes)
	s.unfit = make(map[string][]byte)
	m.accepted = nil
}

// takeEdits takes the changes of one document at the head of a list, and returns how many
// messages these are. Taken together they cost one copy of the text.
func (s *state) takeEdits(list []*message) (n int) {
	if s.initialize == nil {
		return 0
	}
	var (
		all  document.Edit
		old  *document.Document
		last int32
	)
	for ; n < len(list); n++ {
		if list[n].kind != notification || list[n].method != protocol.MethodTextDocumentDidChange {
			break
		}
		edit, err := document.DecodeEdit(list[n].params())
		if err != nil {
			if n == 0 {
				s.lose(edit.URI, err, list[0].body)
				return 1
			}
			break
		}
		if n == 0 {
			d, open := s.docs.Get(edit.URI)
			if !open {
				return 1
			}
			if d.Err() != nil || edit.Version != nil && *edit.Version < d.Version() {
				s.takeEdit(edit, list[0].body)
				return 1
			}
			old, last, all = d, d.Version(), document.Edit{URI: edit.URI}
		}
		// A version that goes back puts the document out of sync, by itself.
		if edit.URI != all.URI || edit.Version != nil && *edit.Version < last {
			break
		}
		if edit.Version != nil {
			last = *edit.Version
		}
		all.Changes = append(all.Changes, edit.Changes...)
	}
	if n == 0 {
		return 0
	}
	if n > 1 {
		all.Version = &last
		if _, err := s.docs.Change(all); err == nil {
			return n
		}
		// One of them does not fit: each by itself, from the text before.
		_, _, _ = s.docs.Open(old.URI(), old.Language(), old.Version(), string(old.Text()))
	}
	edit, err := document.DecodeEdit(list[0].params())
	if err == nil {
		s.takeEdit(edit, list[0].body)
	}
	return 1
}

// lose takes a change, or an opening, that cannot be understood. The document is out of sync, as at
// the host.
func (s *state) lose(uri string, cause error, body []byte) {
	if s.docs.Lose(uri, cause) == nil {
		return
	}
	if _, known := s.unfit[uri]; !known {
		s.unfit[uri] = body
	}
}

// takeEdit takes one change. The first that does not fit is kept, for the next host.
func (s *state) takeEdit(edit document.Edit, body []byte) {
	_, err := s.docs.Change(edit)
	switch _, known := s.unfit[edit.URI]; {
	case err == nil, errors.Is(err, document.ErrTooLarge):
		delete(s.unfit, edit.URI)
	case !known:
		s.unfit[edit.URI] = body
	}
}

// A namedFolder is a folder as the client writes it: the protocol library's own type reads an empty
// URI as that of the root of all files.
type namedFolder struct {
	URI  string `json:"uri"`
	Name string `json:"name"`
}

// folderChanges are the parameters of workspace/didChangeWorkspaceFolders.
type folderChanges struct {
	Event struct {
		Added   []namedFolder `json:"added"`
		Removed []namedFolder `json:"removed"`
	} `json:"event"`
}

func (s *state) changeFolders(params []byte) {
	var p folderChanges
	if protocol.Unmarshal(params, &p) != nil {
		return
	}
	for _, f := range p.Event.Removed {
		if !dropFolder(&s.added, f) {
			s.removed = append(s.removed, f)
		}
	}
	for _, f := range p.Event.Added {
		if !dropFolder(&s.removed, f) {
			s.added = append(s.added, f)
		}
	}
}

func dropFolder(list *[]namedFolder, f namedFolder) (found bool) {
	n := len(*list)
	*list = slices.DeleteFunc(*list, func(o namedFolder) bool { return o.URI == f.URI })
	return len(*list) < n
}

// replay returns the messages that bring a host, which has answered initialize, to the state.
func (s *state) replay(shown []string) (list [][]byte, err error) {
	if s.initialized != nil {
		list = append(list, s.initialized)
	}
	for _, body := range [][]byte{s.trace, s.settings} {
		if body != nil {
			list = append(list, body)
		}
	}
	notify := func(method string, params any) {
		raw, merr := protocol.Marshal(params)
		if err = merr; err == nil {
			list = append(list, jsonrpc2.AppendNotification(nil, method, raw))
		}
	}
	if len(s.added)+len(s.removed) > 0 {
		var p folderChanges
		p.Event.Added, p.Event.Removed = slices.Clone(s.added), slices.Clone(s.removed)
		notify(protocol.MethodWorkspaceDidChangeWorkspaceFolders, &p)
	}
	if s.initialized != nil && err == nil {
		notify(dispatch.MethodResumed, &dispatch.ResumedParams{Shown: shown})
	}
	for _, d := range s.docs.All() {
		if err != nil {
			break
		}
		text := string(d.Text())
		if errors.Is(d.Err(), document.ErrTooLarge) {
			text = strings.Repeat(" ", lsp.MaxFileBytes+1) // another text that is too large: the host must not take the document for an empty one
		}
		notify(protocol.MethodTextDocumentDidOpen, &protocol.DidOpenTextDocumentParams{TextDocument: protocol.TextDocumentItem{
			URI: uri.URI(d.URI()), LanguageID: protocol.LanguageKind(d.Language()), Version: d.Version(), Text: text,
		}})
		if body, ok := s.unfit[d.URI()]; ok {
			list = append(list, body)
		}
	}
	return list, err
}
