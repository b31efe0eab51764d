package server

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/position"
)

// A protocolMessage is one that the protocol has.
type protocolMessage struct {
	method, kind, from string
	capability         string // of a server, as a path; "-": none
}

// protocolMessages reads the list of the protocol.
func protocolMessages(t *testing.T) []protocolMessage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "methods.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []protocolMessage
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 4 && f[0] != "#" {
			list = append(list, protocolMessage{f[0], f[1], f[2], f[3]})
		}
	}
	return list
}

// A row is one of the table in docs/LSP.md.
type row struct{ kind, from, here, remarks string }

func documented(t *testing.T) map[string]row {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "LSP.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		method := strings.Trim(strings.TrimPrefix(cells[0], "| "), "`")
		if len(cells) != 5 || !strings.HasPrefix(cells[0], "| `") {
			continue
		}
		if _, twice := rows[method]; twice {
			t.Errorf("docs/LSP.md has two rows for %s", method)
		}
		rows[method] = row{cells[1], cells[2], cells[3], strings.TrimSuffix(cells[4], " |")}
	}
	return rows
}

// byDispatch are messages that package dispatch takes, or that have no handler in the table.
var byDispatch = []string{"exit", "$/cancelRequest", protocol.MethodTextDocumentDidChange}

// everyHandler is what the server serves for a language that has all features.
func everyHandler(s *session) map[string]dispatch.Handler {
	all := s.table()
	for _, f := range features {
		for method, h := range f.handlers(s) {
			all[method] = h
		}
	}
	return all
}

// The list of the protocol is that of the library whose types are used.
func TestMessagesAreThoseOfTheProtocol(t *testing.T) {
	listed := map[string]string{}
	from := map[protocol.MessageDirection]string{
		protocol.DirectionBoth: "both", protocol.DirectionClientToServer: "client", protocol.DirectionServerToClient: "server",
	}
	for _, m := range protocol.Methods {
		listed[m.Method] = m.Kind + " " + from[m.Direction]
	}
	for _, m := range protocolMessages(t) {
		if got := m.kind + " " + m.from; listed[m.method] != got {
			t.Errorf("%s is a %s, the library says %q", m.method, got, listed[m.method])
		}
		delete(listed, m.method)
	}
	for method := range listed {
		t.Errorf("testdata/methods.txt lacks %s", method)
	}
}

// Each message has a row in docs/LSP.md, and what the row says is so.
func TestMessagesHaveTrueRows(t *testing.T) {
	rows := documented(t)
	served := everyHandler(newSession(&Host{o: Options{}.filled(), lang: plainLanguage{}}, 0))
	sent := sentBySource(t)
	for _, m := range protocolMessages(t) {
		r, ok := rows[m.method]
		delete(rows, m.method)
		if !ok {
			t.Errorf("docs/LSP.md has no row for %s", m.method)
			continue
		}
		if r.kind != m.kind || r.from != m.from {
			t.Errorf("%s is a %s from %s, docs/LSP.md says %s from %s", m.method, m.kind, m.from, r.kind, r.from)
		}
		handled := served[m.method] != nil || slices.Contains(byDispatch, m.method)
		var want []string
		switch {
		case m.from == "server" && sent[m.method]:
			want = []string{"sent"}
		case m.from == "server":
			want = []string{"not sent"}
		case m.from == "both":
			want = []string{"sent", "taken and sent"}
		case handled && m.kind == "request":
			want = []string{"served"}
		case handled:
			want = []string{"taken", "refused", "ignored"}
		case m.kind == "request":
			want = []string{"refused"}
		default:
			want = []string{"ignored"}
		}
		if !slices.Contains(want, r.here) {
			t.Errorf("docs/LSP.md says that %s is %s; it is %s", m.method, r.here, strings.Join(want, " or "))
		}
	}
	for method := range rows {
		t.Errorf("docs/LSP.md has a row for %s, which is not of the protocol", method)
	}
}

// sentBySource finds the messages that the sources name as what they send: as constants of the
// library or in words.
func sentBySource(t *testing.T) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	for _, dir := range []string{".", filepath.Join("..", "dispatch")} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || path == "client.go" { // that is a client
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					named[n.Sel.Name] = true
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
						named[text] = true
					}
				}
				return true
			})
		}
	}
	sent := map[string]bool{}
	for _, m := range protocol.Methods {
		constant := "Method"
		for part := range strings.SplitSeq(strings.TrimPrefix(m.Method, "$/"), "/") {
			constant += strings.ToUpper(part[:1]) + part[1:]
		}
		sent[m.Method] = named[m.Method] || named[constant]
	}
	return sent
}

