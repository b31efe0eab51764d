package server

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// A watcher of files is what a language may be besides a lsp.Language: it says which files
// it wants to hear of, as glob patterns below a root. Without it, all are watched.
type watcher interface{ WatchGlobs() []string }

const watchRegistration = "cytisus-files"

// registerWatchers asks the client to report changed files, if it can. What the client was
// asked before is replaced.
func (s *session) registerWatchers(ctx context.Context) {
	caps := s.agreed.Load().caps
	if !caps.watchFiles {
		if !s.host.o.WatchDisk {
			s.log.Info("server: the client does not watch files; changes on disk are seen when a document is saved or a workspace is indexed")
		}
		return
	}
	s.watching.Lock()
	defer s.watching.Unlock()
	list, err := s.watchers(caps)
	if err != nil {
		s.log.Warn("server: what is to be watched", "err", err)
		return
	}
	raw, err := protocol.Marshal(&protocol.DidChangeWatchedFilesRegistrationOptions{Watchers: list})
	if err != nil {
		s.log.Warn("server: encoding file watchers", "err", err)
		return
	}
	if bytes.Equal(raw, s.watched) {
		return
	}
	if s.watched != nil {
		err = s.conn.Call(ctx, protocol.MethodClientUnregisterCapability, &protocol.UnregistrationParams{Unregisterations: []protocol.Unregistration{
			{ID: watchRegistration, Method: protocol.MethodWorkspaceDidChangeWatchedFiles},
		}}, nil)
		if s.watched = nil; err != nil && ctx.Err() == nil {
			s.log.Warn("server: the client does not stop to watch files", "err", err)
		}
	}
	if len(list) == 0 {
		return
	}
	err = s.conn.Call(ctx, protocol.MethodClientRegisterCapability, &protocol.RegistrationParams{Registrations: []protocol.Registration{
		{ID: watchRegistration, Method: protocol.MethodWorkspaceDidChangeWatchedFiles, RegisterOptions: raw},
	}}, nil)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("server: the client refuses to watch files", "err", err)
		return
	}
	s.watched = raw
}

// watchers lists what the client is to report: changes in its folders, and elsewhere as far
// as workspaces ask for them.
func (s *session) watchers(caps capabilities) ([]protocol.FileSystemWatcher, error) {
	globs := s.host.watchGlobs()
	var list []protocol.FileSystemWatcher
	add := func(prefix string, globs []string) {
		one := func(glob string, kind protocol.WatchKind) {
			var pattern protocol.GlobPattern = protocol.Pattern(path.Join(uri.URI(prefix).Path(), glob))
			if caps.relativePatterns {
				pattern = &protocol.RelativePattern{BaseURI: protocol.URI(strings.TrimSuffix(prefix, "/")), Pattern: protocol.Pattern(glob)}
			}
			list = append(list, protocol.FileSystemWatcher{GlobPattern: pattern, Kind: kind})
		}
		deep := false
		for _, glob := range globs {
			one(glob, 0) // of every kind
			deep = deep || strings.HasPrefix(glob, "**/")
		}
		if deep { // a directory takes its files along: editors may report it alone
			one("**/*", protocol.WatchKindDelete)
		}
	}
	snap := s.host.eng.Snapshot()
	defer snap.Release()
	var seen []string
	for _, f := range s.folderList() {
		if !slices.Contains(seen, f.named) {
			add(f.named, globs)
			seen = append(seen, f.named)
		}
	}
	for _, r := range s.roots() {
		elsewhere, err := partition.Watches.Get(snap, r.ws.Root())
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		for _, w := range elsewhere {
			prefix := string(s.foreign(dirURI(w.Dir)))
			fresh := slices.DeleteFunc(slices.Clone(w.Globs), func(glob string) bool {
				return slices.Contains(seen, prefix) && slices.Contains(globs, glob)
			})
			if len(fresh) > 0 {
				add(prefix, fresh)
			}
		}
	}
	return list, nil
}

// watchGlobs are the patterns of the files that the language wants to hear of.
func (h *Host) watchGlobs() []string {
	if w, ok := h.lang.(watcher); ok {
		return w.WatchGlobs()
	}
	return []string{"**/*"}
}

// watchesChanged is the watcher on the partition of watches.
func (h *Host) watchesChanged(*runtime.Task, runtime.Changes) error {
	for _, r := range h.openRoots() {
		r.rewatchDisk()
	}
	for _, s := range h.allSessions() {
		if s.live.Load() {
			s.begin(s.registerWatchers)
		}
	}
	return nil
}

// didChangeWatchedFiles has files looked at.
func (s *session) didChangeWatchedFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidChangeWatchedFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.lookAt(func(yield func(uri.URI) bool) {
		for _, c := range p.Changes {
			if !yield(c.URI) {
				return
			}
		}
	})
	return dispatch.Done, nil
}
