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

// A namedFolder is a folder as the client writes it. The protocol library's own type is not used:
// it completes what is written, and reads an empty URI as that of the root of all files.
type namedFolder struct {
	URI string `json:"uri"`
}

// path is the path of the folder; ok is false if the name is no file's.
func (f namedFolder) path() (dir string, ok bool, err error) { return directoryOf(uri.URI(f.URI)) }

// workspaceFolders returns the directories that the parameters of initialize ask for: the client's
// folders, or its root in one of the two old ways, or else the host's.
func workspaceFolders(params []byte, fallback string) ([]string, error) {
	var p struct {
		WorkspaceFolders []namedFolder `json:"workspaceFolders"`
		RootURI          string        `json:"rootUri"`
		RootPath         string        `json:"rootPath"`
	}
	if err := protocol.Unmarshal(params, &p); err != nil {
		return nil, err
	}
	var dirs []string
	for _, f := range p.WorkspaceFolders {
		if dir, ok, _ := f.path(); ok { // others are no business of a server of files
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) > 0 {
		return dirs, nil
	}
	if dir, ok, _ := (namedFolder{p.RootURI}).path(); ok { // of clients without folders
		return []string{dir}, nil
	}
	for _, dir := range []string{p.RootPath, fallback} { // of the oldest clients, and of none
		if dir != "" {
			return []string{dir}, nil
		}
	}
	return nil, nil
}

// RootOf returns the directory that the parameters of an initialize request are about, ""
// if they name none or are malformed. A command uses it to choose the store to open before
// it serves.
func RootOf(initializeParams []byte) string {
	dirs, err := workspaceFolders(initializeParams, "")
	if err != nil || len(dirs) == 0 {
		return ""
	}
	return filepath.Clean(dirs[0])
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
	var p struct {
		Event struct {
			Added   []namedFolder `json:"added"`
			Removed []namedFolder `json:"removed"`
		} `json:"event"`
	}
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var problems []error
	for _, f := range p.Event.Removed {
		problems = append(problems, s.closeFolder(ctx, f))
	}
	for _, f := range p.Event.Added {
		dir, ok, err := f.path()
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
	s.configure()
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
func (s *session) closeFolder(ctx context.Context, named namedFolder) error {
	dir, ok, err := named.path()
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
