package server

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// Every URI comes through one door.
func TestNamesOfDocuments(t *testing.T) {
	for _, c := range []struct{ uri, name, problem string }{
		{"file:///a/b.go", "file:///a/b.go", ""},
		{"FILE:///a/b.go", "file:///a/b.go", ""},
		{"file:/a/b.go", "file:///a/b.go", ""},
		{"file:////a//b.go", "file:///a/b.go", ""},
		{"file://localhost/a/b.go", "file:///a/b.go", ""},
		{"file://LocalHost/a/b.go", "file:///a/b.go", ""},
		{"file:///a/./c/../b.go", "file:///a/b.go", ""},
		{"file:///a%2Fb.go", "file:///a/b.go", ""},
		{"file:///a/%2e%2e/%2E%2E/b.go", "file:///b.go", ""},
		{"file:///../../b.go", "file:///b.go", ""},
		{"file:///a/b%2Ego", "file:///a/b.go", ""},
		{"file:///a@b.go", "file:///a%40b.go", ""},
		{"file:///a b.go", "file:///a%20b.go", ""},
		{"file:///\u00e9.go", "file:///%C3%A9.go", ""},
		{"file:///a%0Ab.go", "file:///a%0Ab.go", ""}, // a file may have such a name
		{"file:///A%3Fb%23.go", "file:///A%3Fb%23.go", ""},
		{"file:///" + strings.Repeat("a", maxPathBytes-1), "file:///" + strings.Repeat("a", maxPathBytes-1), ""},
		{"file:///" + strings.Repeat("a", maxPathBytes), "", "its path has 4097 bytes, at most 4096"},
		{"file:///" + strings.Repeat("a", maxURIBytes), "", "it has 12296 bytes, at most 12288"},
		{"untitled:" + strings.Repeat("a", 1<<20), "", "at most 12288"},
		{"untitled:Untitled-1", "untitled:Untitled-1", ""},
		{"git:/a/b.go?%7B%7D", "git:/a/b.go?%7B%7D", ""},
		{"vscode-notebook-cell:/a.ipynb#W0s", "vscode-notebook-cell:/a.ipynb#W0s", ""},
		{"file:///a.go?x", "", "no query and no fragment"},
		{"file:///a.go#x", "", "no query and no fragment"},
		{"file:///a%00b.go", "", "a NUL"},
		{"file:///a\x00b.go", "", "control characters"},
		{"file:///a\nb.go", "", "control characters"},
		{"untitled:\x7f", "", "control characters"},
		{"file:///a\xff.go", "", "not valid UTF-8"},
		{"file:///", "file:///", ""},
		{"file:/", "file:///", ""},
		{"file:////", "file:///", ""},
		{"file://localhost/", "file:///", ""},
		{"", "", "missing"},
		{"file:", "", "no path"},
		{"file://", "", "no path"},
		{"a.go", "", "no scheme"},
		{"/a/b.go", "", "no scheme"},
		{":a", "", "no scheme"},
		{"1x:/a", "", "no scheme"},
	} {
		name, err := nameOf(uri.URI(c.uri))
		if c.problem == "" && (err != nil || name != c.name) || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%.80q: %.80q, %v; want %.80q %s", c.uri, name, err, c.name, c.problem)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%.80q: the message has %d bytes", c.uri, len(err.Error()))
		}
		if err == nil {
			if again, err := nameOf(uri.URI(name)); err != nil || again != name {
				t.Errorf("%q is another name the second time: %q, %v", name, again, err)
			}
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, text := range []string{"file://host/a.go", "file://127.0.0.1/a.go", "file://host%2Fa/b.go"} {
		if name, err := nameOf(uri.URI(text)); err == nil {
			t.Errorf("%q is %q", text, name)
		}
	}
	for _, text := range []string{"file:///c:/a.go", "file:///C%3A/a.go", "file:///c%3A%5Ca.go"} {
		name, err := nameOf(uri.URI(text))
		if dir, ok, _ := directoryOf(uri.URI(text)); err != nil || ok && strings.HasPrefix(dir, "/") {
			t.Errorf("%q: %q, %q, %v", text, name, dir, err)
		}
	}
}

