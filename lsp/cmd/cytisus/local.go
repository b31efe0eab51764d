package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"time"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A local answers over an engine of its own.
type local struct {
	eng   *runtime.Engine
	ws    lsp.Workspace // nil while only the engine is open
	dir   string
	store string     // "" for --memory
	trace *traceFile // nil: none
}

// storeOf returns the root of the workspace around a file or directory and the directory of its
// store.
func (a *app) storeOf(from string) (root, store string, err error) {
	root = a.flags.root
	if root == "" {
		root = from
	}
	if root, err = workspaceRoot(root); err != nil {
		return "", "", err
	}
	switch {
	case a.flags.memory:
	case a.flags.store != "":
		store = a.flags.store
	default:
		store, err = storeDir(root)
	}
	return root, store, err
}

// openLocal opens the store and the workspace around a file or directory.
func (a *app) openLocal(ctx context.Context, from, what string) (*local, error) {
	root, store, err := a.storeOf(from)
	if err != nil {
		return nil, err
	}
	l, err := a.openEngine(root, store, what)
	if err != nil {
		return nil, err
	}
	if err := l.openWorkspace(ctx, a); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// openWorkspace opens the workspace over the store.
func (l *local) openWorkspace(ctx context.Context, a *app) (err error) {
	l.ws, err = golang.Language{}.Open(ctx, l.eng, l.dir, lsp.WorkspaceOptions{Tests: a.flags.tests, BuildTags: a.flags.tags, Logger: a.logger()})
	return err
}

// openEngine opens the store alone.
func (a *app) openEngine(root, store, what string) (_ *local, err error) {
	if store != "" && !a.onlyLooks {
		if err := os.MkdirAll(store, 0o700); err != nil {
			return nil, &storeError{fmt.Errorf("making the store's directory: %w", err)}
		}
	}
	workers := a.flags.workers
	if workers == 0 {
		workers = usableCPUs()
	}
	// The process is all engine: a thread for each CPU to compute, one beside each for what is more
	// urgent, and one for everything else.
	if procs := sched.Processors(workers); goruntime.GOMAXPROCS(0) < procs {
		goruntime.GOMAXPROCS(procs)
	}
	// Indexing makes garbage at a high rate on a small live heap: nearly a third of its time went
	// to Go's collector.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	l := &local{dir: root, store: store}
	o := runtime.Options{
		Workers: workers, StallAfter: stallAfter, MemoryLimit: int64(a.flags.memMax.byteSize), DiskLimit: int64(a.flags.diskMax), Sync: mmapcas.SyncMode(a.flags.sync), Holder: "cytisus " + what, MustExist: a.onlyLooks && store != "", Logger: a.logger(),
	}
	o.LimitGo = os.Getenv("GOMEMLIMIT") == "" // who sets that knows better
	if a.flags.trace != "" {
		if l.trace, err = openTrace(a.flags.trace); err != nil {
			return nil, err
		}
		o.Trace = l.trace.add
	}
	if l.eng, err = runtime.Open(store, o); err == nil {
		return l, nil
	}
	if errors.Is(err, runtime.ErrNoStore) {
		err = noStoreError(store)
	} else {
		err = &storeError{err}
	}
	return nil, errors.Join(err, l.trace.close())
}

// usableCPUs is how many processors the process was given: a mask or a quota may leave it fewer
// than the machine has. Tests replace it.
var usableCPUs = affinity.Usable

// gcPercent is twice Go's default.
const gcPercent = 200

// stallAfter is when work that does not move is worth a line on standard error.
const stallAfter = 20 * time.Second

// closeAfter is how long a command waits for its engine to write what is left.
const closeAfter = 30 * time.Second

func (l *local) close() error {
	var err error
	if l.ws != nil {
		err = l.ws.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeAfter)
	defer cancel()
	return errors.Join(err, l.eng.Close(ctx), l.trace.close())
}

func (l *local) root() string { return l.dir }

// refresh looks at the disk. Questions after it compute what they need and no more, and see the
// disk as it was then.
func (l *local) refresh(ctx context.Context) error {
	return l.ws.FilesChanged(ctx, []string{string(uri.File(l.ws.Root()))})
}

// asAt answers as a task, with the text and the offset of a place.
func asAt[T any](
	ctx context.Context, l *local, p place, name string, fn func(t *runtime.Task, file string, offset int) (T, error),
) (T, error) {
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) (none T, err error) {
		file := string(uri.File(p.file))
		text, err := l.ws.Text(t, file)
		if err != nil {
			return none, err
		}
		offset, err := p.offset(text)
		if err != nil {
			return none, err
		}
		return fn(t, file, offset)
	}, runtime.Named(name))
}

