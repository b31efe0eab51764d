package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/protocol"
)

const (
	fileA = "file:///m/a.txt"
	fileB = "file:///m/b.txt"
)

func simple() *fakeLanguage {
	return newFake("/m/a.txt", "def one\n  def inner\none two\n", "/m/b.txt", "def two\n😀 one two\n")
}

func TestAnswersPlain(t *testing.T) {
	c := newBench(t, simple(), Options{Version: "1.2"}).connect()
	caps := c.begin("file:///m", plainCaps, "")
	for _, part := range []string{`"positionEncoding":"utf-16"`, `"change":2`, `"hoverProvider":true`, `"serverInfo":{"name":"cytisus","version":"1.2"}`, `"cytisus.stats"`} {
		if !strings.Contains(caps, part) {
			t.Errorf("%s is missing in %s", part, caps)
		}
	}
	if strings.Contains(caps, "diagnosticProvider") {
		t.Error("pull diagnostics offered to a client without them")
	}
	c.indexed()
	for _, q := range []struct{ method, params, want string }{
		{"textDocument/definition", at(fileB, 1, 4), `[{"uri":"file:///m/a.txt","range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}]`},
		{"textDocument/definition", at(fileB, 1, 0), `null`},
		{
			"textDocument/references", `{"textDocument":{"uri":"file:///m/a.txt"},"position":{"line":2,"character":5},"context":{"includeDeclaration":false}}`,
			`[{"uri":"file:///m/a.txt","range":{"start":{"line":2,"character":4},"end":{"line":2,"character":7}}},{"uri":"file:///m/b.txt","range":{"start":{"line":1,"character":7},"end":{"line":1,"character":10}}}]`,
		},
		{"textDocument/hover", at(fileA, 0, 5), `{"contents":{"kind":"plaintext","value":"word one\n\ndef one\n  def inner\none two"},"range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}`},
		{"textDocument/documentSymbol", doc(fileA), `[{"name":"one","kind":13,"location":{"uri":"file:///m/a.txt","range":{"start":{"line":0,"character":0},"end":{"line":1,"character":11}}}},{"name":"inner","kind":13,"containerName":"one","location":{"uri":"file:///m/a.txt","range":{"start":{"line":1,"character":0},"end":{"line":1,"character":11}}}}]`},
		{"workspace/symbol", `{"query":"n"}`, `[{"name":"one","kind":13,"containerName":"m","location":{"uri":"file:///m/a.txt","range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}},{"name":"inner","kind":13,"containerName":"m","location":{"uri":"file:///m/a.txt","range":{"start":{"line":1,"character":6},"end":{"line":1,"character":11}}}}]`},
		{"textDocument/hover", at("file:///m/readme.md", 0, 0), `null`}, // of another language
	} {
		if got := c.must(q.method, q.params); got != q.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", q.method, q.params, got, q.want)
		}
	}
	c.finish()
}

func TestAnswersRich(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	if caps := c.begin("file:///m", fmt.Sprintf(richCaps, ""), ""); !strings.Contains(caps, `"positionEncoding":"utf-8"`) {
		t.Error(caps)
	}
	c.indexed()
	for _, q := range []struct{ method, params, want string }{
		{"textDocument/definition", at(fileB, 1, 6), `[{"targetUri":"file:///m/a.txt","targetRange":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}},"targetSelectionRange":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}]`},
		{"textDocument/hover", at(fileB, 1, 5), "{\"contents\":{\"kind\":\"markdown\",\"value\":\"```words\\nword one\\n```\\n\\n---\\n\\ndef two\\n😀 one two\"},\"range\":{\"start\":{\"line\":1,\"character\":5},\"end\":{\"line\":1,\"character\":8}}}"},
		{"textDocument/documentSymbol", doc(fileA), `[{"name":"one","detail":"word","kind":13,"range":{"start":{"line":0,"character":0},"end":{"line":1,"character":11}},"selectionRange":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}},"children":[{"name":"inner","detail":"word","kind":13,"range":{"start":{"line":1,"character":0},"end":{"line":1,"character":11}},"selectionRange":{"start":{"line":1,"character":6},"end":{"line":1,"character":11}}}]}]`},
		{"workspace/symbol", `{"query":"m.two"}`, `[{"name":"m.two","kind":13,"containerName":"m","location":{"uri":"file:///m/b.txt","range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}}]`},
		{"workspace/symbol", `{"query":"two"}`, `[{"name":"two","kind":13,"containerName":"m","location":{"uri":"file:///m/b.txt","range":{"start":{"line":0,"character":4},"end":{"line":0,"character":7}}}}]`},
	} {
		if got := c.must(q.method, q.params); strings.ReplaceAll(got, `,"children":[]`, "") != q.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", q.method, q.params, got, q.want)
		}
	}
	c.finish()
}