// A live server refuses the requests that its language has not, and lives on after notifications
// that it ignores. It tells the user that it reads no notebooks.
func TestMessagesAreRefusedAsTheProtocolSays(t *testing.T) {
	b := newBench(t, simple(), Options{})
	host, err := NewHost(b.eng, plainLanguage{b.lang}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	b.host = host
	c := b.connect()
	c.begin("file:///m", richClient(), "")
	served := newSession(host, 0).table()
	refused := 0
	for _, m := range protocolMessages(t) {
		switch {
		case m.from == "server" || served[m.method] != nil || slices.Contains(byDispatch, m.method):
		case m.kind == "request":
			refused++
			_, err := c.ask(m.method, `{"textDocument":{"uri":"file:///m/a.txt"},"position":{"line":0,"character":0}}`)
			wantCode(t, err, int(jsonrpc2.MethodNotFound), m.method)
		default:
			c.tell(m.method, `{}`)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	_, err = c.ask("$/unknown", `{}`)
	wantCode(t, err, int(jsonrpc2.MethodNotFound))
	c.tell("$/unknown", `{}`)
	from := c.mark()
	for range 2 {
		c.tell(protocol.MethodNotebookDocumentDidOpen, `{"notebookDocument":{"uri":"file:///m/a.ipynb","notebookType":"x","version":1,"cells":[]},"cellTextDocuments":[]}`)
	}
	c.await(from, protocol.MethodWindowShowMessage, has("notebooks are not supported"))
	_, _ = c.ask("textDocument/hover", at("file:///m/a.txt", 0, 0)) // answered after both
	if n := c.count(from, protocol.MethodWindowShowMessage, "notebooks"); n != 1 {
		t.Errorf("the user was told %d times", n)
	}
	c.finish()
}

func richClient() string { return fmt.Sprintf(richCaps, pullCaps) }

// What initialize announces is served, and what is served is announced to a client that can do
// everything: by the server itself, and feature by feature.
func TestMessagesAreAnnouncedIfServed(t *testing.T) {
	var client protocol.ClientCapabilities
	if err := protocol.Unmarshal([]byte(editor.Everything), &client); err != nil {
		t.Fatal(err)
	}
	caps := readCapabilities(&client)
	s := newSession(&Host{o: Options{}.filled(), lang: plainLanguage{}}, 0)
	own := s.host.serverCapabilities(position.UTF8, caps, modePull)
	compareAnnounced(t, "the server", own, s.table())
	for i, f := range features {
		prototype := lsp.Workspace((*fakeWorkspace)(nil))
		if !f.offered(prototype) {
			t.Errorf("the fake language lacks feature %d, which is not looked at", i)
			continue
		}
		var out protocol.ServerCapabilities
		f.announce(&out, prototype, caps)
		handlers := f.handlers(s)
		if len(handlers) == 0 {
			t.Errorf("feature %d serves nothing", i)
		}
		compareAnnounced(t, fmt.Sprintf("feature %d", i), out, handlers)
	}
}

func compareAnnounced(t *testing.T, who string, out protocol.ServerCapabilities, handlers map[string]dispatch.Handler) {
	t.Helper()
	raw, err := protocol.Marshal(&out)
	if err != nil {
		t.Fatal(err)
	}
	var announced map[string]any
	if err := json.Unmarshal(raw, &announced); err != nil {
		t.Fatal(err)
	}
	for _, m := range protocolMessages(t) {
		if m.from != "client" || m.capability == "-" {
			continue
		}
		_, served := handlers[m.method]
		served = served || who == "the server" && slices.Contains(byDispatch, m.method)
		if said := truthy(announced, m.capability); said != served {
			t.Errorf("%s: %s is announced by %s: %v, served: %v", who, m.method, m.capability, said, served)
		}
	}
}

// truthy reports whether a capability is there and is not false.
func truthy(announced map[string]any, path string) bool {
	var at any = announced
	for part := range strings.SplitSeq(path, ".") {
		in, ok := at.(map[string]any)
		if !ok {
			return false
		}
		at = in[part]
	}
	return at != nil && at != false
}
