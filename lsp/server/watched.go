package server

import (
	"context"
	"path"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// A watcher of files is what a language may be besides a lsp.Language: it says which files
// it wants to hear of, as glob patterns below a root. Without it, all are watched.
type watcher interface{ WatchGlobs() []string }

const watchRegistration = "cytisus-files"

// registerWatchers asks the client to report changed files, if it can.
func (s *session) registerWatchers(ctx context.Context) {
	caps := s.agreed.Load().caps
	if !caps.watchFiles {
		s.log.Info("server: the client does not watch files; changes on disk are seen when a document is saved or a workspace is indexed")
		return
	}
	globs := []string{"**/*"}
	if w, ok := s.host.lang.(watcher); ok {
		globs = w.WatchGlobs()
	}
	var options protocol.DidChangeWatchedFilesRegistrationOptions
	add := func(f *folder, glob string, kind protocol.WatchKind) {
		var pattern protocol.GlobPattern = protocol.Pattern(path.Join(uri.URI(f.prefix).Path(), glob))
		if caps.relativePatterns {
			pattern = &protocol.RelativePattern{BaseURI: protocol.URI(strings.TrimSuffix(f.prefix, "/")), Pattern: protocol.Pattern(glob)}
		}
		options.Watchers = append(options.Watchers, protocol.FileSystemWatcher{GlobPattern: pattern, Kind: kind})
	}
	for _, f := range s.folderList() {
		for _, glob := range globs {
			add(f, glob, 0) // of every kind
		}
		// A directory takes its files along: editors may report it alone.
		add(f, "**/*", protocol.WatchKindDelete)
	}
	if len(options.Watchers) == 0 {
		return
	}
	raw, err := protocol.Marshal(&options)
	if err != nil {
		s.log.Warn("server: encoding file watchers", "err", err)
		return
	}
	err = s.conn.Call(ctx, protocol.MethodClientRegisterCapability, &protocol.RegistrationParams{Registrations: []protocol.Registration{
		{ID: watchRegistration, Method: protocol.MethodWorkspaceDidChangeWatchedFiles, RegisterOptions: raw},
	}}, nil)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("server: the client refuses to watch files", "err", err)
	}
}

// didChangeWatchedFiles has files looked at, in the background: events about the disk are
// in no order with the documents.
func (s *session) didChangeWatchedFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidChangeWatchedFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	byRoot := make(map[*root][]string)
	for _, c := range p.Changes {
		name, err := s.canonical(c.URI)
		if err != nil {
			continue
		}
		// A name that the language does not handle may be a directory that came or went.
		if root := s.rootOf(name); root != nil && strings.HasPrefix(name, root.prefix) {
			byRoot[root] = append(byRoot[root], name)
		}
	}
	for root, names := range byRoot {
		root.filesChanged(names)
	}
	return dispatch.Done, nil
}
