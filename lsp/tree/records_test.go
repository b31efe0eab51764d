package tree_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/lsptest"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/lsp/tree"
	"github.com/cytisus/cytisus/runtime"
)

// The scribe language writes down what it knows and answers nothing itself. A word with a colon
// behind it is declared, and "wrong" is.
type scribe struct {
	asked chan struct{} // if set, told when a question looks for names
	gate  chan struct{} // if set, a text with "slow" in it is written of when this is closed
}

func (scribe) ID() string               { return "scribe" }
func (scribe) Handles(uri string) bool  { return strings.HasSuffix(uri, ".w") }
func (scribe) Prototype() lsp.Workspace { return tree.Linked{} }

func (l scribe) Open(_ context.Context, eng *runtime.Engine, root string, _ lsp.WorkspaceOptions) (lsp.Workspace, error) {
	w, err := tree.Open(eng, root, tree.Options{
		Handles: l.Handles,
		Diagnostics: func(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
			if err := l.write(t, uri); err != nil {
				return nil, err
			}
			text, err := tree.Text(t, uri)
			if at := strings.Index(string(text), "wrong"); at >= 0 {
				return []lsp.Diagnostic{{Span: lsp.Span{Start: at, End: at + 5}, Severity: lsp.SeverityError, Source: "scribe", Message: "wrong"}}, err
			}
			return nil, err
		},
		Symbols: tree.Recorded(partition.Symbols),
		Occurrences: func(t *runtime.Task, uri string) ([]lsp.Occurrence, error) {
			list, err := tree.Recorded(partition.Occurrences)(t, uri)
			if l.asked != nil && err != nil {
				l.asked <- struct{}{}
			}
			return list, err
		},
		Hovers: tree.Recorded(partition.Hovers),
	})
	return tree.Linked{Tree: w}, err
}

var (
	words = regexp.MustCompile(`\w+:?`)
	links = regexp.MustCompile(`https?://\S+`)
)

// write writes down what a file is, as a tool that runs beside would.
func (l scribe) write(t *runtime.Task, uri string) error {
	text, err := tree.Text(t, uri)
	if err != nil {
		return err
	}
	if l.gate != nil && strings.Contains(string(text), "slow") {
		_ = t.Blocking(func() error { <-l.gate; return nil })
	}
	var (
		symbols partition.Record[lsp.Symbol]
		names   partition.Record[lsp.Occurrence]
		hovers  partition.Record[lsp.Hover]
		leads   partition.Record[lsp.Link]
	)
	for _, at := range words.FindAllIndex(text, -1) {
		word, declares := strings.CutSuffix(string(text[at[0]:at[1]]), ":")
		span := lsp.Span{Start: at[0], End: at[0] + len(word)}
		names.List = append(names.List, lsp.Occurrence{Span: span, Symbol: word, Declares: declares})
		hovers.List = append(hovers.List, lsp.Hover{Span: span, Signature: word, Language: "scribe"})
		if declares {
			symbols.List = append(symbols.List, lsp.Symbol{Name: word, Kind: lsp.KindKey, Span: span, NameSpan: span})
		}
	}
	for _, at := range links.FindAllIndex(text, -1) {
		leads.List = append(leads.List, lsp.Link{Span: lsp.Span{Start: at[0], End: at[1]}, Target: string(text[at[0]:at[1]])})
	}
	digest := lsp.DigestOf(text)
	symbols.Text, names.Text, hovers.Text, leads.Text = digest, digest, digest, digest
	return t.Commit(func(c *runtime.Writer) error {
		for _, err := range []error{
			partition.Symbols.Put(c, uri, symbols), partition.Occurrences.Put(c, uri, names),
			partition.Hovers.Put(c, uri, hovers), partition.Links.Put(c, uri, leads),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func TestRecordsAreAnswers(t *testing.T) {
	lsptest.Play(t, scribe{}, "testdata/records.txtar", lsptest.Options{})
}

// S3: a question about a text of which nothing has been written yet waits for it.
func TestQuestionWaitsForRecords(t *testing.T) {
	l := scribe{asked: make(chan struct{}, 16), gate: make(chan struct{})}
	root := t.TempDir()
	e := lsptest.Start(t, l, root, lsptest.Options{})
	path := root + "/a.w"
	e.Open(path, "scribe", "one: two\n")
	e.Must("cytisus/settle", nil)
	e.Change(path, "slow one: two\n")
	answer := make(chan string)
	go func() {
		got, err := e.Ask("textDocument/references", json.RawMessage(
			`{"textDocument":{"uri":"`+editor.URI(path)+`"},"position":{"line":0,"character":6},"context":{"includeDeclaration":true}}`))
		if err != nil {
			got = err.Error()
		}
		answer <- got
	}()
	<-l.asked
	close(l.gate)
	if got := <-answer; !strings.Contains(got, `"character":5}`) {
		t.Errorf("answered %s", got)
	}
}
