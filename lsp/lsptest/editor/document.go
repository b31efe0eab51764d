package editor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/position"
)

// Open opens a document with a text.
func (e *Editor) Open(path, language, text string) {
	e.t.Helper()
	e.mu.Lock()
	e.docs[path] = &document{text, 1}
	e.mu.Unlock()
	e.Tell("textDocument/didOpen", map[string]any{
		"textDocument": map[string]any{"uri": URI(path), "languageId": language, "version": 1, "text": text},
	})
}

// Change gives an open document another text.
func (e *Editor) Change(path, text string) {
	e.t.Helper()
	e.changed(path, text, map[string]any{"text": text})
}

// Replace replaces the bytes [start, end) of an open document's text, as typing does.
func (e *Editor) Replace(path string, start, end int, text string) {
	e.t.Helper()
	old, _ := e.text(path)
	e.changed(path, old[:start]+text+old[end:], map[string]any{
		"range": map[string]any{"start": Position(old, start), "end": Position(old, end)}, "text": text,
	})
}

func (e *Editor) changed(path, text string, change map[string]any) {
	e.t.Helper()
	e.mu.Lock()
	d := e.docs[path]
	if d == nil {
		e.mu.Unlock()
		e.t.Fatalf("%s is not open", path)
		return
	}
	d.text, d.version = text, d.version+1
	version := d.version
	e.mu.Unlock()
	e.Tell("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": URI(path), "version": version}, "contentChanges": []any{change},
	})
}

// Save writes an open document's text to the disk and says so.
func (e *Editor) Save(path string) {
	e.t.Helper()
	text, ok := e.text(path)
	if !ok {
		e.t.Fatalf("%s is not open", path)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		e.t.Fatal(err)
	}
	e.Tell("textDocument/didSave", About(path))
}

// Close closes a document.
func (e *Editor) Close(path string) {
	e.t.Helper()
	e.mu.Lock()
	delete(e.docs, path)
	e.mu.Unlock()
	e.Tell("textDocument/didClose", About(path))
}

// IsOpen reports whether a document is open.
func (e *Editor) IsOpen(path string) bool {
	_, ok := e.text(path)
	return ok
}

func (e *Editor) text(path string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.docs[path]; d != nil {
		return d.text, true
	}
	return "", false
}

// Text is what an editor shows of a file: the document's text, or what is on the disk.
func (e *Editor) Text(path string) (string, error) {
	if text, ok := e.text(path); ok {
		return text, nil
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}

// OpenFiles are the paths of the open documents, sorted.
func (e *Editor) OpenFiles() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []string
	for path := range e.docs {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// About are the parameters of a question about a whole document.
func About(path string) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": URI(path)}}
}

// AboutPlace are the parameters of a question about a place, a byte offset in a text.
func AboutPlace(path, text string, offset int) map[string]any {
	p := About(path)
	p["position"] = Position(text, offset)
	return p
}

// Position is a place as the protocol writes it in a session that counts bytes.
func Position(text string, offset int) map[string]int {
	return map[string]int{"line": strings.Count(text[:offset], "\n"), "character": offset - 1 - strings.LastIndexByte(text[:offset], '\n')}
}

// A TextEdit is a replacement as the protocol writes it.
type TextEdit struct {
	Range   protocol.Range
	NewText string
}

// Apply applies edits to a text, in the way that the protocol demands: all of them refer to the old
// text. Edits that overlap are an error.
func Apply(text string, edits []TextEdit) (string, error) {
	m := position.NewMapper([]byte(text))
	type piece struct {
		start, end int
		text       string
	}
	pieces := make([]piece, len(edits))
	for i, edit := range edits {
		start, end, err := m.Offsets(edit.Range, position.UTF8)
		if err != nil {
			return "", err
		}
		pieces[i] = piece{start, end, edit.NewText}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.start - b.start })
	var out strings.Builder
	at := 0
	for _, p := range pieces {
		if p.start < at {
			return "", fmt.Errorf("two edits change offset %d", p.start)
		}
		out.WriteString(text[at:p.start] + p.text)
		at = p.end
	}
	return out.String() + text[at:], nil
}

// A WorkspaceEdit is what a server wants changed.
type WorkspaceEdit struct {
	Changes         map[string][]TextEdit
	DocumentChanges []DocumentChange
}

// A DocumentChange is one step of a WorkspaceEdit: edits of a text, or with a Kind ("create",
// "rename", "delete") a change of files.
type DocumentChange struct {
	Kind         string
	TextDocument struct {
		URI     string
		Version *int
	}
	Edits          []TextEdit
	URI            string
	OldURI, NewURI string
}

// Steps are the changes in the order in which they are to be made.
func (w *WorkspaceEdit) Steps() []DocumentChange {
	if w.DocumentChanges != nil {
		return w.DocumentChanges
	}
	var steps []DocumentChange
	for u, edits := range w.Changes {
		step := DocumentChange{Edits: edits}
		step.TextDocument.URI = u
		steps = append(steps, step)
	}
	slices.SortFunc(steps, func(a, b DocumentChange) int { return strings.Compare(a.TextDocument.URI, b.TextDocument.URI) })
	return steps
}

// Path is the path of a file that a server names.
func Path(u string) string {
	parsed, err := uri.Parse(u)
	if err != nil || !parsed.IsFile() {
		return u
	}
	return parsed.FsPath()
}

// Perform makes the changes that a server wants, in open documents and on the disk.
func (e *Editor) Perform(w *WorkspaceEdit) error {
	for _, step := range w.Steps() {
		switch step.Kind {
		case "create":
			path := Path(step.URI)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
			continue
		case "rename":
			if err := os.Rename(Path(step.OldURI), Path(step.NewURI)); err != nil {
				return err
			}
			continue
		case "delete":
			if err := os.RemoveAll(Path(step.URI)); err != nil {
				return err
			}
			continue
		}
		path := Path(step.TextDocument.URI)
		text, err := e.Text(path)
		if err != nil {
			return err
		}
		if text, err = Apply(text, step.Edits); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if e.IsOpen(path) {
			e.Change(path, text)
		} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (e *Editor) applyEdit(params []byte) any {
	var p struct{ Edit WorkspaceEdit }
	if err := json.Unmarshal(params, &p); err != nil {
		return jsonrpc2.NewError(jsonrpc2.InvalidParams, err.Error())
	}
	if err := e.Perform(&p.Edit); err != nil {
		return map[string]any{"applied": false, "failureReason": err.Error()}
	}
	return map[string]any{"applied": true}
}