// Bad input has a clear answer each, and the server lives.
func TestBadRequests(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", "def panic\npanic\n"), Options{}).connect()
	_, err := c.ask("textDocument/hover", at(fileA, 0, 0))
	wantCode(t, err, -32002)
	_, err = c.ask("initialize", `{"capabilities":7}`)
	wantCode(t, err, -32602)
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	_, err = c.ask("textDocument/hover", at(fileA, 9, 3))
	wantCode(t, err, -32602, "line 9, character 3", "3 lines and 16 bytes", fileA)
	c.open(fileA, 1, "def x\n")
	_, err = c.ask("textDocument/definition", at(fileA, 2, 0))
	wantCode(t, err, -32602, "line 2, character 0", "2 lines and 6 bytes", fileA)
	_, err = c.ask("textDocument/hover", at("file:///m/none.txt", 0, 0))
	wantCode(t, err, int(UnknownFile), "file:///m/none.txt", "unknown file")
	_, err = c.ask("textDocument/hover", `{"position":{"line":0,"character":0}}`)
	wantCode(t, err, -32602, "textDocument.uri is missing")
	_, err = c.ask("textDocument/hover", `{"textDocument":{"uri":"file:///m/a.txt"},"position":{"line":-1,"character":0}}`)
	wantCode(t, err, -32602)
	_, err = c.ask("textDocument/hover", "")
	wantCode(t, err, -32602, "params are missing")
	_, err = c.ask("textDocument/moniker", at(fileA, 0, 0))
	wantCode(t, err, -32601, "textDocument/moniker")
	_, err = c.ask("workspace/executeCommand", `{"command":"rm"}`)
	wantCode(t, err, -32602, `"rm"`, "cytisus.stats")
	_, err = c.ask("initialize", `{"capabilities":{}}`)
	wantCode(t, err, -32600)

	// Notifications have no answer: the client's log says what was wrong.
	from := c.mark()
	c.tell("textDocument/didChange", insert(fileB, 2, 0, 0, "x"))
	c.await(from, protocol.MethodWindowLogMessage, has("not open"))
	c.tell("textDocument/didClose", doc(fileB))
	c.await(from, protocol.MethodWindowLogMessage, has("close "+fileB))

	// A change that does not fit is shown once, and nobody answers from a wrong text.
	c.tell("textDocument/didChange", insert(fileA, 2, 77, 0, "x"))
	c.await(from, protocol.MethodWindowShowMessage, has("line 77, character 0"))
	c.tell("textDocument/didChange", insert(fileA, 3, 0, 0, "x"))
	_, err = c.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, -32803, "out of sync")
	if n := c.count(from, protocol.MethodWindowShowMessage, "out of sync"); n != 1 {
		t.Errorf("shown %d times", n)
	}
	c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt","version":4},"contentChanges":[{"text":"def panic\n"}]}`)
	_, err = c.ask("textDocument/definition", at(fileA, 0, 5))
	wantCode(t, err, -32603, "panicked: the word is panic")
	if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "def panic") {
		t.Error(got)
	}
	c.finish()
}

