package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/bmatcuk/doublestar/v4"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/lsptest"
	"github.com/cytisus/cytisus/lsp/server"
)

// A session is an editor's with a server in this process.
type session struct {
	t     *testing.T
	p     *player
	host  *server.Host
	alarm *lsptest.Alarm // nil for a client that joined another's server
	conn  *dispatch.Conn
	stop  func()
	docs  map[string]*openText // by path

	mu        sync.Mutex
	change    chan struct{}               // guarded by mu: closed when one of the others changes
	internal  error                       // guarded by mu: the first internal error that the server told of
	watchers  map[string][]wireWatcher    // guarded by mu: by the registration's ID
	published map[string][]wireDiagnostic // guarded by mu: by URI
}

type openText struct {
	text    string
	version int
}

type (
	wirePosition struct{ Line, Character int }
	wireRange    struct{ Start, End wirePosition }
	wireLocation struct {
		URI   string
		Range wireRange
	}
	wireDiagnostic struct {
		Range              wireRange
		Message            string
		RelatedInformation []struct {
			Location wireLocation
			Message  string
		}
	}
	wireWatcher struct {
		GlobPattern json.RawMessage
		Kind        int // bits; 0 for all
	}
)

func (r wireRange) String() string {
	start := fmt.Sprintf("%d:%d-", r.Start.Line+1, r.Start.Character+1)
	if r.Start.Line == r.End.Line {
		return fmt.Sprintf("%s%d", start, r.End.Character+1)
	}
	return fmt.Sprintf("%s%d:%d", start, r.End.Line+1, r.End.Character+1)
}

const archiveCaps = `{
	"general": {"positionEncodings": ["utf-8"]},
	"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true, "relativePatternSupport": true}, "workspaceFolders": true},
	"textDocument": {"publishDiagnostics": {"relatedInformation": true}, "semanticTokens": {"tokenTypes": [
		"namespace", "type", "interface", "struct", "typeParameter", "parameter", "variable", "property", "function", "method", "keyword",
		"comment", "string", "number", "operator", "label"], "tokenModifiers": ["definition", "readonly", "defaultLibrary"]}}}`

// unreportingCaps are those of an editor that reports no changed files.
const unreportingCaps = `{"general": {"positionEncodings": ["utf-8"]}, "textDocument": {"publishDiagnostics": {"relatedInformation": true}}}`

