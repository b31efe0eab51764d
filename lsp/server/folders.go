package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
)

// workspaceFolders returns the directories a client asks for: its folders, or its root in
// one of the two old ways, or else the host's.
func workspaceFolders(p *protocol.InitializeParams, fallback string) []string {
	var dirs []string
	if folders, ok := p.WorkspaceFolders.Get(); ok {
		for _, f := range folders {
			if dir, ok, _ := directoryOf(f.URI); ok { // others are no business of a server of files
				dirs = append(dirs, dir)
			}
		}
	}
	if len(dirs) > 0 {
		return dirs
	}
	//lint:ignore SA1019 clients without folders name their root here
	if u := p.RootURI; u != nil {
		if dir, ok, _ := directoryOf(*u); ok {
			return []string{dir}
		}
	}
	//lint:ignore SA1019 and the oldest ones here
	if path, ok := p.RootPath.Get(); ok && path != "" {
		return []string{path}
	}
	if fallback != "" {
		return []string{fallback}
	}
	return nil
}

// RootOf returns the directory that the parameters of an initialize request are about, ""
// if they name none or are malformed. A command uses it to choose the store to open before
// it serves.
func RootOf(initializeParams []byte) string {
	var p protocol.InitializeParams
	if protocol.Unmarshal(initializeParams, &p) != nil {
		return ""
	}
	if dirs := workspaceFolders(&p, ""); len(dirs) > 0 {
		return filepath.Clean(dirs[0])
	}
	return ""
}

// openFolders opens the session's first folders. The client is told, when it may be, of those
// that cannot be opened: a session without them is worth more than none. It is an error only
// if the host itself has come to its end.
func (s *session) openFolders(ctx context.Context, dirs []string) error {
	for _, dir := range dirs {
		_, err := s.openFolder(ctx, dir)
		if closed(err) || s.host.storeFailed(err) {
			return err
		}
		if err != nil {
			s.unopened = append(s.unopened, fmt.Sprintf("%s: %s is not open, nothing in it is answered: %v", s.host.o.Name, dir, err))
		}
	}
	return nil
}

// openFolder adds a folder to the session; one that it has already is returned.
func (s *session) openFolder(ctx context.Context, dir string) (*folder, error) {
	r, err := s.host.acquire(ctx, dir)
	if err != nil {
		return nil, err
	}
	f := &folder{root: r, prefix: r.prefix, named: dirURI(dir)}
	f.within = f.named
	if !strings.HasPrefix(f.named, r.prefix) && strings.HasPrefix(f.named, r.given) {
		f.prefix, f.within = r.given, r.prefix+strings.TrimPrefix(f.named, r.given)
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.folders, func(old *folder) bool { return *old == *f })
	if i < 0 {
		s.folders = append(slices.Clip(s.folders), f)
		s.mu.Unlock()
		r.include(f, true)
		return f, nil
	}
	old := s.folders[i]
	s.mu.Unlock()
	s.host.release(r)
	return old, nil
}

// didChangeWorkspaceFolders adds and removes folders.
func (s *session) didChangeWorkspaceFolders(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidChangeWorkspaceFoldersParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var problems []error
	for _, f := range p.Event.Removed {
		problems = append(problems, s.closeFolder(ctx, f.URI))
	}
	for _, f := range p.Event.Added {
		dir, ok, err := directoryOf(f.URI)
		if !ok {
			problems = append(problems, err)
			continue // without an error it is no business of a server of files
		}
		opened, err := s.openFolder(ctx, dir)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, d := range s.documentsIn(opened) { // they may have been another folder's
			problems = append(problems, s.putOverlay(ctx, d))
		}
		s.enterFolder(opened)
	}
	s.begin(s.registerWatchers)
	return dispatch.Done, errors.Join(problems...)
}

// documentsIn returns the documents that the client has open in a folder.
func (s *session) documentsIn(f *folder) []*document.Document {
	return slices.DeleteFunc(s.agreed.Load().docs.All(), func(d *document.Document) bool {
		return !strings.HasPrefix(d.URI(), f.within)
	})
}

// closeFolder takes a folder from the session, with what was published of it and with the
// texts of documents that are open in it.
func (s *session) closeFolder(ctx context.Context, u uri.URI) error {
	dir, ok, err := directoryOf(u)
	if !ok {
		return err
	}
	prefix := dirURI(dir)
	s.mu.Lock()
	i := slices.IndexFunc(s.folders, func(f *folder) bool { return f.named == prefix })
	if i < 0 {
		s.mu.Unlock()
		return nil
	}
	gone := s.folders[i]
	s.folders = slices.Delete(slices.Clone(s.folders), i, i+1)
	s.mu.Unlock()
	var problems []error
	for _, d := range s.documentsIn(gone) {
		if !s.shows(d.URI()) {
			problems = append(problems, s.host.overlays.clear(ctx, s.id, d.URI()))
		}
	}
	s.pub.retract(gone)
	gone.root.include(gone, false)
	s.host.release(gone.root)
	return errors.Join(problems...)
}