// A lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A panic that a language has caught is told to the client, and where it was to the log.
func TestCaughtPanicIsLogged(t *testing.T) {
	var log lockedBuffer
	c := newBench(t, newFake("/m/a.txt", "def caught\n"), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	_, err := c.ask("textDocument/definition", at(fileA, 0, 5))
	wantCode(t, err, -32603, "the word is caught")
	if got := log.String(); !strings.Contains(got, "textDocument/definition") || !strings.Contains(got, "where it was caught") {
		t.Errorf("the log has %q", got)
	}
	c.finish()
}

// A change that cannot be understood is one all the same: nothing is answered from the text before
// it, until the client sends a whole one.
func TestUnreadableChange(t *testing.T) {
	for _, change := range []string{
		`"contentChanges":[{"text":3}]`,
		`"contentChanges":[{"range":{"start":{"line":0,"character":-1},"end":{"line":0,"character":0}},"text":"x"}]`,
		`"contentChanges":[{"range":{"start":{"line":0,"character":0}},"text":null}]`,
		`"contentChanges":{}`,
		`"contentChanges":[null]`,
	} {
		c := newBench(t, simple(), Options{}).connect()
		c.begin("file:///m", plainCaps, "")
		c.indexed()
		c.open(fileA, 1, "def one\n")
		from := c.mark()
		c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt","version":2},`+change+`}`)
		c.tell("textDocument/didChange", insert(fileA, 3, 0, 0, "def x\n"))
		_, err := c.ask("textDocument/hover", at(fileA, 0, 5))
		wantCode(t, err, -32803, "out of sync", "malformed change")
		c.await(from, protocol.MethodWindowShowMessage, has("malformed change"))
		c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt","version":4},"contentChanges":[{"text":"\ndef one\n"}]}`)
		if got := c.must("textDocument/hover", at(fileA, 1, 5)); !strings.Contains(got, "word one") {
			t.Error(got)
		}
		c.finish()
	}
}

// So is a second opening of a document; a first one that cannot be understood opens nothing.
func TestUnreadableOpening(t *testing.T) {
	for _, rest := range []string{`"text":7`, `"version":3`, `"version":"3","text":"x"`, `"languageId":{},"text":"x"`} {
		c := newBench(t, simple(), Options{}).connect()
		c.begin("file:///m", plainCaps, "")
		c.indexed()
		bad := `{"textDocument":{"uri":"file:///m/a.txt",` + rest + `}}`
		from := c.mark()
		c.tell("textDocument/didOpen", bad)
		c.await(from, protocol.MethodWindowLogMessage, has("didOpen"))
		if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word one") {
			t.Error(got)
		}
		c.open(fileA, 1, "def two\n")
		from = c.mark()
		c.tell("textDocument/didOpen", bad)
		c.tell("textDocument/didChange", insert(fileA, 4, 0, 0, "def x\n"))
		_, err := c.ask("textDocument/hover", at(fileA, 0, 5))
		wantCode(t, err, -32803, "out of sync", "malformed change")
		c.await(from, protocol.MethodWindowShowMessage, has("malformed change"))
		c.open(fileA, 5, "\ndef three\n")
		if got := c.must("textDocument/hover", at(fileA, 1, 5)); !strings.Contains(got, "word three") {
			t.Error(got)
		}
		c.finish()
	}
}

