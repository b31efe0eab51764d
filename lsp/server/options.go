package server

import (
	"log/slog"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/profile"
)

// Options of a host. The zero value is ready for use.
type Options struct {
	// Name and Version are what clients are told of the server. An empty Name is "cytisus".
	Name, Version string

	// Root is the directory that sessions work on when they name none.
	Root string

	// Workspace is how workspaces are opened.
	Workspace lsp.WorkspaceOptions

	// NoIndex keeps a session from indexing its workspaces when it begins; answers then come
	// on demand only. A client can ask for the same with {"noIndex": true}.
	NoIndex bool

	// WatchDisk has the host find out by itself what changes on the disk below a workspace, as
	// long as a client that does not report changed files has it indexed.
	WatchDisk bool

	// RefreshInterval is the least time between two requests to a client to pull its
	// diagnostics again. Zero means 200 ms.
	RefreshInterval time.Duration

	// ProgressInterval is the least time between two reports of one progress token. Zero
	// means 100 ms.
	ProgressInterval time.Duration

	// MaxDocumentBytes is the largest document a client may open. Zero means lsp.MaxFileBytes.
	MaxDocumentBytes int

	// Dispatch bounds what one connection may use. Lifecycle, Logger, OnAnswer and OnError are
	// set by the server.
	Dispatch dispatch.Options

	// StoreFailed, if set, is asked about every error of the engine. It returns true for one
	// that says that the engine's store is of no use any more, and then has ended, or is about
	// to end, the contexts of all sessions. Dispatch.HangUp should be set beside it.
	StoreFailed func(err error) bool

	// Flight, if not nil, is told how long each request of an editor took. It is closed by whoever
	// made it, after the host.
	Flight *profile.Flight

	// Logger receives what no client is told. Nil discards.
	Logger *slog.Logger
}

func (o Options) filled() Options {
	if o.Name == "" {
		o.Name = "cytisus"
	}
	if o.RefreshInterval <= 0 {
		o.RefreshInterval = 200 * time.Millisecond
	}
	if o.ProgressInterval <= 0 {
		o.ProgressInterval = 100 * time.Millisecond
	}
	if o.MaxDocumentBytes <= 0 {
		o.MaxDocumentBytes = lsp.MaxFileBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Workspace.Logger == nil {
		o.Workspace.Logger = o.Logger
	}
	return o
}