func (l *local) definition(ctx context.Context, p place) ([]found, error) {
	return asAt(ctx, l, p, "definition", func(t *runtime.Task, file string, offset int) ([]found, error) {
		locs, err := l.ws.Definition(t, file, offset)
		if err != nil {
			return nil, err
		}
		return l.places(t, locs)
	})
}

func (l *local) references(ctx context.Context, p place, declaration bool) ([]found, error) {
	return asAt(ctx, l, p, "references", func(t *runtime.Task, file string, offset int) ([]found, error) {
		locs, err := l.ws.References(t, file, offset, declaration)
		if err != nil {
			return nil, err
		}
		return l.places(t, locs)
	})
}

func (l *local) hover(ctx context.Context, p place) (*described, error) {
	return asAt(ctx, l, p, "hover", func(t *runtime.Task, file string, offset int) (*described, error) {
		h, err := l.ws.Hover(t, file, offset)
		if err != nil {
			return nil, err
		}
		signature, doc := cutDeclaration(h.Plain())
		return &described{Signature: signature, Doc: doc}, nil
	})
}

func (l *local) symbols(ctx context.Context, pattern string, limit int) ([]foundSymbol, error) {
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) (out []foundSymbol, err error) {
		matches, err := l.ws.FindSymbols(t, pattern, limit)
		if err != nil {
			return nil, err
		}
		files := newLines(l.ws, t)
		for _, m := range matches {
			at, err := files.place(m.Location)
			if err != nil {
				return nil, err
			}
			out = append(out, foundSymbol{Name: m.Name, Kind: m.Kind.String(), Container: m.Container, Place: at})
		}
		return out, nil
	}, runtime.Named("symbols"))
}

func (l *local) outline(ctx context.Context, file string) ([]outlined, error) {
	return runtime.Evaluate(ctx, l.eng, lane.RPC0, func(t *runtime.Task) ([]outlined, error) {
		symbols, err := l.ws.Symbols(t, string(uri.File(file)))
		if err != nil {
			return nil, err
		}
		return outlines(newLines(l.ws, t), string(uri.File(file)), symbols)
	}, runtime.Named("outline"))
}

func outlines(files *lines, file string, symbols []lsp.Symbol) ([]outlined, error) {
	var out []outlined
	for _, s := range symbols {
		at, err := files.place(lsp.Location{URI: file, Span: s.NameSpan})
		if err != nil {
			return nil, err
		}
		children, err := outlines(files, file, s.Children)
		if err != nil {
			return nil, err
		}
		out = append(out, outlined{Name: s.Name, Detail: s.Detail, Kind: s.Kind.String(), Place: at, Children: children})
	}
	return out, nil
}

func (l *local) places(t *runtime.Task, locs []lsp.Location) ([]found, error) {
	files := newLines(l.ws, t)
	out := make([]found, 0, len(locs))
	for _, loc := range locs {
		at, err := files.place(loc)
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, nil
}

// lines turns spans into lines and columns, remembering where the lines of a file begin.
type lines struct {
	ws    lsp.Workspace
	t     *runtime.Task
	texts map[string]*lineTable
}

type lineTable struct {
	text   []byte
	starts []int
}

func newLines(ws lsp.Workspace, t *runtime.Task) *lines {
	return &lines{ws: ws, t: t, texts: map[string]*lineTable{}}
}

func (ls *lines) table(file string) (*lineTable, error) {
	if lt, ok := ls.texts[file]; ok {
		return lt, nil
	}
	text, err := ls.ws.Text(ls.t, file)
	if err != nil {
		return nil, err
	}
	lt := &lineTable{text: text, starts: []int{0}}
	for i, c := range text {
		if c == '\n' {
			lt.starts = append(lt.starts, i+1)
		}
	}
	ls.texts[file] = lt
	return lt, nil
}

func (ls *lines) place(loc lsp.Location) (found, error) {
	lt, err := ls.table(loc.URI)
	if err != nil {
		return found{}, err
	}
	f := found{File: filename(loc.URI)}
	f.Line, f.Column = lt.position(loc.Span.Start)
	f.EndLine, f.EndColumn = lt.position(loc.Span.End)
	f.Text = lt.line(f.Line)
	return f, nil
}

func (lt *lineTable) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(lt.text))
	lo, hi := 0, len(lt.starts)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; lt.starts[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1, offset - lt.starts[lo] + 1
}

func (lt *lineTable) line(n int) string {
	rest := lt.text[lt.starts[n-1]:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return strings.TrimSpace(string(rest))
}

// filename is the path that a file URI names, or the URI itself if it names no file.
func filename(u string) string {
	parsed, err := uri.Parse(u)
	if err != nil || !strings.HasPrefix(u, "file://") {
		return u
	}
	return parsed.FsPath()
}