// beginSession serves the first client of an engine of its own, whose end is that of both.
func beginSession(t *testing.T, p *player) *session {
	alarm := lsptest.NewAlarm(t.Output())
	a := &app{err: alarm, flags: flags{workers: 1}}
	l, err := a.openEngine(p.folders[0], p.store, "test")
	if err != nil {
		t.Fatal(err)
	}
	host, err := server.NewHost(l.eng, golang.Language{}, server.Options{
		RefreshInterval: 4 * time.Millisecond, Workspace: p.workspaceOptions(), WatchDisk: p.unreported, Logger: a.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := joinSession(t, p, host)
	s.alarm = alarm
	leave := s.stop
	s.stop = func() {
		leave()
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
		if err := s.wrong(); err != nil {
			t.Error(err)
		}
	}
	return s
}

// internalMark stands in what is told of a panic that was caught within a package's code.
const internalMark = ": internal error: "

// wrong is what no question may make a server say: that something panicked, or an internal error.
func (s *session) wrong() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alarm == nil {
		return s.internal
	}
	return errors.Join(s.alarm.Err(), s.internal)
}

// noteInternal takes note of an internal error. mu is held.
func (s *session) noteInternal(err error) {
	wire, ok := errors.AsType[*jsonrpc2.Error](err)
	if s.internal == nil && (ok && wire.Code == jsonrpc2.InternalError || err != nil && strings.Contains(err.Error(), internalMark)) {
		s.internal = err
	}
}

// joinSession serves one more client of a host.
func joinSession(t *testing.T, p *player, host *server.Host) *session {
	here, there := net.Pipe()
	s := &session{
		t: t, p: p, host: host, docs: map[string]*openText{},
		change: make(chan struct{}), watchers: map[string][]wireWatcher{}, published: map[string][]wireDiagnostic{},
	}
	handlers := map[string]dispatch.Handler{
		"textDocument/publishDiagnostics": s.took(s.takeDiagnostics),
		"client/registerCapability":       s.took(s.register),
		"client/unregisterCapability":     s.took(s.unregister),
	}
	for _, method := range []string{"window/logMessage", "window/showMessage"} {
		handlers[method] = func(context.Context, *dispatch.Request) (dispatch.Outcome, error) { return dispatch.Done, nil }
	}
	s.conn = dispatch.New(here, handlers, dispatch.Options{})
	var both sync.WaitGroup
	both.Go(func() { _, _ = host.Serve(context.Background(), there) })
	both.Go(func() { _, _ = s.conn.Run(context.Background()) })
	s.stop = func() {
		_, _ = s.call("shutdown", nil)
		_ = s.conn.Notify("exit", nil)
		both.Wait()
	}
	capabilities := archiveCaps
	if p.unreported {
		capabilities = unreportingCaps
	}
	if p.utf16 {
		capabilities = strings.Replace(capabilities, "utf-8", "utf-16", 1)
	}
	_, err := s.call("initialize", map[string]any{
		"processId": 1, "workspaceFolders": folderList(p.folders), "capabilities": json.RawMessage(capabilities),
	})
	if err != nil {
		s.stop()
		t.Fatal(err)
	}
	s.tell("initialized", map[string]any{})
	return s
}

func (s *session) end() { s.stop() }

func fileURI(path string) string { return string(uri.File(path)) }

func folderList(dirs []string) []map[string]string {
	list := []map[string]string{}
	for _, dir := range dirs {
		list = append(list, map[string]string{"uri": fileURI(dir), "name": filepath.Base(dir)})
	}
	return list
}

// took makes a handler of a function that notes what the server said.
func (s *session) took(note func(params []byte) error) dispatch.Handler {
	return func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		err := note(r.Params)
		close(s.change)
		s.change = make(chan struct{})
		return dispatch.Done, err
	}
}

func (s *session) takeDiagnostics(params []byte) error {
	var p struct {
		URI         string
		Diagnostics []wireDiagnostic
	}
	err := json.Unmarshal(params, &p)
	for _, d := range p.Diagnostics {
		s.noteInternal(fmt.Errorf("%s: %s", p.URI, d.Message))
	}
	if s.published[p.URI] = p.Diagnostics; len(p.Diagnostics) == 0 {
		delete(s.published, p.URI)
	}
	return err
}

func (s *session) register(params []byte) error {
	var p struct {
		Registrations []struct {
			ID              string
			RegisterOptions struct{ Watchers []wireWatcher }
		}
	}
	err := json.Unmarshal(params, &p)
	for _, r := range p.Registrations {
		s.watchers[r.ID] = r.RegisterOptions.Watchers
	}
	return err
}

func (s *session) unregister(params []byte) error {
	var p struct {
		Unregisterations []struct{ ID string }
	}
	err := json.Unmarshal(params, &p)
	for _, r := range p.Unregisterations {
		delete(s.watchers, r.ID)
	}
	return err
}

// await waits until fits, which is called with mu held, reports true; false means that it took too
// long.
func (s *session) await(fits func() bool) bool {
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		ok, change := fits(), s.change
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-change:
		case <-deadline:
			return false
		}
	}
}

func (s *session) call(method string, params any) (raw json.RawMessage, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err = s.conn.Call(ctx, method, encoded(params), &raw); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.noteInternal(fmt.Errorf("%s: %w", method, err))
	}
	return raw, err
}

func (s *session) tell(method string, params any) {
	s.t.Helper()
	if err := s.conn.Notify(method, encoded(params)); err != nil {
		s.t.Fatal(err)
	}
}

func encoded(v any) any {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return json.RawMessage(raw)
}

