package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
)

// A text that cannot be taken is told to its client, and to no other; the next one that can
// be is the file's.
func TestOverlayThatCannotBeTaken(t *testing.T) {
	b := newBench(t, simple(), Options{})
	first, second := b.connect(), b.connect()
	for _, c := range []*client{first, second} {
		c.begin("file:///m", plainCaps, "")
		c.indexed()
	}
	first.open(fileA, 1, "def one\n")
	second.open(fileA, 1, "def one\n")
	first.must("textDocument/documentSymbol", doc(fileA))
	second.must("textDocument/documentSymbol", doc(fileA))
	b.lang.full.Store(true)
	first.tell("textDocument/didChange", insert(fileA, 2, 0, 0, "def zero\n"))
	first.tell("textDocument/didChange", insert(fileA, 3, 0, 0, "def half\n"))
	_, err := first.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, -32803, fileA, "could not be taken", errFull.Error())
	first.await(0, protocol.MethodWindowShowMessage, has(errFull.Error()))
	if n := first.count(0, protocol.MethodWindowShowMessage, errFull.Error()); n != 1 {
		t.Errorf("shown %d times", n)
	}
	second.must("textDocument/hover", at(fileA, 0, 5)) // has its own text
	b.lang.full.Store(false)
	first.tell("textDocument/didChange", insert(fileA, 4, 0, 0, "def more\n"))
	first.must("textDocument/hover", at(fileA, 0, 5))
	_, err = second.ask("textDocument/hover", at(fileA, 0, 5))
	wantCode(t, err, int(protocol.CodeContentModified), "another client")
	first.finish()
	second.must("textDocument/hover", at(fileA, 0, 5))
	second.finish()
}

// The end of the store is the end of all sessions, and what they had asked stays open.
func TestStoreFails(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	b := newBench(t, simple(), Options{
		Dispatch: dispatch.Options{HangUp: true},
		StoreFailed: func(err error) bool {
			failed := errors.Is(err, errFull)
			if failed {
				end(err)
			}
			return failed
		},
	})
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() { _, err := b.host.Serve(ctx, far); served <- err }()
	messages := dispatch.NewMessages(near, dispatch.Options{})
	said := make(chan string, 100)
	go func() {
		defer close(said)
		for body, err := messages.Next(); err == nil; body, err = messages.Next() {
			said <- string(body)
		}
	}()
	say := func(body string) {
		t.Helper()
		if _, err := near.Write(dispatch.AppendMessage(nil, []byte(body))); err != nil {
			t.Fatal(err)
		}
	}
	say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"rootUri":"file:///m","capabilities":{},"initializationOptions":{"noIndex":true}}}`)
	say(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	<-said
	b.lang.full.Store(true)
	say(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"` + fileA + `","languageId":"words","version":1,"text":"x"}}}`)
	select {
	case err := <-served:
		if !errors.Is(err, errFull) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the session goes on")
	}
	near.Close()
	for body := range said {
		t.Errorf("the client is told %s", body)
	}
}

// What fails because the store has failed is not answered, and nothing behind it in the stream is,
// from that moment until the session is ended, which may take its owner a while.
func TestFailedStoreAnswersNothing(t *testing.T) {
	for name, c := range map[string]struct {
		failing string
		unsaid  string // the id of a request that has no answer
	}{
		"request":   {`"id":2,"method":"textDocument/diagnostic","params":` + doc(fileA), "2"},
		"following": {`"method":"textDocument/didChange","params":` + insert(fileA, 2, 0, 0, "def more\n"), "3"},
		"opening":   {`"method":"textDocument/didOpen","params":{"textDocument":{"uri":"` + fileB + `","languageId":"words","version":1,"text":"x"}}`, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			lang := simple()
			lang.judging = func(*runtime.Task) error { return errFull }
			failed := make(chan struct{}, 100)
			b := newBench(t, lang, Options{
				Dispatch: dispatch.Options{HangUp: true},
				StoreFailed: func(err error) bool {
					full := errors.Is(err, errFull)
					if full {
						failed <- struct{}{}
					}
					return full
				},
			})
			other := b.connect()
			other.begin("file:///m", plainCaps, "")
			other.indexed()
			ctx, end := context.WithCancelCause(t.Context())
			near, far := net.Pipe()
			served := make(chan error, 1)
			go func() { _, err := b.host.Serve(ctx, far); served <- err }()
			messages := dispatch.NewMessages(near, dispatch.Options{})
			said := make(chan string, 100)
			go func() {
				defer close(said)
				for body, err := messages.Next(); err == nil; body, err = messages.Next() {
					said <- string(body)
				}
			}()
			say := func(rest string) {
				t.Helper()
				if _, err := near.Write(dispatch.AppendMessage(nil, []byte(`{"jsonrpc":"2.0",`+rest+`}`))); err != nil {
					t.Fatal(err)
				}
			}
			say(`"id":1,"method":"initialize","params":{"rootUri":"file:///m","capabilities":` + fmt.Sprintf(richCaps, pullCaps) + `,"initializationOptions":{"noIndex":true}}`)
			say(`"method":"initialized","params":{}`)
			say(`"method":"textDocument/didOpen","params":{"textDocument":{"uri":"` + fileA + `","languageId":"words","version":1,"text":"def a\n"}}`)
			say(`"id":"ready","method":"textDocument/hover","params":` + at(fileA, 0, 5))
			for body := range said {
				if strings.Contains(body, `"ready"`) {
					break
				}
			}
			b.lang.full.Store(true)
			say(c.failing)
			<-failed
			if c.unsaid == "3" {
				say(`"id":3,"method":"textDocument/hover","params":` + at(fileA, 0, 5))
			}
			for range 100 { // of a session that has nothing of it, which gives the first some time
				other.must("textDocument/hover", at(fileB, 0, 5))
			}
			end(errFull)
			if err := <-served; !errors.Is(err, errFull) {
				t.Error(err)
			}
			near.Close()
			for body := range said {
				if strings.Contains(body, `"id":`+c.unsaid+`,`) {
					t.Errorf("the client is told %s", body)
				}
			}
			other.finish()
		})
	}
}
