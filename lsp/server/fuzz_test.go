package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzSession throws parameters at every method of a session that has a document open. No
// handler may panic, every request is answered, and the session ends in the orderly way.
func FuzzSession(f *testing.F) {
	position := `{"textDocument":{"uri":"file:///m/a.txt"},"position":{"line":0,"character":4},"context":{"includeDeclaration":true},"workDoneToken":"t"}`
	for i := range 24 {
		f.Add(uint8(i), position, `{"textDocument":{"uri":"file:///m/a.txt","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":1},"end":{"line":0,"character":3}},"text":"x\r"}]}`)
	}
	f.Add(uint8(3), `{"event":{"added":[{"uri":"file:///n","name":"n"}],"removed":[{"uri":"file:///m","name":"m"}]}}`, `{}`)
	f.Add(uint8(5), `{"textDocument":{"uri":"a:b"}}`, `{"query":"é","previousResultIds":[{"uri":"file:///m/a.txt","value":"x"}]}`)
	f.Add(uint8(9), `{"command":"cytisus.explain","arguments":[{"textDocument":{"uri":"file:///m/b.txt"}}]}`, `{"changes":[{"uri":"file:///m","type":3}]}`)

	methods := func(s *session) []string {
		var all []string
		for m := range s.handlers() {
			if m != "initialize" && m != "shutdown" {
				all = append(all, m)
			}
		}
		slices.Sort(all)
		return all
	}(newSession(&Host{o: Options{}.filled(), lang: simple()}, 0))
	b := newBench(f, simple(), Options{})
	f.Fuzz(func(t *testing.T, which uint8, one, two string) {
		if !jsontext.Value(one).IsValid() || !jsontext.Value(two).IsValid() {
			return // FuzzConn's business
		}
		if strings.Contains(one+two, "missing") {
			return
		}
		c := (&bench{t: t, lang: b.lang, eng: b.eng, host: b.host}).connect()
		c.begin("file:///m", fmt.Sprintf(richCaps, pullCaps), `{"noIndex":true}`)
		c.open(fileA, 1, "def one\ntwo 😀 one\n")
		for i, params := range []string{one, two, one} {
			method := methods[(int(which)+i)%len(methods)]
			if i%2 == 1 {
				c.tell(method, params)
				continue
			}
			if _, err := c.ask(method, params); err != nil && strings.Contains(err.Error(), "panicked") {
				t.Errorf("%s %s: %v", method, params, err)
			}
		}
		c.must("shutdown", "")
		if err := c.Notify("exit", nil); err != nil {
			t.Fatal(err)
		}
		select {
		case <-c.done:
		case <-time.After(patience):
			t.Fatal("the session does not end")
		}
		if n := c.count(0, "window/showMessage", "panicked"); n != 0 {
			raw, _ := json.Marshal(c.got)
			t.Errorf("%s", raw)
		}
	})
}