func (s *session) changeFolders(before, after []string) {
	without := func(list, other []string) []map[string]string {
		return folderList(slices.DeleteFunc(slices.Clone(list), func(dir string) bool { return slices.Contains(other, dir) }))
	}
	s.tell("workspace/didChangeWorkspaceFolders", map[string]any{
		"event": map[string]any{"added": without(after, before), "removed": without(before, after)},
	})
}

func (s *session) open(path, text string) {
	s.docs[path] = &openText{text, 1}
	s.tell("textDocument/didOpen", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(path), "languageId": "go", "version": 1, "text": text},
	})
}

func (s *session) document(path string) (*openText, error) {
	if d := s.docs[path]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("the file is not open")
}

func (s *session) changeText(path, text string) error {
	d, err := s.document(path)
	if err != nil {
		return err
	}
	d.text, d.version = text, d.version+1
	s.tell("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(path), "version": d.version}, "contentChanges": []any{map[string]string{"text": text}},
	})
	return nil
}

func (s *session) save(path string) error {
	d, err := s.document(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(d.text), 0o644); err != nil {
		return err
	}
	s.tell("textDocument/didSave", textDocument(path))
	return nil
}

func (s *session) closeText(path string) error {
	if _, err := s.document(path); err != nil {
		return err
	}
	delete(s.docs, path)
	s.tell("textDocument/didClose", textDocument(path))
	return nil
}

func textDocument(path string) map[string]any {
	return map[string]any{"textDocument": map[string]string{"uri": fileURI(path)}}
}

// event reports changed files, which the server must have asked for.
func (s *session) event(kind string, paths []string) error {
	number := slices.Index([]string{"", "create", "change", "delete"}, kind)
	if number <= 0 {
		return fmt.Errorf("unknown kind %q", kind)
	}
	var changes []map[string]any
	for _, path := range paths {
		if !s.await(func() bool { return s.watched(path, 1<<(number-1)) }) {
			return fmt.Errorf("the server has not asked to hear of %s", s.p.relative(path))
		}
		changes = append(changes, map[string]any{"uri": fileURI(path), "type": number})
	}
	s.tell("workspace/didChangeWatchedFiles", map[string]any{"changes": changes})
	return nil
}

