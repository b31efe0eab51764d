package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
	"github.com/cytisus/cytisus/runtime"
)

// A session is one client's connection.
type session struct {
	host *Host
	id   uint64
	conn *dispatch.Conn
	log  *slog.Logger

	agreed atomic.Pointer[terms] // what initialize agreed on; nil before
	live   atomic.Bool           // initialized has been received: the client may be sent anything
	tokens atomic.Uint64         // progress tokens made
	jumps  latest                // definitions that were told

	unopened []string // what is to be said of folders that could not be opened; touched by turns only

	spelled atomic.Pointer[spelled] // replaced under mu, never changed

	ended   context.Context // ends with the session
	endWith context.CancelCauseFunc
	tasks   sync.WaitGroup // goroutines that talk to the client

	mu      sync.Mutex
	folders []*folder // guarded by mu; replaced, never changed
	closing bool      // guarded by mu: begin takes no more

	watching sync.Mutex // held while the client is asked to watch files
	watched  []byte     // guarded by watching: what it was asked last

	shown    shownWork
	settings configuring
	told     toldTokens
	derived  []*refresher // immutable once the client may be sent anything

	pub  publisher
	pull pulling
}

// terms are what client and server have agreed on. They do not change.
type terms struct {
	client   string // the client's name and version
	encoding position.Encoding
	docs     *document.Store
	caps     capabilities
	mode     diagnosticsMode
	noIndex  bool
	settings []byte // of the language, as initialize said them; JSON, may be empty
}

// A folder is a directory that one client has open: a root, or a directory in one.
type folder struct {
	root   *root
	prefix string // of URIs in the root as the client writes them, with a slash
	named  string // the folder itself as the client writes it, with a slash
	within string // the same as the root knows it
}

func newSession(h *Host, id uint64) *session {
	s := &session{host: h, id: id, log: h.o.Logger.With("session", id)}
	s.ended, s.endWith = context.WithCancelCause(context.Background())
	s.pub.init(s)
	s.pull.init(s)
	return s
}

func (s *session) dispatchOptions() dispatch.Options {
	o := s.host.o.Dispatch
	o.Lifecycle, o.Logger, o.OnError = true, s.log, s.failed
	o.OnAnswer = s.host.timed
	o.Runs = map[string]dispatch.RunHandler{protocol.MethodTextDocumentDidChange: func(ctx context.Context, run []*dispatch.Request) []error {
		errs := s.didChange(ctx, run)
		for i, err := range errs {
			if s.hangUp(ctx, err) {
				errs[i] = context.Cause(ctx)
			}
		}
		return errs
	}}
	return o
}

// handlers is the table of everything the server understands, with an eye on the store.
func (s *session) handlers() map[string]dispatch.Handler {
	table := s.table()
	for method, handle := range table {
		table[method] = func(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
			outcome, err := handle(ctx, r)
			if s.hangUp(ctx, err) {
				err = context.Cause(ctx)
			}
			return outcome, err
		}
	}
	return table
}

// table is handlers without that.
func (s *session) table() map[string]dispatch.Handler {
	table := map[string]dispatch.Handler{
		protocol.MethodInitialize:  s.initialize,
		protocol.MethodInitialized: s.initialized,
		protocol.MethodShutdown:    s.shutdown,
		protocol.MethodSetTrace:    s.setTrace,
		dispatch.MethodResumed:     s.resumed,

		protocol.MethodTextDocumentDidOpen:  s.didOpen,
		protocol.MethodTextDocumentDidSave:  s.didSave,
		protocol.MethodTextDocumentDidClose: s.didClose,

		protocol.MethodNotebookDocumentDidOpen: s.refuseNotebook,

		protocol.MethodWorkspaceDidChangeWatchedFiles:     s.didChangeWatchedFiles,
		protocol.MethodWorkspaceDidChangeWorkspaceFolders: s.didChangeWorkspaceFolders,
		protocol.MethodWorkspaceDidChangeConfiguration:    s.didChangeConfiguration,
		protocol.MethodWorkspaceDidCreateFiles:            s.didCreateFiles,
		protocol.MethodWorkspaceDidRenameFiles:            s.didRenameFiles,
		protocol.MethodWorkspaceDidDeleteFiles:            s.didDeleteFiles,
		methodProgressCancel:                              s.cancelProgress,

		protocol.MethodTextDocumentDefinition:     s.definition,
		protocol.MethodTextDocumentReferences:     s.references,
		protocol.MethodTextDocumentHover:          s.hover,
		protocol.MethodTextDocumentDocumentSymbol: s.documentSymbol,
		protocol.MethodTextDocumentDiagnostic:     s.documentDiagnostic,
		protocol.MethodWorkspaceDiagnostic:        s.workspaceDiagnostic,
		protocol.MethodWorkspaceSymbol:            s.workspaceSymbol,
		protocol.MethodWorkspaceExecuteCommand:    s.executeCommand,

		MethodStats:   s.stats,
		MethodMemory:  s.memory,
		MethodProfile: s.profile,
		MethodExplain: s.explain,
		MethodGraph:   s.graph,
		MethodReindex: s.reindex,
		MethodSettle:  s.settle,

		MethodDiagnostics: s.diagnosticsOfAll,
		MethodVerify:      s.verify,
		MethodRepair:      s.repair,

		MethodDBStats:      s.dbStats,
		MethodQueryRecords: s.queryRecords,
	}
	s.featureHandlers(table)
	return table
}

