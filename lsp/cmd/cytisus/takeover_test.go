package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/daemon"
)

// typist edits one file of a grove and asks about it, the same each time. It returns the
// answers, as many as it got before its process ended.
func typist(e *editor, file string, rounds int, answered func()) (answers []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		e.t.Error(err)
		return nil
	}
	at := func(line, column int) map[string]any { return placeOf(file, line, column) }
	open := map[string]any{"textDocument": map[string]any{"uri": string(uri.File(file)), "languageId": "go", "version": 1, "text": string(text)}}
	if e.Notify("textDocument/didOpen", rawJSON(open)) != nil {
		return nil
	}
	lines := strings.Split(string(text), "\n")
	line := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "\tv := V") })
	for n := range rounds {
		// A line more above all declarations: each answer tells how many edits there were.
		start := map[string]any{"line": 1, "character": 0}
		edit := map[string]any{
			"textDocument":   map[string]any{"uri": string(uri.File(file)), "version": 2 + n},
			"contentChanges": []any{map[string]any{"range": map[string]any{"start": start, "end": start}, "text": fmt.Sprintf("// edit %d\n", n)}},
		}
		if e.Notify("textDocument/didChange", rawJSON(edit)) != nil {
			return answers
		}
		line++
		for _, q := range []struct {
			method string
			params any
		}{
			{"textDocument/definition", at(line, 7)},
			{"textDocument/hover", at(line, 7)},
			{"textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": string(uri.File(file))}}},
		} {
			answer, err := e.ask(q.method, q.params)
			if err != nil {
				select {
				case <-e.ended: // a process that was told to end hangs up some time before it does
					return answers
				case <-time.After(patience):
				}
				e.t.Errorf("process %d, %s after %d edits: %v", e.cmd.Process.Pid, q.method, n+1, err)
				return answers
			}
			answers = append(answers, answer)
			answered()
		}
	}
	return answers
}

func rawJSON(v any) rawMessage { return rawMessage(mustJSON(v)) }

type rawMessage []byte

func (m rawMessage) MarshalJSON() ([]byte, error) { return m, nil }

// The host is killed again and again, in different ways, while editors type and ask. Those
// that live get the answers that an undisturbed session gets.
func TestGuestsOutliveTheirHosts(t *testing.T) {
	runtimeDir(t)
	const editors, rounds = 6, 12
	dir := grove(t, editors)
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -kill.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	file := func(i int) string { return filepath.Join(dir, fmt.Sprintf("p%02d", i), "p.go") }

	var want [editors][]string
	alone := serveProcess(t, nil, "serve", "--memory")
	alone.begin(dir)
	for i := range editors {
		want[i] = typist(alone, file(i), rounds, func() {})
	}
	alone.finish()

	store := newCLI(t).store
	var all []*editor
	const questions = rounds * 3
	progress := make(chan int, editors*(questions+1)) // an editor that has an answer; ^i: that has its last
	var answers [editors][]string
	var typing sync.WaitGroup
	for range editors {
		e := serveProcess(t, nil, "serve", "--store", store)
		e.begin(dir)
		all = append(all, e)
	}
	for i, e := range all {
		typing.Go(func() {
			answers[i] = typist(e, file(i), rounds, func() { progress <- i })
			progress <- ^i
		})
	}
	killed := map[int]bool{}
	var finished [editors]bool
	var since [editors]int // answers since the last kill
	note := func(i int) {
		if i < 0 {
			finished[^i] = true
		} else {
			since[i]++
		}
	}
	// some reports whether it holds for an editor that lives and still has questions.
	some := func(holds func(i int) bool) bool {
		for i, e := range all {
			if !killed[e.cmd.Process.Pid] && !finished[i] && holds(i) {
				return true
			}
		}
		return false
	}
	for len(killed) < editors-2 {
		// A request that three hosts have ended with is given up: each editor gets an answer in
		// between. The first may be what the host before has sent.
		hungry := func(i int) bool { return since[i] < 2 }
		for n := 1 + rng.IntN(20); some(func(i int) bool { return n > 0 || hungry(i) }); n-- {
			note(<-progress)
		}
		pid := hostOf(t, all, killed)
		i := slices.IndexFunc(all, func(e *editor) bool { return e.cmd.Process.Pid == pid })
		how := []os.Signal{os.Kill, os.Kill, syscall.SIGTERM}[rng.IntN(3)]
		if err := all[i].cmd.Process.Signal(how); err != nil {
			t.Fatal(err)
		}
		killed[pid] = true
		<-all[i].ended
		for waiting := true; waiting; {
			select {
			case i := <-progress:
				note(i)
			default:
				waiting = false
			}
		}
		clear(since[:])
	}
	typing.Wait()
	for _, e := range all {
		if !killed[e.cmd.Process.Pid] {
			e.leave()
		}
	}
	for i, e := range all {
		got := answers[i]
		if dead := killed[e.cmd.Process.Pid]; !dead && len(got) != len(want[i]) {
			t.Errorf("editor %d has %d answers, want %d", i, len(got), len(want[i]))
		}
		for n := range min(len(got), len(want[i])) {
			if got[n] != want[i][n] {
				t.Errorf("editor %d, answer %d: %s\nundisturbed: %s", i, n, got[n], want[i][n])
				break
			}
		}
		if !killed[e.cmd.Process.Pid] {
			e.left()
		}
	}
	c := &cli{t: t, store: store, flags: []string{"--progress=none"}}
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %q", out)
	}
}