// An empty URI is not that of the root of all files, which the protocol library reads it as:
// nothing is opened, or looked at, below that.
func TestEmptyURIs(t *testing.T) {
	b := newBench(t, simple(), Options{Root: "/m"})
	for _, params := range []string{
		`{"rootUri":"","capabilities":{}}`,
		`{"rootUri":"file:","capabilities":{}}`,
		`{"rootUri":"","rootPath":"/m","capabilities":{}}`,
		`{"workspaceFolders":[{"uri":"","name":""}],"capabilities":{}}`,
		`{"workspaceFolders":[{"uri":"file://","name":""}],"rootUri":"file:///m","capabilities":{}}`,
		`{"workspaceFolders":null,"rootUri":null,"rootPath":null,"capabilities":{}}`,
	} {
		if got := RootOf([]byte(params)); got != "" && got != filepath.FromSlash("/m") {
			t.Errorf("%s is about %q", params, got)
		}
		c := b.connect()
		c.must("initialize", params)
		c.tell("initialized", "{}")
		c.indexed()
		for _, change := range []string{`{"added":[{"uri":"","name":""}],"removed":[]}`, `{"added":[],"removed":[{"uri":"","name":""}]}`} {
			from := c.mark()
			c.tell("workspace/didChangeWorkspaceFolders", `{"event":`+change+`}`)
			c.await(from, protocol.MethodWindowLogMessage, has("is missing"))
		}
		for _, s := range b.host.allSessions() {
			for _, f := range s.folderList() {
				if f.root.ws.Root() != "/m" {
					t.Errorf("%s opened %q", params, f.root.ws.Root())
				}
			}
		}
		for _, u := range []string{"", "file:", "file:///"} {
			_, err := c.ask("textDocument/hover", at(u, 0, 0))
			wantCode(t, err, -32602, "textDocument.uri names no file")
		}
		c.finish()
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"file:///a/b.go", "file:////a%2f..%2F", "untitled:x", "file://h/%00", "FILE:a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := nameOf(uri.URI(text))
		if err != nil {
			return
		}
		if len(name) > 3*maxPathBytes+len("file://") && isFile(name) || strings.ContainsRune(name, 0) {
			t.Fatalf("%q becomes %q", text, name)
		}
		if again, err := nameOf(uri.URI(name)); err != nil || again != name {
			t.Fatalf("%q becomes %q, and that %q, %v", text, name, again, err)
		}
	})
}

// A document is one document however its client writes its name, and is answered about as the
// client writes it.
func TestSpellingsOfOneDocument(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	odd := strings.Replace(fileA, "/m/", "/m/x/../", 1)
	c.open(odd, 1, "def one\nundefined\n")
	c.await(0, protocol.MethodTextDocumentPublishDiagnostics, has(odd))
	if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word one") {
		t.Error(got)
	}
	_, err := c.ask("textDocument/hover", at("file:///m/"+strings.Repeat("x", 20<<10), 0, 0))
	wantCode(t, err, -32602, "at most 12288 are taken")
	c.finish()
}

// What an editor alone knows is followed and not asked about.
func TestDocumentsThatAreNoFiles(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	for _, name := range []string{"untitled:Untitled-1.txt", "git:/m/a.txt", "vscode-notebook-cell:/m/a.txt"} {
		c.open(name, 1, "def x\n")
		c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":2},"contentChanges":[{"text":"def y"}]}`, name))
		for _, method := range []string{"textDocument/hover", "textDocument/definition"} {
			if got, err := c.ask(method, at(name, 0, 5)); err != nil || got != "null" && got != "[]" {
				t.Errorf("%s of %s: %s, %v", method, name, got, err)
			}
		}
		c.tell("textDocument/didClose", fmt.Sprintf(`{"textDocument":{"uri":%q}}`, name))
	}
	c.finish()
}