// V0: thousands of interleaved edits and requests, each answer about the text at its ticket.
func TestAnswersAreAboutTheTextOfTheirTicket(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", ""), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	text := "def quiet\n"
	c.open(fileA, 0, text)
	var answers sync.WaitGroup
	open := make(chan struct{}, 500) // below the limit of open requests, however slow the machine
	for version := 1; version <= 2500; version++ {
		switch n := r.IntN(10); {
		case n < 5:
			at := 4 + r.IntN(len(text)-4-len("quiet\n")+1)
			text = text[:at] + string(rune('a'+r.IntN(26))) + text[at:]
			c.tell("textDocument/didChange", insert(fileA, version, 0, at, text[at:at+1]))
		case n < 6 && len(text) > 20:
			text = text[:4] + text[10:]
			c.tell("textDocument/didChange", fmt.Sprintf(`{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":0,"character":4},"end":{"line":0,"character":10}},"text":""}]}`, fileA, version))
		default:
			want := strings.TrimSuffix(text, "\n")
			open <- struct{}{}
			pending, err := c.Start("textDocument/hover", json.RawMessage(at(fileA, 0, 5)))
			if err != nil {
				t.Fatal(err)
			}
			answers.Go(func() {
				defer func() { <-open }()
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				var h struct {
					Contents protocol.MarkupContent `json:"contents"`
				}
				if err := pending.Wait(ctx, &h); err != nil {
					t.Errorf("version %d: %v", version, err)
				} else if _, doc, _ := strings.Cut(h.Contents.Value, "\n\n"); doc != want {
					t.Errorf("version %d: answered about %q, want %q", version, doc, want)
				}
			})
		}
	}
	answers.Wait()
	c.finish()
}

func TestCancelReachesTheTask(t *testing.T) {
	lang := simple()
	lang.stuck, lang.began, lang.ended = make(chan struct{}), make(chan struct{}, 1), make(chan error, 1)
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- c.Call(ctx, "textDocument/definition", json.RawMessage(at(fileA, 0, 5)), nil) }()
	<-lang.began                                  // a task that is cancelled before never starts
	c.must("textDocument/hover", at(fileA, 0, 5)) // goes past the one that waits
	cancel()                                      // sends $/cancelRequest
	<-failed
	if err := <-lang.ended; err == nil {
		t.Error("the task did not hear of the cancellation")
	}
	close(lang.stuck)
	c.finish()
}

func TestRequestsAreAnsweredWhileIndexing(t *testing.T) {
	lang := simple()
	lang.gate = make(chan struct{})
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	created, _ := c.await(0, "window/workDoneProgress/create", nil)
	begun, from := c.await(0, "$/progress", has(`"begin"`))
	if !strings.Contains(begun, `"title":"Indexing m"`) || !strings.Contains(begun, `"percentage":0`) || !strings.Contains(created, `"token":"cytisus-index-`) {
		t.Error(created, begun)
	}
	c.open(fileA, 1, "def fresh\n")
	if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "word fresh") {
		t.Error(got)
	}
	// A token of the client's own is served, too.
	got := c.must("textDocument/references", `{"textDocument":{"uri":"file:///m/a.txt"},"position":{"line":0,"character":5},"context":{"includeDeclaration":true},"workDoneToken":7}`)
	if !strings.Contains(got, fileA) {
		t.Error(got)
	}
	c.await(from, "$/progress", has(`{"token":7,"value":{"kind":"begin","title":"References"`))
	c.await(from, "$/progress", has(`{"token":7,"value":{"kind":"report","message":"indexing: scan"`))
	c.await(from, "$/progress", has(`{"token":7,"value":{"kind":"end"`))
	close(lang.gate)
	c.await(from, "$/progress", has(`"message":"check: 1 of 2 packages","percentage":55`))
	end, _ := c.await(from, "$/progress", has(`"end","message":"1 packages`))
	if n := c.count(0, "$/progress", `"kind":"begin","title":"Indexing`); n != 1 {
		t.Errorf("%d begins", n)
	}
	if !strings.Contains(end, "cytisus-index-") {
		t.Error(end)
	}
	c.finish()
}

func TestNoProgressForClientsWithout(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	if n := c.count(0, "$/progress", "") + c.count(0, "window/workDoneProgress/create", ""); n != 0 {
		t.Errorf("%d progress messages", n)
	}
	c.finish()
}

