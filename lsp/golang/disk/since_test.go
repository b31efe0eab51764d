package disk

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSince(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "api"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go1.txt":    "pkg fmt, func Println(...interface{}) (int, error)\n",
		"go1.8.txt":  "pkg fmt, func Println(...interface{}) (int, error)\npkg net/http, method (*Server) Close() error\npkg net/http, type PushOptions struct\npkg net/http, type PushOptions struct, Method string\n",
		"go1.18.txt": "pkg atomic, method (*Pointer[$0]) Load() *$0 #47657\npkg net, func Cut[$0 any]($0)\npkg net, const A = 1 // 1\npkg net, type I interface, M()\npkg net/http, var V error\n",
		"except.txt": "pkg net, func Gone()\n",
	} {
		if err := os.WriteFile(filepath.Join(root, "api", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, symbol, want string }{
		{"net/http", "Server.Close", "go1.8"},
		{"net/http", "PushOptions", "go1.8"},
		{"net/http", "PushOptions.Method", "go1.8"},
		{"net/http", "V", "go1.18"},
		{"atomic", "Pointer.Load", "go1.18"},
		{"net", "Cut", "go1.18"},
		{"net", "A", "go1.18"},
		{"net", "I.M", "go1.18"},
		{"net", "Gone", ""},
		{"fmt", "Println", ""},
		{"none", "None", ""},
	} {
		if got := Since(root, c.path, c.symbol); got != c.want {
			t.Errorf("%s.%s: %q, wanted %q", c.path, c.symbol, got, c.want)
		}
	}
	if got := Since(filepath.Join(root, "none"), "net", "A"); got != "" {
		t.Errorf("without lists: %q", got)
	}
}
