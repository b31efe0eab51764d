package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

var errFake = jsonrpc2.NewError(jsonrpc2.InternalError, "the editor is not in the mood")

const (
	plainPush = `{"textDocument":{"publishDiagnostics":{"versionSupport":true}}}`
	published = protocol.MethodTextDocumentPublishDiagnostics
)

func TestPushDiagnostics(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", "def one\nwrong\n", "/m/b.txt", "one\n"), Options{}).connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, ""), "")
	got, _ := c.await(0, published, nil)
	want := `{"uri":"file:///m/a.txt","diagnostics":[{"range":{"start":{"line":1,"character":0},"end":{"line":1,"character":5}},"severity":1,"code":"undefined","source":"words","message":"undefined: wrong","tags":[1],` +
		`"relatedInformation":[{"location":{"uri":"file:///m/a.txt","range":{"start":{"line":0,"character":0},"end":{"line":0,"character":0}}},"message":"declare it here"}]}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.indexed()

	// An open document's carry the version of the text they are about.
	from := c.mark()
	c.open(fileA, 7, "def one\nwrong worse\n")
	got, from = c.await(from, published, has("worse"))
	if !strings.Contains(got, `"version":7`) || !strings.Contains(got, `"start":{"line":1,"character":6}`) {
		t.Error(got)
	}
	c.tell("textDocument/didChange", insert(fileA, 8, 1, 0, "one\n"))
	got, from = c.await(from, published, has(`"version":8`))
	if !strings.Contains(got, `"start":{"line":2,"character":6}`) {
		t.Error(got)
	}

	// An edit that breaks another file shows there.
	c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/a.txt","version":9},"contentChanges":[{"text":"def two\n"}]}`)
	got, _ = c.await(from, published, has(fileB))
	if !strings.Contains(got, "undefined: one") || strings.Contains(got, "version") {
		t.Error(got)
	}
	c.await(from, published, has(`"uri":"file:///m/a.txt","version":9,"diagnostics":[]`))

	// Closing gives the file back to the disk.
	from = c.mark()
	c.tell("textDocument/didClose", doc(fileA))
	got, _ = c.await(from, published, has(fileA))
	if !strings.Contains(got, "undefined: wrong") || strings.Contains(got, "version") {
		t.Error(got)
	}
	c.await(from, published, has(`"uri":"file:///m/b.txt","diagnostics":[]`))
	c.finish()
}

// A burst of edits ends with the diagnostics of the last text (V3), whatever was skipped.
func TestBurstOfEdits(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", ""), Options{}).connect()
	c.begin("file:///m", plainPush, "")
	c.indexed()
	c.open(fileA, 0, "")
	const last = 300
	for v := 1; v <= last; v++ {
		c.tell("textDocument/didChange", insert(fileA, v, 0, 0, "x"))
	}
	c.await(0, published, has(fmt.Sprintf(`"version":%d,`, last)))
	c.must("textDocument/documentSymbol", doc(fileA)) // anything that was late has come by now
	version := -1
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.got {
		var p struct {
			URI     string
			Version int
		}
		if m.Method != published || json.Unmarshal([]byte(m.Params), &p) != nil {
			continue
		}
		if p.Version < version {
			t.Errorf("version %d after %d", p.Version, version)
		}
		version = p.Version
	}
}

