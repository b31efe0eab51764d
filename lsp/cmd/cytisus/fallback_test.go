package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/mmapcas"
)

// Whatever is wrong with the store or the root, initialize is answered, questions are, and the
// user is told what is wrong and what to do.
func TestInitializeIsAnsweredWhateverIsWrong(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no directory"), 0o644); err != nil {
		t.Fatal(err)
	}
	goEnv := func(name string) string {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return name + "=" + strings.TrimSpace(string(out))
	}
	homeless := []string{"HOME=", "XDG_CACHE_HOME=", "LocalAppData=", goEnv("GOCACHE"), goEnv("GOPATH"), goEnv("GOMODCACHE")}
	store := func(name string, prepare func(dir string)) []string {
		d := filepath.Join(t.TempDir(), name)
		prepare(d)
		return []string{"--store", d}
	}
	for _, c := range []struct {
		name   string
		root   string
		args   []string
		env    []string
		says   []string // in one message that is shown
		closed bool     // there is no workspace to ask about
	}{
		{name: "no such root", root: filepath.Join(dir, "none"), says: []string{"none is not open"}, closed: true},
		{name: "the root is a file", root: file, says: []string{"file is not open"}, closed: true},
		{name: "no home", root: dir, env: homeless, says: []string{"cache directory", "from memory", "--store"}},
		{name: "the store is below a file", root: dir, args: []string{"--store", filepath.Join(file, "store")}, says: []string{"not a directory", "from memory"}},
		{name: "the store is a file", root: dir, args: []string{"--store", file}, says: []string{"from memory"}},
		{
			name: "held by a process that does not serve", root: dir, args: store("held", func(d string) {
				st, err := mmapcas.Open(d, mmapcas.Options{Name: "an index"})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { st.Close() })
			}), says: []string{"an index", "from memory", "when that process has ended"},
		},
		{
			name: "a newer format", root: dir, args: store("newer", func(d string) {
				st, err := mmapcas.Open(d, mmapcas.Options{})
				if err != nil {
					t.Fatal(err)
				}
				st.Close()
				raise(t, filepath.Join(d, "superblock"))
			}), says: []string{"has format", "from memory", "Use the newer cytisus"},
		},
		{
			name: "a host of another build", root: dir, args: store("foreign", func(d string) {
				if err := os.MkdirAll(d, 0o700); err != nil {
					t.Fatal(err)
				}
				h, err := daemon.Listen(d, daemon.Options{Build: "another"})
				if err != nil {
					t.Fatal(err)
				}
				served := make(chan error, 1)
				go func() { served <- h.Serve(t.Context(), 0, nil) }()
				t.Cleanup(func() { h.Close(); <-served })
			}), says: []string{"build another", "from memory", "one build"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := serveProcess(t, c.env, append([]string{"serve"}, c.args...)...)
			e.begin(c.root)
			e.await("window/showMessage", func(p string) bool {
				for _, word := range c.says {
					if !strings.Contains(p, word) {
						return false
					}
				}
				return true
			})
			at := placeOf(filepath.Join(dir, "broom.go"), 6, 11)
			answer, err := e.ask("textDocument/definition", at)
			switch {
			case c.closed && (err == nil || !strings.Contains(err.Error(), "no workspace is open")):
				t.Errorf("%s, %v", answer, err)
			case !c.closed && (err != nil || !strings.Contains(answer, "twig.go")):
				t.Errorf("%s, %v", answer, err)
			}
			e.finish()
		})
	}
}

// A server whose current directory has been removed serves the folder of its client, or none.
func TestServeInARemovedDirectory(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("a current directory is not removed there")
	}
	runtimeDir(t)
	dir := write(t, example)
	for _, root := range []string{fmt.Sprintf("%q", uri.File(dir)), "null"} {
		e := serveProcessIn(t, "removed", nil, "serve", "--store", filepath.Join(t.TempDir(), "store"))
		e.must("initialize", rawMessage(`{"processId":1,"capabilities":{},"rootUri":`+root+`}`))
		e.tell("initialized", struct{}{})
		if root == "null" {
			e.await("window/showMessage", func(params string) bool {
				return strings.Contains(params, "getwd") && strings.Contains(params, "from memory")
			})
			if got := e.must("workspace/symbol", rawMessage(`{"query":""}`)); got != "[]" {
				t.Errorf("symbols of no folder: %s", got)
			}
		} else if got := e.must("textDocument/hover", placeOf(filepath.Join(dir, "broom.go"), 2, 5)); got == "" {
			t.Error("no answer")
		}
		e.finish()
	}
}

