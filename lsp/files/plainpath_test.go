package files

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var namesSeed = flag.Uint64("names.seed", uint64(time.Now().UnixNano()), "of TestPlainPath")

// What is taken apart quickly is what the rules of all URIs make of it.
func TestPlainPath(t *testing.T) {
	t.Logf("replay with -names.seed=%d", *namesSeed)
	rnd := rand.New(rand.NewPCG(*namesSeed, 0))
	pieces := []string{"/", "//", "a", "Z", "0", ".", "..", "-", "_", "%40", "%2F", "%", "@", "+", ":", "c:", "?", "#", "%20", "é", "%C3%A9", "~", "\\", "go"}
	plain := 0
	for range 20000 {
		var u strings.Builder
		u.WriteString([]string{"file://", "file:///", "FILE:///", "http://", "file:"}[rnd.IntN(5)])
		for range rnd.IntN(8) {
			u.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		got, is := plainPath(u.String())
		if !is {
			continue
		}
		plain++
		if want, ok := parsedPath(u.String()); got != want || !ok {
			t.Fatalf("%s: %q, and by the rules %q, %v", u.String(), got, want, ok)
		}
	}
	for _, path := range []string{"/home/a/go/pkg/mod/golang.org/x/tools@v0.1.0/go.mod", "/usr/local/go/src/fmt/print.go"} {
		if got, is := plainPath(URI(path)); !is || got != path {
			t.Errorf("%s: %q, %v", path, got, is)
		}
	}
	if plain < 100 {
		t.Errorf("only %d of them were plain", plain)
	}
}
