package golang

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// Prototype implements lsp.Language.
func (Language) Prototype() lsp.Workspace { return (*workspace)(nil) }

// Open implements lsp.Language. Unsaved texts that an earlier process left in the engine's store
// are forgotten.
func (Language) Open(ctx context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (lsp.Workspace, error) {
	w, err := open(ctx, eng, root, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func open(ctx context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (*workspace, error) {
	if !filepath.IsAbs(root) || !utf8.ValidString(root) {
		return nil, fmt.Errorf("golang: workspace root %q: not an absolute path in UTF-8", root)
	}
	// The root stays as it was given, symbolic links and all: a client that opened it by one path
	// wants answers in that path, and the go command gives them.
	root = filepath.Clean(root)
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("golang: workspace root: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("golang: workspace root %s is not a directory", root)
	}
	w := &workspace{
		eng: eng, root: root, o: o, log: o.Logger, limits: disk.DefaultFolderLimits, askAfter: askAgainAfter,
		turn: make(chan struct{}, 1), asking: map[string]bool{}, unread: map[string]string{}, opened: map[string][]byte{}, folders: map[string]int{},
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.background, w.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, c := range caches {
		context.AfterFunc(w.background, eng.AddCache(c))
	}
	err = sessions.begin(w, func() error {
		// A workspace over root that was closed may have left some.
		return eng.Commit(ctx, func(c *runtime.Writer) error {
			return errors.Join(overlays.ClearPrefix(c, files.URIPrefix(root)), partition.Judgements.ClearPrefix(c, files.URIPrefix(root)))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("golang: opening workspace %s: %w", root, err)
	}
	// What an earlier process found is still the best guess; else what is above the folder is
	// known.
	snap := eng.Snapshot()
	defer snap.Release()
	if has, err := partition.Watches.Has(snap, root); err != nil && !errors.Is(err, runtime.ErrDamaged) || has {
		return w, err
	}
	return w, w.publishWatches(ctx)
}