// watched reports whether a pattern that is registered for a kind of change matches a path. mu is
// held.
func (s *session) watched(file string, kind int) bool {
	file = filepath.ToSlash(file)
	for _, list := range s.watchers {
		for _, w := range list {
			if w.Kind != 0 && w.Kind&kind == 0 {
				continue
			}
			var pattern string
			if json.Unmarshal(w.GlobPattern, &pattern) != nil {
				var relative struct{ BaseURI, Pattern string }
				if json.Unmarshal(w.GlobPattern, &relative) != nil {
					continue
				}
				base, err := uri.Parse(relative.BaseURI)
				if err != nil {
					continue
				}
				pattern = path.Join(filepath.ToSlash(base.FsPath()), relative.Pattern)
			}
			if ok, err := doublestar.Match(pattern, file); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// text is what an editor shows of a file.
func (s *session) text(path string) (string, error) {
	if d := s.docs[path]; d != nil {
		return d.text, nil
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}

// ask asks about the place of | in a part of a file's text.
func (s *session) ask(verb, path, at string) (string, error) {
	text, err := s.text(path)
	if err != nil {
		return "", err
	}
	before, after, ok := strings.Cut(at, "|")
	if !ok || strings.Count(text, before+after) != 1 {
		return "", fmt.Errorf("the text stands %d times in the file, or has no |", strings.Count(text, before+after))
	}
	return s.askAt(verb, path, text, strings.Index(text, before+after)+len(before))
}

// askAt asks about a place in a file, of which text is what an editor shows.
func (s *session) askAt(verb, path, text string, offset int) (string, error) {
	params := textDocument(path)
	params["position"] = s.p.position(text, offset)
	params["context"] = map[string]bool{"includeDeclaration": true}
	method := map[string]string{"def": "textDocument/definition", "refs": "textDocument/references", "hover": "textDocument/hover"}[verb]
	raw, err := s.call(method, params)
	if err != nil {
		return err.Error(), nil
	}
	if verb == "hover" {
		var h struct{ Contents struct{ Value string } }
		err := json.Unmarshal(raw, &h)
		return h.Contents.Value, err
	}
	var list []wireLocation
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", err
	}
	answer := fmt.Sprintf("[%d]", len(list))
	for _, l := range list {
		answer += " " + s.place(l)
	}
	return answer, nil
}

// position is where an offset of a text is, in the terms of the protocol.
func (p *player) position(text string, offset int) map[string]int {
	line, start := 0, 0
	for i := range offset {
		if text[i] == '\n' || text[i] == '\r' && !strings.HasPrefix(text[i:], "\r\n") {
			line, start = line+1, i+1
		}
	}
	column := offset - start
	if p.utf16 {
		column = len(utf16.Encode([]rune(text[start:offset])))
	}
	return map[string]int{"line": line, "character": column}
}

func (s *session) place(l wireLocation) string { return s.name(l.URI) + ":" + l.Range.String() }

// name is the name of a file in an answer, or the URI of what is no file.
func (s *session) name(u string) string {
	parsed, err := uri.Parse(u)
	if err != nil || !parsed.IsFile() {
		return u
	}
	return s.p.relative(parsed.FsPath())
}

func (s *session) symbols(query string) (string, error) {
	if _, err := s.call("cytisus/settle", nil); err != nil {
		return "", err
	}
	raw, err := s.call("workspace/symbol", map[string]string{"query": query})
	if err != nil {
		return "", err
	}
	var list []struct {
		Name     string
		Kind     int
		Location wireLocation
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", err
	}
	var lines []string
	for _, m := range list {
		lines = append(lines, fmt.Sprintf("%s/%d@%s:%d", m.Name, m.Kind, s.name(m.Location.URI), m.Location.Range.Start.Line+1))
	}
	return strings.Join(lines, "\n"), nil
}

// check returns all diagnostics once nothing changes by itself. What is published must become what
// the server says when asked.
func (s *session) check() (string, error) {
	if _, err := s.call("cytisus/settle", nil); err != nil {
		return "", err
	}
	said := map[string][]wireDiagnostic{}
	raw, err := s.call("workspace/diagnostic", map[string]any{"previousResultIds": []any{}})
	if err != nil {
		return "", err
	}
	var report struct {
		Items []struct {
			URI   string
			Items []wireDiagnostic
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return "", err
	}
	for _, item := range report.Items {
		if len(item.Items) > 0 {
			said[item.URI] = item.Items
		}
	}
	for path := range s.docs { // also those outside of every folder
		raw, err := s.call("textDocument/diagnostic", textDocument(path))
		if err != nil {
			return "", err
		}
		var one struct{ Items []wireDiagnostic }
		if err := json.Unmarshal(raw, &one); err != nil {
			return "", err
		}
		if delete(said, fileURI(path)); len(one.Items) > 0 {
			said[fileURI(path)] = one.Items
		}
	}
	want := s.listed(said)
	var got string
	if !s.await(func() bool { got = s.listed(s.published); return got == want }) {
		return "", fmt.Errorf("published is\n%s\nbut the server answers\n%s", got, want)
	}
	return want, nil
}

// listed prints diagnostics.
func (s *session) listed(byFile map[string][]wireDiagnostic) string {
	var lines []string
	for u, list := range byFile {
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b wireDiagnostic) int {
			x, y := a.Range.Start, b.Range.Start
			return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Character, y.Character), cmp.Compare(a.Message, b.Message))
		})
		var text strings.Builder
		for _, d := range list {
			fmt.Fprintf(&text, "%s:%v: %s\n", s.name(u), d.Range, d.Message)
			for _, r := range d.RelatedInformation {
				fmt.Fprintf(&text, "\t%s: %s\n", s.place(r.Location), r.Message)
			}
		}
		lines = append(lines, strings.TrimSuffix(text.String(), "\n"))
	}
	if len(lines) == 0 {
		return "clean"
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
