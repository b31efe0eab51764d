package editor

import (
	"bytes"
	"encoding/json"
	"path/filepath"

	"go.lsp.dev/protocol"
)

// A Program is what is started as a server.
type Program struct {
	Path      string
	Args, Env []string
}

// Cytisus is the command at a path, serving with a store below a directory.
func Cytisus(path, cache string) Program {
	return Program{Path: path, Args: []string{"serve", "--store", filepath.Join(cache, "store")}}
}

// CytisusComplete makes what finds the end of the first index in the messages of one client.
func CytisusComplete() func(method string, params []byte) bool {
	return func(method string, params []byte) bool {
		return method == protocol.MethodWindowLogMessage &&
			bytes.Contains(params, []byte("cytisus: index of "))
	}
}

// Gopls is gopls at a path, with its cache below a directory.
func Gopls(path, cache string) Program {
	kept := "GOPLSCACHE=" + filepath.Join(cache, "gopls")
	return Program{Path: path, Args: []string{"serve"}, Env: []string{kept}}
}

// GoplsComplete follows the progress that gopls shows, in its verbose mode, of the first
// diagnostics of one client.
func GoplsComplete() func(method string, params []byte) bool {
	var token string
	return func(method string, params []byte) bool {
		var p struct {
			Token json.RawMessage
			Value struct{ Kind, Title string }
		}
		if method != "$/progress" || json.Unmarshal(params, &p) != nil {
			return false
		}
		if p.Value.Title == "diagnosing initial workspace load" {
			token = string(p.Token)
		}
		return p.Value.Kind == "end" && string(p.Token) == token
	}
}
