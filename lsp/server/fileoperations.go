package server

import (
	"context"
	"iter"
	"maps"
	"slices"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// fileRenames is workspace/willRenameFiles.
var fileRenames = feature{
	offered: offers[lsp.FileRenamer],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, c capabilities) {
		if c.willRename {
			fileOperations(out).WillRename = anyFile
		}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{protocol.MethodWorkspaceWillRenameFiles: s.willRenameFiles}
	},
}

// anyFile is the filter of what the client tells of: files and directories of any name, because a
// directory takes its files along.
var anyFile = protocol.FileOperationRegistrationOptions{
	Filters: []protocol.FileOperationFilter{{Pattern: protocol.FileOperationPattern{Glob: "**/*"}}},
}

func fileOperations(out *protocol.ServerCapabilities) *protocol.FileOperationOptions {
	if out.Workspace == nil {
		out.Workspace = &protocol.WorkspaceOptions{}
	}
	if out.Workspace.FileOperations == nil {
		out.Workspace.FileOperations = &protocol.FileOperationOptions{}
	}
	return out.Workspace.FileOperations
}

// announceFileEvents says that the server wants to hear of files that the client itself creates,
// renames and deletes: not every client can watch the disk.
func announceFileEvents(out *protocol.ServerCapabilities, c capabilities) {
	if c.didCreate {
		fileOperations(out).DidCreate = anyFile
	}
	if c.didRename {
		fileOperations(out).DidRename = anyFile
	}
	if c.didDelete {
		fileOperations(out).DidDelete = anyFile
	}
}

// willRenameFiles answers what has to change in texts, over all folders.
func (s *session) willRenameFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.RenameFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var renames []lsp.FileRename
	for _, f := range p.Files {
		was, err := s.canonical(uri.URI(f.OldURI))
		if err != nil {
			return dispatch.Done, err
		}
		is, err := s.canonical(uri.URI(f.NewURI))
		if err != nil {
			return dispatch.Done, err
		}
		renames = append(renames, lsp.FileRename{Old: was, New: is})
	}
	roots := s.roots()
	if len(roots) == 0 || len(renames) == 0 {
		return dispatch.Done, nil
	}
	return dispatch.Later(s.answer(r, &question{s: s, root: roots[0]}, lane.RPC3, func(q *question) (any, error) {
		var all lsp.WorkspaceEdit
		for _, q.root = range roots { // each converts with its own texts below
			edit, err := q.root.ws.(lsp.FileRenamer).RenameFiles(q.t, renames)
			if err != nil {
				return nil, err
			}
			if !edit.IsEmpty() {
				all.Files = append(all.Files, edit.Files...)
			}
		}
		if all.IsEmpty() {
			return nil, nil
		}
		q.root = roots[0]
		return q.workspaceEdit(&all)
	})), nil
}

// didCreateFiles, didRenameFiles and didDeleteFiles have files looked at, as events about the
// disk do.
func (s *session) didCreateFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.CreateFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.lookAt(func(yield func(uri.URI) bool) {
		for _, f := range p.Files {
			if !yield(uri.URI(f.URI)) {
				return
			}
		}
	})
	return dispatch.Done, nil
}

func (s *session) didRenameFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.RenameFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.lookAt(func(yield func(uri.URI) bool) {
		for _, f := range p.Files {
			if !yield(uri.URI(f.OldURI)) || !yield(uri.URI(f.NewURI)) {
				return
			}
		}
	})
	return dispatch.Done, nil
}

func (s *session) didDeleteFiles(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DeleteFilesParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.lookAt(func(yield func(uri.URI) bool) {
		for _, f := range p.Files {
			if !yield(uri.URI(f.URI)) {
				return
			}
		}
	})
	return dispatch.Done, nil
}

// lookAt has files looked at that a client names, in the background: events about the disk are in
// no order with the documents. Names of no files are left out.
func (s *session) lookAt(named iter.Seq[uri.URI]) {
	names := make(map[string]struct{})
	for n := range named {
		// A name that the language does not handle may be a directory that came or went.
		if name, err := s.canonical(n); err == nil && isFile(name) {
			names[name] = struct{}{}
		}
		if len(names) > changedMax {
			break // enough for a look at everything
		}
	}
	changed := slices.Collect(maps.Keys(names))
	for _, root := range s.roots() { // a file may matter to several
		root.filesChanged(changed)
	}
}
