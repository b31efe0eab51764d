package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// The fake language: words in files called *.txt. "def name" declares a name, an indented
// one belongs to the declaration above it; a use of a name that nobody declares is wrong.
// Its disk is a map.
type fakeLanguage struct {
	mu       sync.Mutex
	disk     map[string]string // guarded by mu: path to text
	settling chan struct{}     // if set, Settle waits for it
	gate     chan struct{}     // if set, Index waits for it after its first step
	stuck    chan struct{}     // if set, Definition waits for it, or for its task's end, first
	opens    atomic.Int32
	full     atomic.Bool   // SetOverlay fails
	seen     chan []string // if set, what FilesChanged is told
	began    chan struct{} // if set, told when a Definition is stuck
	ended    chan error    // if set, how a Definition that was stuck ended

	missing     []string // of each Index
	settings    []string // guarded by mu: what Configure was given; "wrong" in it is an error
	overlaysSet atomic.Int32

	judging   func(t *runtime.Task) error              // if set, called by Diagnostics of an open document first
	outlining func(t *runtime.Task, name string) error // if set, called by Symbols first
	late      *lsp.Diagnostic                          // if set, workspaces have it in full diagnostics alone
	outline   func(text string) []lsp.Symbol           // if set, workspaces are outliners

	formatting func() // if set, called while a text is laid out
}

func newFake(files ...string) *fakeLanguage {
	l := &fakeLanguage{disk: map[string]string{}}
	for i := 0; i < len(files); i += 2 {
		l.disk[files[i]] = files[i+1]
	}
	return l
}

var errFull = errors.New("the disk is full")

func (l *fakeLanguage) write(path, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disk[path] = text
}

func (l *fakeLanguage) read(path string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, ok := l.disk[path]
	return text, ok
}

func (l *fakeLanguage) ID() string               { return "words" }
func (l *fakeLanguage) Handles(name string) bool { return strings.HasSuffix(name, ".txt") }
func (l *fakeLanguage) Prototype() lsp.Workspace { return (*fakeWorkspace)(nil) }
func (l *fakeLanguage) WatchGlobs() []string     { return []string{"**/*.txt"} }

func (l *fakeLanguage) Open(_ context.Context, eng *runtime.Engine, root string, _ lsp.WorkspaceOptions) (lsp.Workspace, error) {
	if strings.Contains(root, "missing") {
		return nil, fmt.Errorf("no such directory")
	}
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved
	}
	l.opens.Add(1)
	w := &fakeWorkspace{lang: l, eng: eng, root: root}
	w.end, w.stop = context.WithCancel(context.Background())
	if l.outline != nil {
		return &outliningWorkspace{w}, nil
	}
	if l.late != nil {
		return &lateWorkspace{w}, nil
	}
	return w, nil
}

var (
	fakeDisk    = runtime.NewPartition[string]("fake/disk")
	fakeOverlay = runtime.NewPartition[string]("fake/overlay")

	wordPattern = regexp.MustCompile(`[\pL\d]+`)

	fakeText = runtime.NewQuery("fake/text", 1, func(t *runtime.Task, name string) (string, error) {
		if ok, err := fakeOverlay.Has(t, name); err != nil || ok {
			if err != nil {
				return "", err
			}
			return fakeOverlay.Get(t, name)
		}
		return fakeDisk.Get(t, name)
	})

	// fakeUses lists the words of a file.
	fakeUses = runtime.NewQuery("fake/uses", 1, func(t *runtime.Task, name string) ([]fakeWord, error) {
		text, err := fakeText.Get(t, name)
		if err != nil {
			return nil, err
		}
		var out []fakeWord
		defines := false
		for _, at := range wordPattern.FindAllStringIndex(text, -1) {
			word := text[at[0]:at[1]]
			if word == "def" {
				defines = true
				continue
			}
			start := strings.LastIndexByte(text[:at[0]], '\n') + 1
			out = append(out, fakeWord{Name: word, Start: at[0], End: at[1], Defines: defines, Line: start, Nested: defines && text[start] == ' '})
			defines = false
		}
		return out, nil
	})
)

type fakeWord struct {
	Name            string
	Start, End      int
	Line            int // where the line begins
	Defines, Nested bool
}

func (w fakeWord) span() lsp.Span { return lsp.Span{Start: w.Start, End: w.End} }