func TestWarmStartPublishesWhatIsKnown(t *testing.T) {
	lang := newFake("/m/a.txt", "wrong\n")
	b := newBench(t, lang, Options{})
	if _, err := b.host.Open(t.Context(), "/m"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.host.Index(t.Context(), "/m"); err != nil {
		t.Fatal(err)
	}
	lang.gate = make(chan struct{}) // nothing is indexed from now on
	c := b.connect()
	c.begin("file:///m", plainPush, "")
	c.await(0, published, has("undefined: wrong"))
	close(lang.gate)
	c.finish()
}

// A text is published with each version that has it, whether or not anything else has changed.
func TestVersionsOfOneText(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", ""), Options{}).connect()
	c.begin("file:///m", plainPush, "")
	c.indexed()
	c.open(fileA, 1, "wrong\n")
	_, from := c.await(0, published, has(`"version":1,`))
	whole := `{"textDocument":{"uri":"file:///m/a.txt","version":%d},"contentChanges":[{"text":%q}]}`
	for version, text := range []string{2: "wrong\n", 3: "wrong \n", 4: "wrong\n", 5: "wrong\n"} {
		if version < 2 {
			continue
		}
		c.tell("textDocument/didChange", fmt.Sprintf(whole, version, text))
		var got string
		if got, from = c.await(from, published, has(fmt.Sprintf(`"version":%d,`, version))); !strings.Contains(got, "undefined: wrong") {
			t.Error(got)
		}
	}
	c.finish()
}

// Of two clients that have different texts, the one whose text counts is told what is wrong with
// it; the other one is told when its text counts again, and at once if the texts are the same.
func TestTextsOfTwoClientsAreJudged(t *testing.T) {
	b := newBench(t, newFake("/m/a.txt", ""), Options{})
	one, two := b.connect(), b.connect()
	for _, c := range []*client{one, two} {
		c.begin("file:///m", plainPush, "")
		c.indexed()
	}
	one.open(fileA, 1, "wrong\n")
	one.await(0, published, has(`"version":1,`))
	two.open(fileA, 7, "wrong\n") // nothing is committed for it
	two.await(0, published, has(`"version":7,`))
	from := one.mark()
	two.tell("textDocument/didChange", insert(fileA, 8, 0, 0, "worse "))
	two.await(0, published, has(`"version":8,`))
	one.must("cytisus/settle", "") // what was late has come by now
	if n := one.count(from, published, "worse"); n != 0 {
		t.Errorf("told %d times of another client's text", n)
	}
	two.tell("textDocument/didClose", doc(fileA))
	one.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "bad "))
	one.await(from, published, has(`"version":2,`))
	one.finish()
	two.finish()
}