// A client that refuses the token gets no progress, and its session goes on.
func TestRefusedProgress(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.refuse["window/workDoneProgress/create"] = errFake
	c.refuse[protocol.MethodClientRegisterCapability] = errFake
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	c.indexed()
	if n := c.count(0, "$/progress", ""); n != 0 {
		t.Errorf("%d progress messages", n)
	}
	c.finish()
}

func TestTwoClients(t *testing.T) {
	b := newBench(t, simple(), Options{})
	one, two := b.connect(), b.connect()
	one.begin("file:///m", plainCaps, "")
	two.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	one.indexed()
	two.indexed()
	if n := b.lang.opens.Load(); n != 1 {
		t.Errorf("%d workspaces", n)
	}
	// Each counts characters its own way.
	for _, c := range []struct {
		*client
		character int
	}{{one, 3}, {two, 5}} {
		if got := c.must("textDocument/hover", at(fileB, 1, c.character)); !strings.Contains(got, fmt.Sprintf(`"start":{"line":1,"character":%d}`, c.character)) {
			t.Error(got)
		}
	}
	// The one that wrote last has the text; the other is told so, and has its own back later.
	one.open(fileA, 1, "def mine\n")
	one.must("textDocument/hover", at(fileA, 0, 5))
	two.open(fileA, 1, "def yours\n")
	if got := two.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "def yours") {
		t.Error(got)
	}
	_, err := one.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, -32801, "another client")
	if got := one.must("textDocument/definition", at(fileB, 1, 7)); !strings.Contains(got, fileB) {
		t.Error("other files are not concerned:", got)
	}
	two.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt","version":2},"contentChanges":[{"text":"def mine\n"}]}`)
	two.must("textDocument/hover", at(fileA, 0, 5))
	one.must("textDocument/hover", at(fileA, 0, 5)) // the same text is no conflict
	two.tell("textDocument/didChange", insert(fileA, 3, 0, 0, "x"))
	two.finish() // V2: its text goes with it
	if got := one.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "def mine") {
		t.Error(got)
	}
	if n := b.host.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	one.raw.Close() // gone without a word
	<-one.done
	late := b.connect()
	late.begin("file:///m", plainCaps, "")
	late.indexed()
	if got := late.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "def one") {
		t.Error("an overlay outlives its client:", got)
	}
	late.finish()
}

func TestWatchedFiles(t *testing.T) {
	lang := simple()
	lang.seen = make(chan []string, 10)
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	registered, _ := c.await(0, protocol.MethodClientRegisterCapability, nil)
	if !strings.Contains(registered, `"workspace/didChangeWatchedFiles"`) || !strings.Contains(registered, `{"baseUri":"file:///m","pattern":"**/*.txt"}`) {
		t.Error(registered)
	}
	c.indexed()
	lang.write("/m/a.txt", "def changed\n")
	c.tell("workspace/didChangeWatchedFiles", `{"changes":[{"uri":"file:///m/a.txt","type":2},{"uri":"file:///elsewhere/a.txt","type":1}]}`)
	if got := fmt.Sprint(<-lang.seen); got != "[file:///elsewhere/a.txt file:///m/a.txt]" {
		t.Error(got)
	}
	if got := c.must("textDocument/hover", at(fileA, 0, 5)); !strings.Contains(got, "def changed") {
		t.Error(got)
	}
	c.open(fileB, 1, "def b\n")
	c.tell("textDocument/didSave", doc(fileB))
	if got := fmt.Sprint(<-lang.seen); got != "[file:///m/b.txt]" {
		t.Error(got)
	}
	c.finish()
}