type fakeWorkspace struct {
	lang *fakeLanguage
	eng  *runtime.Engine
	root string
	end  context.Context
	stop context.CancelFunc

	publishing sync.Mutex

	mu     sync.Mutex
	tasks  sync.WaitGroup
	closed bool
}

func (w *fakeWorkspace) Root() string { return w.root }

func (w *fakeWorkspace) Settle(ctx context.Context) error {
	if w.lang.settling == nil {
		return nil
	}
	select {
	case <-w.lang.settling:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *fakeWorkspace) inside(path string) bool { return strings.HasPrefix(path, w.root+"/") }

func (w *fakeWorkspace) Index(ctx context.Context, progress func(lsp.Progress)) (lsp.Summary, error) {
	progress(lsp.Progress{Phase: "scan"})
	if w.lang.gate != nil {
		select {
		case <-w.lang.gate:
		case <-ctx.Done():
			return lsp.Summary{}, ctx.Err()
		}
	}
	sum := lsp.Summary{Units: 1, Unit: "packages", Missing: w.lang.missing}
	w.lang.mu.Lock()
	err := w.eng.Commit(ctx, func(c *runtime.Writer) error {
		for path, text := range w.lang.disk {
			if !w.inside(path) {
				continue
			}
			sum.Files++
			if err := fakeDisk.Put(c, string(uri.File(path)), text); err != nil {
				return err
			}
		}
		return nil
	})
	w.lang.mu.Unlock()
	if err != nil {
		return sum, err
	}
	progress(lsp.Progress{Phase: "check", UnitsDone: 1, UnitsTotal: 2, Unit: "packages"})
	return sum, w.publish(ctx)
}

// publish writes the diagnostics of all files.
func (w *fakeWorkspace) publish(ctx context.Context) error {
	w.publishing.Lock() // so that the last one is of the newest state
	defer w.publishing.Unlock()
	return w.eng.Submit(ctx, 0, func(t *runtime.Task) error {
		names, err := w.files(t)
		if err != nil {
			return err
		}
		found := map[string][]lsp.Diagnostic{}
		for _, name := range names {
			if found[name], err = w.Diagnostics(t, name); err != nil {
				return err
			}
		}
		judged := map[string]partition.Judgement{}
		for _, name := range names {
			if open, err := fakeOverlay.Has(t, name); err != nil {
				return err
			} else if open {
				digest, err := w.Digest(t, name)
				if err != nil {
					return err
				}
				judged[name] = partition.Judgement{Text: digest, Said: partition.DigestOf(found[name])}
			}
		}
		return t.Commit(func(c *runtime.Writer) error {
			for _, name := range names {
				if err := partition.ReplaceDiagnostics(c, name, found[name]); err != nil {
					return err
				}
			}
			for name, j := range judged {
				if err := partition.Judgements.Put(c, name, j); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (w *fakeWorkspace) files(t *runtime.Task) ([]string, error) {
	names, err := fakeDisk.Keys(t, runtime.Prefix(dirURI(w.root)))
	if err != nil {
		return nil, err
	}
	more, err := fakeOverlay.Keys(t, runtime.Prefix(dirURI(w.root)))
	names = append(names, more...)
	slices.Sort(names)
	return slices.Compact(names), err
}

// later publishes in the background, as a language does after a change of inputs.
func (w *fakeWorkspace) later() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.tasks.Go(func() { _ = w.publish(w.end) }) // fails only when the test ends
	}
}

func (w *fakeWorkspace) SetOverlay(ctx context.Context, name string, text []byte) error {
	if !strings.HasPrefix(name, "file://") {
		return &lsp.FileError{URI: name, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	if w.lang.full.Load() {
		return errFull
	}

	w.lang.overlaysSet.Add(1)
	err := w.eng.Commit(ctx, func(c *runtime.Writer) error { return fakeOverlay.Put(c, name, string(text)) })
	if !strings.Contains(string(text), "quiet") {
		w.later()
	}
	return err
}

func (w *fakeWorkspace) ClearOverlay(ctx context.Context, name string) error {
	defer w.later()
	return w.eng.Commit(ctx, func(c *runtime.Writer) error { return fakeOverlay.Delete(c, name) })
}

func (w *fakeWorkspace) FilesChanged(ctx context.Context, names []string) error {
	err := w.eng.Commit(ctx, func(c *runtime.Writer) error {
		for _, name := range names {
			text, ok := w.lang.read(uri.URI(name).FsPath())
			if !ok {
				if err := fakeDisk.Delete(c, name); err != nil {
					return err
				}
			} else if err := fakeDisk.Put(c, name, text); err != nil {
				return err
			}
		}
		return nil
	})
	if w.lang.seen != nil {
		w.lang.seen <- names
	}
	w.later()
	return err
}

func (w *fakeWorkspace) Text(t *runtime.Task, name string) ([]byte, error) {
	text, err := fakeText.Get(t, name)
	if err != nil {
		return nil, &lsp.FileError{URI: name, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return []byte(text), nil
}

func (w *fakeWorkspace) Digest(t *runtime.Task, name string) (lsp.Digest, error) {
	text, err := w.Text(t, name)
	return lsp.DigestOf(text), err
}

func (w *fakeWorkspace) words(t *runtime.Task) (map[string][]fakeWord, []string, error) {
	names, err := w.files(t)
	if err != nil {
		return nil, nil, err
	}
	all := map[string][]fakeWord{}
	for _, name := range names {
		if all[name], err = fakeUses.Get(t, name); err != nil {
			return nil, nil, err
		}
	}
	return all, names, nil
}

func (w *fakeWorkspace) Diagnostics(t *runtime.Task, name string) ([]lsp.Diagnostic, error) {
	if fn := w.lang.judging; fn != nil && t.Client() != 0 {
		if err := fn(t); err != nil {
			return nil, err
		}
	}
	if _, err := w.Text(t, name); err != nil {
		return nil, err
	}
	all, _, err := w.words(t)
	if err != nil {
		return nil, err
	}
	defined := map[string]bool{}
	for _, words := range all {
		for _, word := range words {
			defined[word.Name] = defined[word.Name] || word.Defines
		}
	}
	var out []lsp.Diagnostic
	for _, word := range all[name] {
		if !defined[word.Name] {
			out = append(out, lsp.Diagnostic{
				Span: word.span(), Severity: lsp.SeverityError, Code: "undefined", Source: "words", Message: "undefined: " + word.Name, Unnecessary: true,
				Related: []lsp.Related{{Location: lsp.Location{URI: name, Span: lsp.Span{Start: 0, End: 0}}, Message: "declare it here"}},
			})
		}
	}
	return out, nil
}

// A lateWorkspace has diagnostics that follow behind others.
type lateWorkspace struct{ *fakeWorkspace }

func (w *lateWorkspace) FullDiagnostics(t *runtime.Task, name string) ([]lsp.Diagnostic, error) {
	list, err := w.Diagnostics(t, name)
	return append(list, *w.lang.late), err
}

// An outliningWorkspace outlines texts by themselves.
type outliningWorkspace struct{ *fakeWorkspace }

func (w *outliningWorkspace) Outline(_ string, text []byte) []lsp.Symbol {
	return w.lang.outline(string(text))
}

func (w *fakeWorkspace) Symbols(t *runtime.Task, name string) ([]lsp.Symbol, error) {
	if w.lang.outlining != nil {
		if err := w.lang.outlining(t, name); err != nil {
			return nil, err
		}
	}
	if _, err := w.Text(t, name); err != nil {
		return nil, err
	}
	words, err := fakeUses.Get(t, name)
	if err != nil {
		return nil, err
	}
	var out []lsp.Symbol
	for _, word := range words {
		if !word.Defines {
			continue
		}
		s := lsp.Symbol{Name: word.Name, Detail: "word", Kind: lsp.KindVariable, Span: lsp.Span{Start: word.Line, End: word.End}, NameSpan: word.span()}
		if word.Nested && len(out) > 0 {
			last := &out[len(out)-1]
			last.Children = append(last.Children, s)
			last.Span.End = word.End
		} else {
			out = append(out, s)
		}
	}
	return out, nil
}

func (w *fakeWorkspace) FindSymbols(t *runtime.Task, query string, limit int) ([]lsp.SymbolMatch, error) {
	all, names, err := w.words(t)
	if err != nil {
		return nil, err
	}
	var out []lsp.SymbolMatch
	for _, name := range names {
		for _, word := range all[name] {
			container, qualifier := filepath.Base(w.root), ""
			bare, qualified := strings.CutPrefix(query, container+".")
			if qualified {
				qualifier = container + "."
			}
			if word.Defines && strings.Contains(word.Name, bare) && len(out) < limit {
				out = append(out, lsp.SymbolMatch{
					Name: word.Name, Container: container, Qualifier: qualifier, Kind: lsp.KindVariable, Location: lsp.Location{URI: name, Span: word.span()},
					Score: 1 / float64(len(word.Name)),
				})
			}
		}
	}
	return out, nil
}

// at returns the word at an offset.
func (w *fakeWorkspace) at(t *runtime.Task, name string, offset int) (fakeWord, error) {
	text, err := w.Text(t, name)
	if err != nil {
		return fakeWord{}, err
	}
	if offset > len(text) {
		return fakeWord{}, &lsp.FileError{URI: name, Offset: offset, Err: lsp.ErrOutOfRange}
	}
	words, err := fakeUses.Get(t, name)
	for _, word := range words {
		if word.span().Contains(offset) {
			return word, err
		}
	}
	return fakeWord{}, &lsp.FileError{URI: name, Offset: offset, Err: lsp.ErrNoSymbol}
}

func (w *fakeWorkspace) find(t *runtime.Task, which func(fakeWord) bool) ([]lsp.Location, error) {
	all, names, err := w.words(t)
	var out []lsp.Location
	for _, name := range names {
		for _, word := range all[name] {
			if which(word) {
				out = append(out, lsp.Location{URI: name, Span: word.span()})
			}
		}
	}
	return out, err
}

func (w *fakeWorkspace) Definition(t *runtime.Task, name string, offset int) ([]lsp.Location, error) {
	if w.lang.stuck != nil {
		err := t.Blocking(func() error {
			if w.lang.began != nil {
				w.lang.began <- struct{}{}
			}
			select {
			case <-w.lang.stuck:
				return nil
			case <-t.Context().Done():
				return context.Cause(t.Context())
			}
		})
		if w.lang.ended != nil {
			w.lang.ended <- err
		}
		if err != nil {
			return nil, err
		}
	}
	word, err := w.at(t, name, offset)
	if err != nil {
		return nil, err
	}
	switch word.Name {
	case "panic":
		panic("the word is " + word.Name)
	case "caught":
		return nil, fmt.Errorf("finding: %w", fakeCaught{})
	}
	return w.find(t, func(o fakeWord) bool { return o.Name == word.Name && o.Defines })
}

// fakeCaught is a panic that the language has caught.
type fakeCaught struct{}

func (fakeCaught) Error() string { return "the word is caught" }

func (fakeCaught) Stack() []byte { return []byte("where it was caught") }

func (w *fakeWorkspace) References(t *runtime.Task, name string, offset int, declaration bool) ([]lsp.Location, error) {
	word, err := w.at(t, name, offset)
	if err != nil {
		return nil, err
	}
	return w.find(t, func(o fakeWord) bool { return o.Name == word.Name && (declaration || !o.Defines) })
}

// Hover says the whole text: tests compare it with the text at the request's ticket.
func (w *fakeWorkspace) Hover(t *runtime.Task, name string, offset int) (*lsp.Hover, error) {
	word, err := w.at(t, name, offset)
	if err != nil {
		return nil, err
	}
	text, err := w.Text(t, name)
	return &lsp.Hover{Span: word.span(), Signature: "word " + word.Name, Doc: string(text), Language: "words"}, err
}

func (w *fakeWorkspace) Highlight(t *runtime.Task, name string, offset int) ([]lsp.Highlight, error) {
	word, err := w.at(t, name, offset)
	if err != nil {
		return nil, err
	}
	return []lsp.Highlight{{Span: word.span(), Kind: lsp.HighlightRead}}, nil
}

func (w *fakeWorkspace) CompletionTriggers() []string { return []string{"."} }

// Complete proposes the words that the file declares, which begin with what was typed.
func (w *fakeWorkspace) Complete(t *runtime.Task, name string, offset int, o lsp.CompletionOptions) (*lsp.CompletionList, error) {
	text, err := w.Text(t, name)
	if err != nil {
		return nil, err
	}
	start := offset
	for start > 0 && text[start-1] > ' ' {
		start--
	}
	end := offset
	for end < len(text) && text[end] > ' ' {
		end++
	}
	list := &lsp.CompletionList{Insert: lsp.Span{Start: start, End: offset}, Replace: lsp.Span{Start: start, End: end}}
	for _, d := range []string{"one", "two"} {
		if strings.HasPrefix(d, string(text[start:offset])) {
			c := lsp.Completion{Label: d, Detail: "a word", Kind: lsp.CompletionVariable, Text: d, Deprecated: d == "two", Token: d}
			if o.Snippets {
				c.Text, c.Snippet = d+"(${1:})", true
			}
			c.Extra = []lsp.TextEdit{{NewText: "use " + d + "\n"}}
			list.Items = append(list.Items, c)
		}
	}
	return list, nil
}

func (w *fakeWorkspace) CompletionDoc(_ *runtime.Task, _, token string) (string, error) {
	return token + " is a *word*.", nil
}

func (w *fakeWorkspace) SignatureTriggers() (first, again []string) {
	return []string{"("}, []string{","}
}

func (w *fakeWorkspace) SignatureHelp(t *runtime.Task, name string, offset int, unasked bool) (*lsp.Signature, error) {
	word, err := w.at(t, name, offset)
	if err != nil {
		return nil, err
	}
	label := word.Name + "(😀 int, b)"
	at := len(word.Name) + 1
	return &lsp.Signature{
		Label: label, Params: []lsp.Span{{Start: at, End: at + len("😀 int")}, {Start: len(label) - 2, End: len(label) - 1}},
		Doc: "It is *called*.", Active: 1,
	}, nil
}

func (w *fakeWorkspace) TypeDefinition(t *runtime.Task, name string, offset int) ([]lsp.Location, error) {
	return w.Definition(t, name, offset)
}

func (w *fakeWorkspace) Declaration(t *runtime.Task, name string, offset int) ([]lsp.Location, error) {
	return w.Definition(t, name, offset)
}

func (w *fakeWorkspace) Implementation(t *runtime.Task, name string, offset int) ([]lsp.Location, error) {
	return w.Definition(t, name, offset)
}

// A word is called by the words in whose lines it stands, and is the subtype of the first word.
func (w *fakeWorkspace) Callables(t *runtime.Task, name string, offset int) ([]lsp.HierarchyItem, error) {
	word, err := w.at(t, name, offset)
	return []lsp.HierarchyItem{{Name: word.Name, Detail: "word", Kind: lsp.KindVariable, At: lsp.Location{URI: name, Span: word.span()}}}, err
}

func (w *fakeWorkspace) IncomingCalls(t *runtime.Task, name string, offset int) ([]lsp.Call, error) {
	items, err := w.Callables(t, name, offset)
	return []lsp.Call{{Item: items[0], Spans: []lsp.Span{items[0].At.Span}}}, err
}

func (w *fakeWorkspace) OutgoingCalls(t *runtime.Task, name string, offset int) ([]lsp.Call, error) {
	return w.IncomingCalls(t, name, offset)
}

func (w *fakeWorkspace) Types(t *runtime.Task, name string, offset int) ([]lsp.HierarchyItem, error) {
	return w.Callables(t, name, offset)
}

func (w *fakeWorkspace) Supertypes(t *runtime.Task, name string, _ int) ([]lsp.HierarchyItem, error) {
	return w.Callables(t, name, 0)
}

func (w *fakeWorkspace) Subtypes(t *runtime.Task, name string, offset int) ([]lsp.HierarchyItem, error) {
	return w.Callables(t, name, offset)
}

func (w *fakeWorkspace) Explain(t *runtime.Task, name string) ([]runtime.Explanation, error) {
	why, err := runtime.Explain(t.Engine(), fakeUses, name)
	return []runtime.Explanation{why}, err
}

func (w *fakeWorkspace) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.tasks.Wait()
	return nil
}

func hoverOf(signature, doc string) *lsp.Hover {
	return &lsp.Hover{Signature: signature, Doc: doc, Language: "go"}
}

func progressOf(n [4]int) lsp.Progress {
	return lsp.Progress{Phase: "x", FilesDone: n[0], FilesTotal: n[1], UnitsDone: n[2], UnitsTotal: n[3], Unit: "packages"}
}

// The actions of the fake language write a word in capitals, or twice.
func (w *fakeWorkspace) ActionKinds() []string {
	return []string{"quickfix", "refactor.rewrite.double"}
}

func (w *fakeWorkspace) Actions(t *runtime.Task, r lsp.ActionRequest) ([]lsp.Action, error) {
	word, err := w.at(t, r.URI, r.Span.Start)
	if err != nil {
		return nil, err
	}
	change := func(text string) func(*runtime.Task) (*lsp.WorkspaceEdit, error) {
		return func(*runtime.Task) (*lsp.WorkspaceEdit, error) {
			return &lsp.WorkspaceEdit{Files: []lsp.FileEdit{{URI: r.URI, Edits: []lsp.TextEdit{{Span: word.span(), NewText: text}}}}}, nil
		}
	}
	wrong, err := w.Diagnostics(t, r.URI)
	if err != nil {
		return nil, err
	}
	all := []lsp.Action{
		{Title: "In capitals", Kind: "quickfix", Preferred: true, Edit: change(strings.ToUpper(word.Name)), Mends: wrong},
		{Title: "Twice", Kind: "refactor.rewrite.double", Edit: change(word.Name + word.Name)},
	}
	if word.Name == "moved" {
		all = append(all, lsp.Action{
			Title: "To a file", Kind: "refactor.extract.file",
			Edit: func(*runtime.Task) (*lsp.WorkspaceEdit, error) {
				return &lsp.WorkspaceEdit{Create: []string{r.URI + ".moved.txt"}}, nil
			},
		})
	}
	return slices.DeleteFunc(all, func(a lsp.Action) bool { return !lsp.WantsKind(r.Only, a.Kind) }), nil
}

func (w *fakeWorkspace) SettingsSection() string { return "words" }

func (w *fakeWorkspace) Configure(_ context.Context, settings []byte) error {
	w.lang.mu.Lock()
	defer w.lang.mu.Unlock()
	w.lang.settings = append(w.lang.settings, string(settings))
	if strings.Contains(string(settings), "wrong") {
		return errors.New("no such word")
	}
	return nil
}

// The commands of the fake language count words, write one twice, show one, and wait for ever.
func (w *fakeWorkspace) Commands() []string {
	return []string{"words.count", "words.double", "words.show", "words.wait"}
}

func (w *fakeWorkspace) Execute(t *runtime.Task, command string, arguments [][]byte) (lsp.CommandResult, error) {
	var about struct {
		URI    string
		Offset int
	}
	if len(arguments) != 1 || json.Unmarshal(arguments[0], &about) != nil {
		return lsp.CommandResult{}, fmt.Errorf("%s takes a place", command)
	}
	if command == "words.wait" {
		return lsp.CommandResult{}, t.Blocking(func() error {
			w.lang.began <- struct{}{}
			<-t.Context().Done()
			return context.Cause(t.Context())
		})
	}
	word, err := w.at(t, about.URI, about.Offset)
	if err != nil {
		return lsp.CommandResult{}, err
	}
	switch command {
	case "words.count":
		list, err := w.References(t, about.URI, about.Offset, true)
		return lsp.CommandResult{Value: fmt.Append(nil, len(list))}, err
	case "words.show":
		return lsp.CommandResult{Show: &lsp.Location{URI: about.URI, Span: word.span()}}, nil
	}
	return lsp.CommandResult{Title: "Twice", Edit: &lsp.WorkspaceEdit{Files: []lsp.FileEdit{
		{URI: about.URI, Edits: []lsp.TextEdit{{Span: word.span(), NewText: word.Name + word.Name}}},
	}}}, nil
}

// RenameFiles: a word that is the name of a file stands for it.
func (w *fakeWorkspace) RenameFiles(t *runtime.Task, renames []lsp.FileRename) (*lsp.WorkspaceEdit, error) {
	var out lsp.WorkspaceEdit
	files, err := w.files(t)
	if err != nil {
		return nil, err
	}
	word := func(name string) string { return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".txt") }
	for _, name := range files {
		uses, err := fakeUses.Get(t, name)
		if err != nil {
			return nil, err
		}
		var edits []lsp.TextEdit
		for _, use := range uses {
			for _, r := range renames {
				if use.Name == word(r.Old) {
					edits = append(edits, lsp.TextEdit{Span: use.span(), NewText: word(r.New)})
				}
			}
		}
		if len(edits) > 0 {
			out.Files = append(out.Files, lsp.FileEdit{URI: name, Edits: edits})
		}
	}
	return &out, nil
}

func (w *fakeWorkspace) RenameTarget(t *runtime.Task, name string, offset int) (lsp.Span, string, error) {
	word, err := w.at(t, name, offset)
	return word.span(), word.Name, err
}

func (w *fakeWorkspace) Rename(t *runtime.Task, name string, offset int, newName string) (*lsp.WorkspaceEdit, error) {
	if newName == "def" {
		return nil, &lsp.RefusedError{Reason: "def is a keyword"}
	}
	places, err := w.References(t, name, offset, true)
	var out lsp.WorkspaceEdit
	for _, at := range places {
		out.Files = append(out.Files, lsp.FileEdit{URI: at.URI, Edits: []lsp.TextEdit{{Span: at.Span, NewText: newName}}})
	}
	return &out, err
}
