package oracle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// A subject is an engine with a workspace over a world.
type subject struct {
	t     testing.TB
	world *world
	eng   *runtime.Engine
	ws    lsp.Workspace
	moved chan struct{} // has a value when diagnostics were published since it was last received from
	stop  func()        // ends the watch
	last  string        // what was right when it was last compared
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t testing.TB, w *world, store string) *subject {
	t.Helper()
	s := &subject{t: t, world: w, moved: make(chan struct{}, 1)}
	var err error
	s.eng, err = runtime.Open(store, runtime.Options{Workers: 2, Logger: quiet, SegmentBytes: 4 << 20, CollectEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	s.stop, err = s.eng.Watch(partition.Diagnostics.Untyped(), runtime.All(), func(*runtime.Task, runtime.Changes) error {
		select {
		case s.moved <- struct{}{}:
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"}
	s.ws, err = golang.Language{}.Open(t.Context(), s.eng, w.root, lsp.WorkspaceOptions{Env: env, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(w.unsaved)) {
		if err := s.ws.SetOverlay(t.Context(), w.uri(path), []byte(w.unsaved[path].render())); err != nil {
			t.Fatal(err)
		}
	}
	s.index()
	return s
}

func (s *subject) close() {
	s.t.Helper()
	if s.eng == nil {
		return
	}
	ctx := context.WithoutCancel(s.t.Context())
	s.stop()
	if err := errors.Join(s.ws.Close(), s.eng.Close(ctx)); err != nil {
		s.t.Error(err)
	}
	s.eng = nil
}

func (s *subject) index() {
	s.t.Helper()
	if _, err := s.ws.Index(s.t.Context(), nil); err != nil {
		s.t.Fatal(err)
	}
}

// tell passes an edit on.
func (s *subject) tell(e edit) {
	s.t.Helper()
	ctx, uri := s.t.Context(), s.world.uri(e.path)
	var err error
	switch {
	case e.set:
		err = s.ws.SetOverlay(ctx, uri, []byte(s.world.unsaved[e.path].render()))
	case e.clear:
		err = s.ws.ClearOverlay(ctx, uri)
	default:
		err = s.ws.FilesChanged(ctx, []string{uri})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// published is everything that clients are told, in order.
func (s *subject) published() string {
	s.t.Helper()
	snap := s.eng.Snapshot()
	defer snap.Release()
	var b strings.Builder
	uris, err := partition.Files(snap, "")
	for _, uri := range uris {
		list, e := partition.FileDiagnostics(snap, uri)
		err = errors.Join(err, e)
		s.describe(&b, "published", uri, list)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func (s *subject) describe(b *strings.Builder, what, uri string, list []lsp.Diagnostic) {
	for _, d := range list {
		fmt.Fprintf(b, "%s %s: %+v\n", what, s.short(uri), d)
	}
}

// short leaves the root out of a text.
func (s *subject) short(text string) string { return strings.ReplaceAll(text, s.world.uri(""), "") }

// A question is a place in a file.
type question struct {
	path   string
	offset int
}

// answers asks everything and writes it down.
func (s *subject) answers(places []question) string {
	s.t.Helper()
	var b strings.Builder
	err := s.eng.Submit(s.t.Context(), 0, func(t *runtime.Task) error {
		b.Reset()
		for _, path := range s.world.paths() {
			uri := s.world.uri(path)
			text, err := s.ws.Text(t, uri)
			fmt.Fprintf(&b, "text of %s: %q %v\n", path, text, err)
			list, err := s.ws.Diagnostics(t, uri)
			fmt.Fprintf(&b, "diagnostics of %s: %v\n", path, err)
			s.describe(&b, "computed", uri, list)
			outline, err := s.ws.Symbols(t, uri)
			fmt.Fprintf(&b, "outline of %s: %+v %v\n", path, outline, err)
		}
		found, err := s.ws.FindSymbols(t, "f1", 50)
		fmt.Fprintf(&b, "search: %+v %v\n", found, err)
		for _, q := range places {
			uri := s.world.uri(q.path)
			where, err := s.ws.Definition(t, uri, q.offset)
			fmt.Fprintf(&b, "definition at %s:%d: %+v %v\n", q.path, q.offset, where, err)
			h, err := s.ws.Hover(t, uri, q.offset)
			fmt.Fprintf(&b, "hover at %s:%d: %+v %v\n", q.path, q.offset, h, err)
			refs, err := s.ws.References(t, uri, q.offset, true)
			fmt.Fprintf(&b, "references at %s:%d: %+v %v\n", q.path, q.offset, refs, err)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.short(b.String())
}
