package server

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// A client that does not report changed files has them found out, in its folder and where the
// workspace says that it reads; one that does, or that has nothing indexed, has not.
func TestWatchDisk(t *testing.T) {
	const watches = `{"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true}}}`
	for _, test := range []struct {
		name, caps, options string
		watched             bool
	}{
		{"does not watch", `{}`, "", true},
		{"watches", watches, "", false},
		{"nothing indexed", `{}`, `{"noIndex":true}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			elsewhere, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			lang := newFake()
			lang.seen = make(chan []string, 100)
			b := newBench(t, lang, Options{WatchDisk: true})
			c := b.connect()
			c.begin(string(uri.File(dir)), test.caps, test.options)
			c.must(MethodSettle, `{}`)
			if got := b.host.openRoots()[0].disk != nil; got != test.watched {
				t.Fatalf("watched is %v, want %v", got, test.watched)
			}
			if !test.watched {
				return
			}
			awaitSeen(t, lang.seen, dir) // all of it is looked at once it is watched
			write := func(path string) {
				t.Helper()
				if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write(filepath.Join(dir, "a.txt"))
			awaitSeen(t, lang.seen, filepath.Join(dir, "a.txt"))
			err = b.eng.Commit(t.Context(), func(w *runtime.Writer) error {
				return partition.Watches.Put(w, dir, []partition.Watch{{Dir: elsewhere, Globs: []string{"*.conf"}}})
			})
			if err != nil {
				t.Fatal(err)
			}
			awaitSeen(t, lang.seen, elsewhere)
			write(filepath.Join(elsewhere, "b.conf"))
			awaitSeen(t, lang.seen, filepath.Join(elsewhere, "b.conf"))
		})
	}
}

// awaitSeen waits until a workspace was told that a file has changed.
func awaitSeen(t *testing.T, seen <-chan []string, path string) {
	t.Helper()
	want := string(protocol.URI(uri.File(path)))
	limit := time.After(patience)
	for {
		select {
		case names := <-seen:
			if slices.Contains(names, want) {
				return
			}
		case <-limit:
			t.Fatalf("%s: not told", want)
		}
	}
}