// end takes back what the session has put into the engine (V2) and waits for its
// goroutines.
func (s *session) end() {
	s.live.Store(false)
	s.endWith(ErrClosed)
	s.pub.stop()
	s.mu.Lock()
	s.closing = true
	folders := s.folders
	s.folders = nil
	s.mu.Unlock()
	s.tasks.Wait()
	if a := s.agreed.Load(); a != nil {
		for _, d := range a.docs.All() {
			if err := s.host.overlays.clear(context.Background(), s.id, d.URI()); err != nil && !closed(err) {
				s.log.Warn("server: taking back an unsaved text", "uri", d.URI(), "err", err)
			}
		}
	}
	for _, f := range folders {
		s.host.release(f.root)
	}
}

// hangUp reports whether an error is the end of the host, which the client must not be told
// of: its bridge repeats at the next host what this one leaves unanswered. It waits until
// nothing can be answered any more.
func (s *session) hangUp(ctx context.Context, err error) bool {
	if !s.host.storeFailed(err) {
		return false
	}
	<-ctx.Done()
	return true
}

// begin runs fn on a goroutine that the session's end waits for; its context ends first.
func (s *session) begin(fn func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.tasks.Go(func() { fn(s.ended) })
	}
}

// closed reports whether an error only says that something has been closed.
func closed(err error) bool {
	return errors.Is(err, lsp.ErrClosed) || errors.Is(err, runtime.ErrClosed) || errors.Is(err, ErrClosed) || errors.Is(err, dispatch.ErrClosed)
}

func (s *session) folderList() []*folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.folders
}

// canonical returns the URI by which the session's folders know a document: the client
// may name a folder through a symbolic link.
func (s *session) canonical(u uri.URI) (string, error) {
	name, err := nameOf(u)
	if err != nil {
		return "", err
	}
	if isFile(name) && strings.HasSuffix(name, "/") { // what the protocol library makes of an empty URI, too
		return "", jsonrpc2.NewError(jsonrpc2.InvalidParams, "textDocument.uri names no file")
	}
	for _, f := range s.folderList() {
		if rest, ok := strings.CutPrefix(name, f.prefix); ok && f.prefix != f.root.prefix {
			return f.root.prefix + rest, nil
		}
	}
	return name, nil
}

// foreign is the reverse of canonical: the URI by which the client knows a file.
func (s *session) foreign(name string) uri.URI {
	if own := s.spelled.Load(); own != nil {
		if u, ok := (*own)[name]; ok {
			return u
		}
	}
	for _, f := range s.folderList() {
		if rest, ok := strings.CutPrefix(name, f.root.prefix); ok && f.prefix != f.root.prefix {
			return uri.URI(f.prefix + rest)
		}
	}
	return uri.URI(name)
}

// rootOf returns the root that answers for a file: the innermost one of the session's that
// it lies in, or else one that reads it as a dependency, or else the session's first. It
// returns nil if the session has none.
func (s *session) rootOf(name string) *root {
	var best *root
	folders := s.folderList()
	for _, f := range folders {
		if strings.HasPrefix(name, f.root.prefix) && (best == nil || len(f.root.prefix) > len(best.prefix)) {
			best = f.root
		}
	}
	if best == nil && len(folders) > 0 {
		best = folders[0].root
		for _, f := range folders[1:] {
			if f.root != best && !best.reads(name) && f.root.reads(name) {
				return f.root
			}
		}
	}
	return best
}

// shows reports whether a file lies in one of the session's folders.
func (s *session) shows(name string) bool {
	for _, f := range s.folderList() {
		if strings.HasPrefix(name, f.within) {
			return true
		}
	}
	return false
}

// failed tells the client about a notification that failed or a handler that panicked:
// nothing else would.
func (s *session) failed(method string, err error) {
	kind, show := protocol.MessageTypeError, false
	if _, ok := errors.AsType[*dispatch.PanicError](err); ok {
		show = true
	}
	if errors.Is(err, document.ErrOutOfSync) {
		d, ok := errors.AsType[*document.SyncError](err)
		show = ok && s.pub.firstTime("sync "+d.URI)
	}
	if e, ok := errors.AsType[*overlayError](err); ok {
		show = s.pub.firstTime("overlay " + e.uri)
	}
	s.tell(kind, show, fmt.Sprintf("%s: %s: %v", s.host.o.Name, method, err))
}

// tell writes a message into the client's log, and shows it to the user if show is set.
func (s *session) tell(kind protocol.MessageType, show bool, message string) {
	_ = s.conn.Notify(protocol.MethodWindowLogMessage, &protocol.LogMessageParams{Type: kind, Message: message}) // fails only at the end
	if show {
		_ = s.conn.Notify(protocol.MethodWindowShowMessage, &protocol.ShowMessageParams{Type: kind, Message: message})
	}
}
