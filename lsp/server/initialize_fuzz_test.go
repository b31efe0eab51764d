package server

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzInitialize: whatever a client says of itself, it is answered or refused, and the session goes
// on to its end in the orderly way.
func FuzzInitialize(f *testing.F) {
	for _, params := range []string{
		`{"processId":1,"rootUri":"file:///m","capabilities":{}}`,
		`{"capabilities":{"general":{"positionEncodings":["utf-8","x",""]},"textDocument":{"diagnostic":null,"semanticTokens":{"requests":{"full":{"delta":true}}}},"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true}}},"initializationOptions":{"noIndex":true,"diagnostics":"pull"}}`,
		`{"workspaceFolders":[{"uri":"file:///m","name":"m"},{"uri":"","name":""},{"uri":"a:b"},{"uri":"file:///m"}],"clientInfo":{"name":"","version":"1"},"trace":"verbose","locale":3}`,
		`{"rootPath":"relative","initializationOptions":[1,2]}`, `null`, `{}`, `[]`, `{"workspaceFolders":null,"rootUri":null,"initializationOptions":{"settings":{"a":[[]]}}}`,
	} {
		f.Add(params)
	}
	b := newBench(f, simple(), Options{})
	f.Fuzz(func(t *testing.T, params string) {
		if !jsontext.Value(params).IsValid() || len(params) > 1<<12 {
			return // FuzzConn's business
		}
		RootOf([]byte(params))
		c := (&bench{t: t, lang: b.lang, eng: b.eng, host: b.host}).connect()
		if _, err := c.ask("initialize", params); err == nil {
			c.tell("initialized", `{}`)
			if _, err := c.ask("workspace/symbol", `{"query":"x"}`); err != nil && strings.Contains(err.Error(), "panicked") {
				t.Errorf("%s: %v", params, err)
			}
		} else if strings.Contains(err.Error(), "panicked") {
			t.Errorf("%s: %v", params, err)
		}
		_, _ = c.ask("shutdown", "")
		if err := c.Notify("exit", nil); err != nil {
			t.Fatal(err)
		}
		<-c.done
	})
}