// So is what was pulled: the client is asked to pull again, once, if there is something else to
// tell.
func TestPulledDocumentIsComparedWhenSettled(t *testing.T) {
	for name, ask := range map[string]func(c *client) string{
		"document":  func(c *client) string { return c.must("textDocument/diagnostic", doc(fileA)) },
		"workspace": func(c *client) string { return c.must("workspace/diagnostic", `{"previousResultIds":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			lang := newFake("/m/a.txt", "def one\n", "/m/b.txt", "def two\n")
			b := newBench(t, lang, Options{})
			c := b.connect()
			c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), `{"diagnostics":"pull"}`)
			c.indexed()
			c.open(fileA, 1, "two quiet\ndef quiet\n") // of what is quiet nothing is written to the partition
			lang.settling = make(chan struct{})
			put := func(text string) {
				t.Helper()
				err := b.eng.Commit(t.Context(), func(w *runtime.Writer) error { return fakeDisk.Put(w, fileB, text) })
				if err != nil {
					t.Fatal(err)
				}
			}
			put("def other\n")
			from := c.mark()
			if got := ask(c); !strings.Contains(got, "undefined: two") {
				t.Fatal(got)
			}
			put("def two\n") // as before: no diagnostics are written
			if n := c.count(from, protocol.MethodWorkspaceDiagnosticRefresh, ""); n != 0 {
				t.Errorf("asked %d times before the workspace has settled", n)
			}
			close(lang.settling)
			c.await(from, protocol.MethodWorkspaceDiagnosticRefresh, nil)
			from = c.mark()
			if got := ask(c); strings.Contains(got, "undefined: two") {
				t.Error(got)
			}
			for comparing := true; comparing; {
				c.must(MethodStats, "")
				session := b.host.allSessions()[0]
				session.pull.mu.Lock()
				comparing = session.pull.going
				session.pull.mu.Unlock()
			}
			c.finish()
			if n := c.count(from, protocol.MethodWorkspaceDiagnosticRefresh, ""); n != 0 {
				t.Errorf("asked %d times more", n)
			}
		})
	}
}

// A comparison during which a text changes is of a state that may be passed over, too: it is made
// again.
func TestPulledDocumentIsComparedAgain(t *testing.T) {
	lang := newFake("/m/a.txt", "def one\n", "/m/b.txt", "def two\n")
	var judged atomic.Int32
	comparing, goOn := make(chan struct{}), make(chan struct{})
	lang.judging = func(t *runtime.Task) error {
		if judged.Add(1) != 2 { // the first is the pull
			return nil
		}
		return t.Blocking(func() error {
			close(comparing)
			<-goOn
			return nil
		})
	}
	c := newBench(t, lang, Options{}).connect()
	c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), `{"diagnostics":"pull"}`)
	c.indexed()
	c.open(fileA, 1, "two quiet\n")
	c.open(fileB, 1, "def other def quiet\n")
	from := c.mark()
	if got := c.must("textDocument/diagnostic", doc(fileA)); !strings.Contains(got, "undefined: two") {
		t.Fatal(got)
	}
	<-comparing
	c.tell("textDocument/didChange", `{"textDocument":{"uri":"file:///m/b.txt","version":2},"contentChanges":[{"text":"def two def quiet\n"}]}`)
	c.must(MethodStats, "")
	close(goOn)
	c.await(from, protocol.MethodWorkspaceDiagnosticRefresh, nil)
	c.finish()
}

// A client that pulls and cannot be asked to pull again is told at once what follows late.
func TestPullsOfClientsWithoutRefresh(t *testing.T) {
	for _, again := range []bool{false, true} {
		lang := newFake("/m/a.txt", "def one\n")
		lang.late = &lsp.Diagnostic{Severity: lsp.SeverityHint, Message: "late"}
		c := newBench(t, lang, Options{}).connect()
		caps := fmt.Sprintf(richCaps, pullCaps)
		caps = strings.Replace(caps, `"refreshSupport":true`, fmt.Sprintf(`"refreshSupport":%t`, again), 1)
		c.begin("file:///m", caps, `{"diagnostics":"pull"}`)
		c.indexed()
		c.open(fileA, 1, "def one\n")
		for method, params := range map[string]string{
			"textDocument/diagnostic": doc(fileA), "workspace/diagnostic": `{"previousResultIds":[]}`,
		} {
			if got := c.must(method, params); strings.Contains(got, "late") == again {
				t.Errorf("%s, asked to pull again %t: %s", method, again, got)
			}
		}
		c.finish()
	}
}

type docReport struct {
	Kind     string
	ResultID string `json:"resultId"`
	Items    []struct{ Message string }
	URI      string
	Version  *int
}

func TestPullDiagnostics(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", "def one\nwrong\n", "/m/b.txt", "one bad\n"), Options{}).connect()
	caps := c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), `{"diagnostics":"pull"}`)
	if !strings.Contains(caps, `"diagnosticProvider":{"interFileDependencies":true,"workspaceDiagnostics":true}`) {
		t.Error(caps)
	}
	c.indexed()
	pull := func(name, previous string) (r docReport) {
		t.Helper()
		params := fmt.Sprintf(`{"textDocument":{"uri":%q},"previousResultId":%q}`, name, previous)
		if err := json.Unmarshal([]byte(c.must("textDocument/diagnostic", params)), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := pull(fileA, "")
	if first.Kind != "full" || len(first.Items) != 1 || first.Items[0].Message != "undefined: wrong" || first.ResultID == "" {
		t.Errorf("%+v", first)
	}
	if again := pull(fileA, first.ResultID); again.Kind != "unchanged" || again.ResultID != first.ResultID {
		t.Errorf("%+v", again)
	}
	c.open(fileA, 3, "def one\ndef wrong\n")
	if clean := pull(fileA, first.ResultID); clean.Kind != "full" || len(clean.Items) != 0 {
		t.Errorf("%+v", clean)
	}
	if other := pull("file:///m/readme.md", ""); other.Kind != "full" || len(other.Items) != 0 {
		t.Errorf("%+v", other)
	}

	all := func(previous string) map[string]docReport {
		t.Helper()
		var r struct{ Items []docReport }
		if err := json.Unmarshal([]byte(c.must("workspace/diagnostic", `{"previousResultIds":[`+previous+`]}`)), &r); err != nil {
			t.Fatal(err)
		}
		byURI := map[string]docReport{}
		for _, item := range r.Items {
			byURI[item.URI] = item
		}
		return byURI
	}
	reports := all("")
	if a := reports[fileA]; a.Kind != "full" || a.Version == nil || *a.Version != 3 || len(a.Items) != 0 {
		t.Errorf("%+v", a)
	}
	bad := reports[fileB]
	if bad.Kind != "full" || bad.Version != nil || len(bad.Items) != 1 {
		t.Errorf("%+v", bad)
	}
	reports = all(fmt.Sprintf(`{"uri":%q,"value":%q},{"uri":"file:///m/gone.txt","value":"x"}`, fileB, bad.ResultID))
	if b := reports[fileB]; b.Kind != "unchanged" || b.ResultID != bad.ResultID {
		t.Errorf("%+v", b)
	}
	if gone := reports["file:///m/gone.txt"]; gone.Kind != "full" || len(gone.Items) != 0 {
		t.Errorf("%+v", gone)
	}
	if n := c.count(0, published, ""); n != 0 {
		t.Errorf("%d lists published to a client that pulls", n)
	}
	c.finish()
}

// In mixed mode nothing is shown twice: a file is either open and pulled, or published.
func TestMixedDiagnostics(t *testing.T) {
	c := newBench(t, newFake("/m/a.txt", "wrong\n", "/m/b.txt", "def one\n"), Options{}).connect()
	caps := c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), "")
	if !strings.Contains(caps, `"workspaceDiagnostics":false`) {
		t.Error(caps)
	}
	c.indexed()
	c.await(0, published, has("undefined: wrong"))
	from := c.mark()
	c.open(fileA, 1, "wrong\n")
	c.await(from, published, has(`"uri":"file:///m/a.txt","diagnostics":[]`))
	if got := c.must("textDocument/diagnostic", doc(fileA)); !strings.Contains(got, "undefined: wrong") {
		t.Error(got)
	}
	from = c.mark()
	c.open(fileB, 1, "def wrong\n") // mends the open document: the client is asked to pull
	c.await(from, protocol.MethodWorkspaceDiagnosticRefresh, nil)
	c.tell("textDocument/didClose", doc(fileB))
	c.await(from, protocol.MethodWorkspaceDiagnosticRefresh, nil)
	from = c.mark()
	c.tell("textDocument/didClose", doc(fileA))
	c.await(from, published, has("undefined: wrong"))
	c.finish()
}

// Refreshes come one at a time, however many changes there are.
func TestRefreshIsBounded(t *testing.T) {
	const interval = 20 * time.Millisecond
	c := newBench(t, newFake("/m/a.txt", "wrong\n"), Options{RefreshInterval: interval}).connect()
	began := time.Now()
	c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), `{"diagnostics":"pull"}`)
	c.indexed()
	c.open(fileA, 0, "")
	for v := range 100 {
		c.tell("textDocument/didChange", insert(fileA, v+1, 0, 0, "y "))
		c.must("textDocument/diagnostic", doc(fileA))
	}
	c.await(0, protocol.MethodWorkspaceDiagnosticRefresh, nil)
	n := c.count(0, protocol.MethodWorkspaceDiagnosticRefresh, "")
	if most := int(time.Since(began)/interval) + 1; n > most {
		t.Errorf("%d refreshes where the interval allows %d", n, most)
	}
	c.finish()
}

func TestModes(t *testing.T) {
	both := capabilities{pushDiagnostics: true, pullDiagnostics: true, refreshDiagnostics: true}
	for _, c := range []struct {
		caps capabilities
		raw  string
		want diagnosticsMode
	}{
		{capabilities{}, "", modePush},
		{capabilities{pushDiagnostics: true}, `{"diagnostics":"pull"}`, modePush},
		{both, "", modeMixed},
		{both, `{"diagnostics":"push"}`, modePush},
		{both, `{"diagnostics":"pull"}`, modePull},
		{both, `{"diagnostics":"loud"}`, modeMixed},
		{both, `[1]`, modeMixed},
		{capabilities{pullDiagnostics: true}, "", modePull},
		{capabilities{pushDiagnostics: true, pullDiagnostics: true}, "", modePush}, // could not be told of changes
	} {
		if got := chooseMode(c.caps, readOptions([]byte(c.raw))); got != c.want {
			t.Errorf("%+v %s: %s, want %s", c.caps, c.raw, got, c.want)
		}
	}
}