func TestPlainWatchPatterns(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", `{"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true}}}`, "")
	if got, _ := c.await(0, protocol.MethodClientRegisterCapability, nil); !strings.Contains(got, `"globPattern":"/m/**/*.txt"`) {
		t.Error(got)
	}
	c.finish()
}

func TestFolders(t *testing.T) {
	lang := newFake("/m/a.txt", "def one\nwrong\n", "/n/c.txt", "def three\nalso\n")
	b := newBench(t, lang, Options{})
	c := b.connect()
	c.begin("file:///m", plainPush, "")
	c.await(0, "textDocument/publishDiagnostics", has("undefined: wrong"))
	from := c.mark()
	c.tell("workspace/didChangeWorkspaceFolders", `{"event":{"added":[{"uri":"file:///n","name":"n"},{"uri":"untitled:x","name":"x"}],"removed":[]}}`)
	c.await(from, "textDocument/publishDiagnostics", has("undefined: also"))
	if got := c.must("workspace/symbol", `{"query":"e"}`); !strings.Contains(got, "three") || !strings.Contains(got, "one") {
		t.Error(got)
	}
	if s := b.host.Stats(); len(s.Roots) != 2 {
		t.Errorf("%+v", s.Roots)
	}
	from = c.mark()
	c.tell("workspace/didChangeWorkspaceFolders", `{"event":{"added":[],"removed":[{"uri":"file:///m","name":"m"},{"uri":"file:///unknown","name":"u"}]}}`)
	got, _ := c.await(from, "textDocument/publishDiagnostics", has(fileA))
	if !strings.Contains(got, `"diagnostics":[]`) {
		t.Error("what was published of a folder outlives it:", got)
	}
	if got := c.must("workspace/symbol", `{"query":"e"}`); strings.Contains(got, "one") {
		t.Error(got)
	}
	if s := b.host.Stats(); len(s.Roots) != 1 {
		t.Errorf("%+v", s.Roots)
	}
	c.tell("workspace/didChangeWorkspaceFolders", `{"event":{"added":[{"uri":"file:///missing","name":"m"}],"removed":[]}}`)
	c.await(from, protocol.MethodWindowLogMessage, has("/missing: no such directory"))
	c.finish()
}

func TestInitializeWithoutAWorkspace(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	c.must("initialize", `{"rootUri":"file:///missing","capabilities":{}}`) // whatever is wrong
	c.tell("initialized", "{}")
	c.await(0, protocol.MethodWindowShowMessage, has("/missing is not open"))
	_, err := c.ask("textDocument/hover", at(fileA, 0, 0))
	wantCode(t, err, -32803, "no workspace is open")
	if got := c.must("workspace/symbol", `{"query":""}`); got != "[]" {
		t.Error(got)
	}
	c.finish()
	for _, params := range []string{
		`{"rootPath":"/m","capabilities":{}}`,
		`{"workspaceFolders":[{"uri":"file:///m","name":"m"},{"uri":"file:///missing","name":"x"}],"rootUri":"file:///missing","capabilities":{}}`,
	} {
		c := b.connect()
		c.must("initialize", params)
		c.tell("initialized", "{}")
		if strings.Contains(params, "workspaceFolders") {
			c.await(0, protocol.MethodWindowShowMessage, has("no such directory"))
		}
		if got := RootOf([]byte(params)); got != filepath.FromSlash("/m") {
			t.Errorf("%s is about %q", params, got)
		}
		c.finish()
	}
	if RootOf([]byte(`{`)) != "" || RootOf([]byte(`{"capabilities":{}}`)) != "" {
		t.Error("a root from nothing")
	}
}

// A folder that the client names through a link keeps that name in everything it is sent.
func TestLinkedRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	b := newBench(t, newFake(filepath.Join(real, "a.txt"), "def one\nwrong one\n"), Options{})
	c := b.connect()
	c.begin(strings.TrimSuffix(dirURI(link), "/"), plainPush, "")
	name := dirURI(link) + "a.txt"
	got, _ := c.await(0, "textDocument/publishDiagnostics", nil)
	if !strings.Contains(got, name) {
		t.Error(got)
	}
	if got := c.must("textDocument/definition", at(name, 1, 7)); !strings.Contains(got, name) {
		t.Error(got)
	}
	c.open(name, 1, "def other\n")
	if got := c.must("textDocument/definition", at(name, 0, 5)); !strings.Contains(got, name) {
		t.Error(got)
	}
	direct := b.connect() // by its own name it is the same root
	direct.begin(strings.TrimSuffix(dirURI(real), "/"), plainPush, "")
	if got := direct.must("textDocument/definition", at(dirURI(real)+"a.txt", 0, 5)); !strings.Contains(got, dirURI(real)+"a.txt") {
		t.Error(got)
	}
	if n := len(b.host.Stats().Roots); n != 1 {
		t.Errorf("%d roots", n)
	}
	direct.finish()
	c.finish()
}

func TestIntrospection(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.must("initialize", `{"rootUri":"file:///m","clientInfo":{"name":"ed","version":"3"},"capabilities":{}}`)
	c.tell("initialized", "{}")
	c.indexed()
	for _, ask := range []func() string{
		func() string { return c.must("cytisus/stats", "") },
		func() string { return c.must("workspace/executeCommand", `{"command":"cytisus.stats"}`) },
	} {
		var s Stats
		if err := json.Unmarshal([]byte(ask()), &s); err != nil {
			t.Fatal(err)
		}
		if s.PID != os.Getpid() || len(s.Roots) != 1 || s.Roots[0].Indexes != 1 || len(s.Sessions) != 1 || s.Sessions[0].Client != "ed 3" || s.Engine.Queries["fake/uses"].Ran == 0 {
			t.Errorf("%+v", s)
		}
	}
	c.must("textDocument/documentSymbol", doc(fileA))
	if got := c.must("cytisus/explain", doc(fileA)); !strings.Contains(got, "fake/uses") {
		t.Error(got)
	}
	if got := c.must("workspace/executeCommand", `{"command":"cytisus.explain","arguments":[`+doc(fileA)+`]}`); !strings.Contains(got, "fake/uses") {
		t.Error(got)
	}
	if got := c.must("workspace/executeCommand", `{"command":"cytisus.reindex"}`); !strings.Contains(got, `"files":2`) {
		t.Error(got)
	}
	c.finish()
}

func TestTraceAndShutdown(t *testing.T) {
	c := newBench(t, simple(), Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.indexed()
	c.tell("$/setTrace", `{"value":"messages"}`)
	c.must("textDocument/hover", at(fileA, 0, 5))
	c.await(0, "$/logTrace", has("textDocument/hover"))
	c.must("shutdown", "")
	_, err := c.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, -32600)
	if err := c.Notify("exit", nil); err != nil {
		t.Error(err)
	}
	<-c.done
	if c.code != 0 || c.err != nil {
		t.Error(c.code, c.err)
	}
}

func TestClosedHost(t *testing.T) {
	b := newBench(t, simple(), Options{})
	if err := b.host.Close(); err != nil {
		t.Error(err)
	}
	c := b.connect()
	<-c.done
	if c.code != 1 || c.err == nil {
		t.Error(c.code, c.err)
	}
	if _, err := b.host.Open(t.Context(), "/m"); err == nil {
		t.Error("opened")
	}
	if _, err := b.host.Open(t.Context(), "m"); err == nil {
		t.Error("opened a relative directory")
	}
}

// cytisus/settle is answered when the index has ended and the files that were reported before have
// been looked at, no sooner.
func TestSettle(t *testing.T) {
	lang := simple()
	lang.gate, lang.seen = make(chan struct{}), make(chan []string)
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", plainCaps, "")
	c.tell("workspace/didChangeWatchedFiles", `{"changes":[{"uri":"file:///m/b.txt","type":2}]}`)
	settled := make(chan error, 1)
	go func() { _, err := c.ask("cytisus/settle", ""); settled <- err }()
	still := func(why string) {
		t.Helper()
		c.must("cytisus/stats", "") // an answer to a later request shows that the first has been taken
		select {
		case err := <-settled:
			t.Fatalf("settled %s: %v", why, err)
		default:
		}
	}
	still("during the index")
	close(lang.gate)
	c.indexed()
	still("before the file was looked at")
	<-lang.seen
	if err := <-settled; err != nil {
		t.Error(err)
	}
	c.finish()
}

func TestHostIndex(t *testing.T) {
	b := newBench(t, simple(), Options{})
	ws, err := b.host.Open(t.Context(), "/m")
	if err != nil || ws.Root() != "/m" {
		t.Fatal(ws, err)
	}
	sum, err := b.host.Index(t.Context(), "/m")
	if err != nil || sum.Files != 2 {
		t.Error(sum, err)
	}
	b.lang.gate = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.host.Index(ctx, "/m"); err == nil {
		t.Error("did not hear of the end of its context")
	}
	close(b.lang.gate)
	if sum, err := b.host.Index(t.Context(), "/m"); err != nil || sum.Files != 2 {
		t.Error(sum, err)
	}
}

func TestWhatAnIndexLacksIsTold(t *testing.T) {
	lang := newFake("/w/a.txt", "def x")
	lang.missing = []string{"/w: more than is read", "/w/b: denied", "/w/c: denied", "/w/d: denied"}
	c := newBench(t, lang, Options{Name: "words"}).connect()
	c.begin("file:///w", plainCaps, "")
	shown, _ := c.await(0, protocol.MethodWindowShowMessage, has("not read whole"))
	if !strings.Contains(shown, "/w: more than is read") || strings.Contains(shown, "/w/d") || !strings.Contains(shown, "and 1 more") {
		t.Errorf("shown: %s", shown)
	}
	from := c.mark()
	c.must(MethodReindex, "{}")
	c.await(from, protocol.MethodWindowLogMessage, has("not read whole"))
	c.finish()
	if n := c.count(0, protocol.MethodWindowShowMessage, "not read whole"); n != 1 {
		t.Errorf("shown %d times", n)
	}
}

// However many files are reported while some are looked at, the names that wait are bounded: more
// of them are one look at everything.
func TestFloodOfReports(t *testing.T) {
	lang := simple()
	lang.seen = make(chan []string)
	b := newBench(t, lang, Options{})
	c := b.connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	c.indexed()
	report := func(names ...string) {
		t.Helper()
		var changes []string
		for _, name := range names {
			changes = append(changes, fmt.Sprintf(`{"uri":"file:///m/%s","type":2}`, name))
		}
		c.tell("workspace/didChangeWatchedFiles", `{"changes":[`+strings.Join(changes, ",")+`]}`)
	}
	waiting := func() (names int, rescan bool) {
		c.must(MethodStats, "") // so what was told before is done
		b.host.mu.Lock()
		r := b.host.roots[0]
		b.host.mu.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.changed), r.rescan
	}
	seen := func(want string) {
		t.Helper()
		if got := <-lang.seen; len(got) != 1 || got[0] != want {
			t.Errorf("looked at %d names, %.200q; want %s", len(got), got, want)
		}
	}
	report("a.txt")
	for names, _ := waiting(); names > 0; names, _ = waiting() { // until it is looked at, which goes on until seen is read
	}
	for range 3 {
		report("b.txt", "b.txt", "x/../b.txt")
	}
	if names, rescan := waiting(); names != 1 || rescan {
		t.Errorf("%d names wait, rescan %v", names, rescan)
	}
	for i := 0; i <= changedMax; i += 100 {
		var names []string
		for j := range 100 {
			names = append(names, fmt.Sprintf("n%d.txt", i+j))
		}
		report(names...)
	}
	if names, rescan := waiting(); names != 0 || !rescan {
		t.Errorf("%d names wait, rescan %v", names, rescan)
	}
	seen("file:///m/a.txt")
	seen("file:///m")
	var all []string
	for i := range changedMax + 10 {
		all = append(all, fmt.Sprintf("o%d.txt", i))
	}
	report(all...) // in one message
	seen("file:///m")
	report("b.txt")
	seen("file:///m/b.txt")
	c.finish()
}