// A server that is told to end does so, also while its client has said nothing.
func TestServeEndsBeforeInitialize(t *testing.T) {
	runtimeDir(t)
	for _, said := range []string{"", "Content-Length: 100\r\n\r\n{"} {
		ctx, stop := context.WithCancelCause(t.Context())
		near, far := daemon.Pipe()
		reading := make(chan struct{})
		code := make(chan error, 1)
		a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, flags: flags{root: t.TempDir(), memory: true}}
		go func() {
			_, err := a.serve(ctx, &firstRead{Conn: far, reading: reading})
			code <- err
		}()
		<-reading
		if _, err := near.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		told := errors.New("told to end")
		stop(told)
		select {
		case err := <-code:
			if !errors.Is(err, told) {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(patience):
			t.Fatal("the server waits for its client")
		}
	}
}

// A firstRead says when it is read from.
type firstRead struct {
	daemon.Conn
	once    sync.Once
	reading chan struct{}
}

func (r *firstRead) Read(p []byte) (int, error) {
	r.once.Do(func() { close(r.reading) })
	return r.Conn.Read(p)
}

// raise makes a store's superblock one of a later version.
func raise(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 2048} {
		c := b[at : at+128]
		binary.LittleEndian.PutUint32(c[8:], mmapcas.FormatVersion+1)
		binary.LittleEndian.PutUint32(c[124:], crc32.Checksum(c[:124], crc32.MakeTable(crc32.Castagnoli)))
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The disk fills up while two editors type. Their edits and answers go on, from memory, and the
// user is told once where there is no room. With room again, a server that starts uses the store.
func TestFullDisk(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=70m", "none", disk).CombinedOutput(); err != nil {
		t.Skipf("no disk of its own to be had: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", disk).Run() })
	store := filepath.Join(disk, "store")
	a, b := serveProcess(t, nil, "serve", "--store", store), serveProcess(t, nil, "serve", "--store", store)
	twig, broom := filepath.Join(dir, "twig", "twig.go"), filepath.Join(dir, "broom.go")
	a.begin(dir)
	b.begin(dir)
	b.open(broom, 1, "package broom\n\nfunc Unsaved() {}\n")
	b.outlines(broom, "Unsaved")
	a.open(twig, 0, "package twig\n\ntype Unsaved int\n")
	a.outlines(twig, "Unsaved")

	filler := filepath.Join(disk, "filler")
	fillDisk(t, filler)
	// The text has no room even where all else in the store is: unsaved texts and what is computed
	// from them are garbage soon, so many small ones would fit one after the other.
	large := "// " + strings.Repeat("x", int(diskUse(t, store))) + "\n"
	change := func(version int, text string) {
		a.tell("textDocument/didChange", map[string]any{
			"textDocument":   map[string]any{"uri": string(uri.File(twig)), "version": version},
			"contentChanges": []any{map[string]any{"text": text}},
		})
	}
	change(1, "package twig\n\ntype Large int\n"+large)
	a.outlines(twig, "Large")
	a.await("window/showMessage", fromFullDisk(store))
	change(2, "package twig\n\ntype Small int\n")
	a.outlines(twig, "Small")
	b.outlines(broom, "Unsaved")

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	change(3, "package twig\n\ntype Roomy int\n")
	a.outlines(twig, "Roomy")
	b.outlines(broom, "Unsaved")
	for _, e := range []*editor{a, b} {
		if n := e.shown(fromFullDisk(store)); n > 1 || e == a && n != 1 {
			t.Errorf("process %d was told %d times that it works from memory", e.cmd.Process.Pid, n)
		}
	}
	a.leave()
	b.leave()
	a.left()
	b.left()

	again := serveProcess(t, nil, "serve", "--store", store)
	again.begin(dir)
	again.open(twig, 0, "package twig\n\ntype Again int\n")
	again.outlines(twig, "Again")
	again.finish()
	if n := again.shown(func(string) bool { return true }); n != 0 {
		t.Errorf("with room again, the user is told: %v", again.got)
	}
}

// fromFullDisk fits what is shown when a store has no room.
func fromFullDisk(store string) func(string) bool {
	return func(shown string) bool {
		for _, word := range []string{store, "from memory", "Free space"} {
			if !strings.Contains(shown, word) {
				return false
			}
		}
		return true
	}
}

// fillDisk writes a file that takes all the room there is.
func fillDisk(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