// hostOf asks an editor that lives which process answers it.
func hostOf(t *testing.T, all []*editor, dead map[int]bool) int {
	t.Helper()
	for _, e := range all {
		if !dead[e.cmd.Process.Pid] {
			return e.stats().PID
		}
	}
	t.Fatal("nobody lives")
	return 0
}

// A daemon that is told to stop leaves its editors with one of them as host, and so does a
// host that is an editor's.
func TestStoppedHostIsSucceeded(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	c := newCLI(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := exec.Command(self, "daemon", "--store", c.store, dir)
	d.Env = append(os.Environ(), commandEnv+"=1")
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	defer d.Process.Kill()
	for {
		if _, _, code := c.run("daemon", "--status", dir); code == exitOK {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	a, b := serveProcess(t, nil, "serve", "--store", c.store), serveProcess(t, nil, "serve", "--store", c.store)
	file := filepath.Join(dir, "twig", "bad.go")
	for _, e := range []*editor{a, b} {
		e.begin(dir)
	}
	if pid := a.stats().PID; pid != d.Process.Pid {
		t.Fatalf("process %d is the host, not the daemon %d", pid, d.Process.Pid)
	}
	// What is shown stays until it does not hold any more.
	a.open(file, 1, "package twig\n\nvar x int = \"no\"\n")
	a.await("textDocument/publishDiagnostics", func(p string) bool { return strings.Contains(p, "bad.go") && strings.Contains(p, "cannot use") })
	at := placeOf(filepath.Join(dir, "broom.go"), 6, 11)
	want := b.must("textDocument/definition", at)
	c.ok("daemon", "--stop", dir)
	if err := d.Wait(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if got := b.must("textDocument/definition", at); got != want {
			t.Errorf("%s, before: %s", got, want)
		}
		pid := a.stats().PID
		if pid != a.cmd.Process.Pid && pid != b.cmd.Process.Pid || b.stats().PID != pid {
			t.Errorf("process %d is the host", pid)
		}
		c.ok("daemon", "--stop", dir) // now the host is an editor's
	}
	a.insert(file, 2, 2, 0, "// ")
	a.await("textDocument/publishDiagnostics", func(p string) bool {
		return strings.Contains(p, "bad.go") && strings.Contains(p, `"diagnostics":[]`)
	})
	a.leave()
	b.leave()
	a.left()
	b.left()
	for _, e := range []*editor{a, b} {
		e.mu.Lock()
		n := 0
		for _, m := range e.got {
			switch m.method {
			case "client/registerCapability":
				n++
			case "client/unregisterCapability": // what is watched depends on what is known
				n--
			}
		}
		e.mu.Unlock()
		if n != 1 {
			t.Errorf("the editor has %d registrations", n)
		}
	}
}

// removeAll removes a directory in which another process may make files meanwhile.
func removeAll(dir string) error {
	for {
		if err := os.RemoveAll(dir); !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
}

// Whatever is taken away from a host, its editors go on, there is one host again, and the store
// that is there is whole.
func TestHostLosesItsPlace(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	c := newCLI(t)
	a, b := serveProcess(t, nil, "serve", "--store", c.store), serveProcess(t, nil, "serve", "--store", c.store)
	at := placeOf(filepath.Join(dir, "broom.go"), 6, 11)
	for _, e := range []*editor{a, b} {
		e.begin(dir)
	}
	want := a.must("textDocument/definition", at)
	socket, err := daemon.SocketPath(c.store)
	if err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(c.store, lockFile)) {
		t.Errorf("a store that is held has no file %s", lockFile)
	}
	for _, tt := range []struct {
		name string
		take func() error
	}{
		{"the socket", func() error { return os.Remove(socket) }},
		{"the socket's directory", func() error { return removeAll(filepath.Dir(socket)) }},
		{"the lock", func() error { return os.Remove(filepath.Join(c.store, lockFile)) }},
		{"the store", func() error { return removeAll(c.store) }},
		{"the store, exchanged", func() error {
			err := os.Rename(c.store, c.store+".away")
			if mkdir := os.Mkdir(c.store, 0o700); !errors.Is(mkdir, fs.ErrExist) { // a host was quicker
				err = errors.Join(err, mkdir)
			}
			return err
		}},
	} {
		if err := tt.take(); err != nil {
			t.Fatal(tt.name, err)
		}
		// A process that comes now finds a host, or the store that is there. It gives up after some
		// seconds, in which a host on a busy machine may not have got to look.
		began := time.Now()
		out, errs, code := c.run("def", filepath.Join(dir, "broom.go")+":7:12")
		for code == exitStore && strings.Contains(errs, "is locked") && time.Since(began) < patience {
			out, errs, code = c.run("def", filepath.Join(dir, "broom.go")+":7:12")
		}
		if code != exitOK || !strings.Contains(out, "twig.go:8:6") {
			t.Errorf("without %s: exit code %d, %s%s", tt.name, code, out, errs)
		}
		for _, e := range []*editor{a, b} {
			if got := e.must("textDocument/definition", at); got != want {
				t.Errorf("without %s: %s, before: %s", tt.name, got, want)
			}
		}
		deadline := time.Now().Add(patience)
		for {
			info, err := daemon.AskStatus(t.Context(), c.store, daemon.Options{})
			if one := a.stats().PID; err == nil && one == b.stats().PID && one == info.PID && exists(filepath.Join(c.store, lockFile)) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("without %s: %v, and processes %d and %d are hosts", tt.name, err, a.stats().PID, b.stats().PID)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	a.leave()
	b.leave()
	a.left()
	b.left()
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %q", out)
	}
}