// A document that is too large is open, costs nothing, and is answered about with the reason.
func TestTooLargeDocuments(t *testing.T) {
	for _, mode := range []string{"push", "pull"} {
		c := newBench(t, simple(), Options{MaxDocumentBytes: 20}).connect()
		c.begin("file:///m", `{"general":{"positionEncodings":["utf-8"]},"textDocument":{"diagnostic":{}}}`, fmt.Sprintf(`{"diagnostics":%q}`, mode))
		c.indexed()
		const why = "21 bytes, more than the limit of 20"
		diagnosed := func() {
			t.Helper()
			if mode == "push" {
				c.await(0, protocol.MethodTextDocumentPublishDiagnostics, has(why))
				return
			}
			if got := c.must("textDocument/diagnostic", fmt.Sprintf(`{"textDocument":{"uri":%q}}`, fileA)); !strings.Contains(got, why) || !strings.Contains(got, "too-large") {
				t.Error(got)
			}
			if got := c.must("workspace/diagnostic", `{"previousResultIds":[]}`); !strings.Contains(got, why) {
				t.Error(got)
			}
		}
		c.open(fileA, 1, strings.Repeat("x", 21))
		c.await(0, protocol.MethodWindowShowMessage, has(why))
		diagnosed()
		refused := func() {
			t.Helper()
			_, err := c.ask("textDocument/hover", at(fileA, 0, 5))
			wantCode(t, err, -32803, "too large")
		}
		refused()
		c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":2},"contentChanges":[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":9}},"text":""}]}`, fileA))
		refused()
		c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":3},"contentChanges":[{"text":"def small"}]}`, fileA))
		if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word small") {
			t.Error(got)
		}
		c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":4},"contentChanges":[{"text":"def %s"}]}`, fileA, strings.Repeat("y", 17)))
		refused()
		diagnosed()
		c.tell("textDocument/didClose", fmt.Sprintf(`{"textDocument":{"uri":%q}}`, fileA))
		if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word one") {
			t.Error(got) // its content on disk
		}
		c.finish()
	}
}

// Edits that wait are committed together: a flood costs as many commits as there is time for, and
// no request sees one edit more or less than came before it.
func TestFloodOfEditsIsCommittedTogether(t *testing.T) {
	lang := simple()
	b := newBench(t, lang, Options{})
	c := b.connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	c.open(fileA, 0, "def a\n")
	c.must("textDocument/hover", at(fileA, 0, 5)) // all that was sent before has come
	conn := b.host.allSessions()[0].conn
	came := conn.Stats().Received
	b.host.overlays.mu.Lock() // holds the first of them up, and all behind it
	const edits = 500
	for i := range edits {
		c.tell("textDocument/didChange", fmt.Sprintf(
			`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":0,"character":5},"end":{"line":0,"character":5}},"text":"b"}]}`, fileA, i+1))
	}
	ids := make(chan string, 1)
	go func() {
		got, err := c.ask("textDocument/hover", at(fileA, 0, 5))
		if err != nil {
			got = err.Error()
		}
		ids <- got
	}()
	// Behind the edits is a question, which is read when all of them wait or are held up.
	for conn.Stats().Received < came+edits+1 {
		runtime.Gosched()
	}
	before := lang.overlaysSet.Load()
	b.host.overlays.mu.Unlock()
	if got := <-ids; !strings.Contains(got, "word a"+strings.Repeat("b", edits)) {
		t.Errorf("%.200s", got)
	}
	if n := lang.overlaysSet.Load() - before; n > 2 {
		t.Errorf("%d edits that waited are committed in %d steps", edits, n)
	}
	c.finish()
}

// Among edits that are applied together, one that does not fit puts its document out of sync as it
// would alone, and no other document.
func TestBadEditAmongMany(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	c.open(fileA, 0, "def a\n")
	c.open(fileB, 0, "def b\n")
	edit := func(name string, version, line, character int, text string) {
		c.tell("textDocument/didChange", fmt.Sprintf(
			`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":%d,"character":%d},"end":{"line":%d,"character":%d}},"text":%q}]}`,
			name, version, line, character, line, character, text))
	}
	b.host.overlays.mu.Lock()
	edit(fileA, 1, 0, 5, "x")
	edit(fileA, 2, 0, 6, "y")
	edit(fileB, 1, 0, 5, "u")
	edit(fileA, 3, 77, 0, "?")
	edit(fileA, 4, 0, 0, "z")
	edit("file:///m/none.txt", 1, 0, 0, "?")
	edit(fileB, 2, 0, 6, "v")
	for b.host.allSessions()[0].conn.Stats().Waiting < 5 {
		runtime.Gosched()
	}
	b.host.overlays.mu.Unlock()
	_, err := c.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, -32803, "could not be made from version 2", "line 77")
	if got := c.must("textDocument/hover", at(fileB, 0, 5)); !strings.Contains(got, "word buv") {
		t.Error(got)
	}
	c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":5},"contentChanges":[{"text":"def healed"}]}`, fileA))
	if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word healed") {
		t.Error(got)
	}
	c.finish()
}
