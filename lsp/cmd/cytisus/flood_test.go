package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
)

var floodShare = flag.Float64("flood", 0.02, "share of the floods that the tests send: 1 is a million requests, 18,000 edits, 10,000 files, 200,000 reports of files, a file of 50 MB")

func flooded(n int) int { return max(int(float64(n)**floodShare), 10) }

// A flooder is an ill-behaved editor with a server process of its own.
type flooder struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	in     *bufio.Writer
	pipe   io.WriteCloser
	out    *bufio.Reader
	nextID int
}

const floodModule = `
-- go.mod --
module example.com/flood

go 1.24
-- a.go --
package flood

// A is asked about.
func A() int { return 1 }
`

// newFlooder starts a server on a small module and waits until it has been indexed.
func newFlooder(t *testing.T) *flooder {
	t.Helper()
	f := startFlooder(t)
	f.ask("cytisus/reindex", `{}`)
	return f
}

// startFlooder starts a server on a small module.
func startFlooder(t *testing.T) *flooder {
	t.Helper()
	if goruntime.GOOS != "linux" {
		t.Skip("what a process costs is read from /proc")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &flooder{t: t, dir: write(t, floodModule)}
	f.cmd = exec.Command(self, "serve", "--store", filepath.Join(t.TempDir(), "store"))
	f.cmd.Dir = f.dir
	f.cmd.Env = append(os.Environ(), commandEnv+"=1")
	stdin, err := f.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	f.cmd.Stderr = io.Discard
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.cmd.Process.Kill() // may have ended
		_ = f.cmd.Wait()
	})
	f.pipe, f.in, f.out = stdin, bufio.NewWriterSize(stdin, 64<<10), bufio.NewReaderSize(stdout, 64<<10)
	f.ask("initialize", fmt.Sprintf(`{"processId":null,"rootUri":%q,"capabilities":{}}`, uri.File(f.dir)))
	f.notify("initialized", `{}`)
	return f
}

func (f *flooder) uri(name string) string { return string(uri.File(filepath.Join(f.dir, name))) }

func (f *flooder) send(body string) error {
	_, err := fmt.Fprintf(f.in, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return err
}

func (f *flooder) flush() {
	f.t.Helper()
	if err := f.in.Flush(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *flooder) notify(method, params string) {
	f.t.Helper()
	if err := f.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":%s}`, method, params)); err != nil {
		f.t.Fatal(err)
	}
	f.flush()
}

// ask sends a request and waits for its answer; what else comes is dropped.
func (f *flooder) ask(method, params string) (result, failure string) {
	f.t.Helper()
	f.nextID++
	id := strconv.Itoa(f.nextID)
	if err := f.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`, id, method, params)); err != nil {
		f.t.Fatal(err)
	}
	f.flush()
	for {
		m, err := f.next()
		if err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
		if string(m.ID) == id && m.Method == "" {
			if m.Error != nil {
				return "", m.Error.Message
			}
			return string(m.Result), ""
		}
	}
}

type floodMessage struct {
	ID     json.RawMessage
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
}

// next reads one message, and answers it if it is a request.
func (f *flooder) next() (m floodMessage, err error) {
	length := 0
	for {
		line, err := f.out.ReadString('\n')
		if err != nil {
			return m, err
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(v); err != nil {
				return m, err
			}
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(f.out, body); err != nil {
		return m, err
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, err
	}
	if m.Method != "" && m.ID != nil {
		err = errors.Join(f.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":null}`, m.ID)), f.in.Flush())
	}
	return m, err
}

// hover asks a question that takes no computing; its answer says that all before it has been
// served.
func (f *flooder) hover(name string) (result, failure string) {
	return f.ask("textDocument/hover", fmt.Sprintf(`{"textDocument":{"uri":%q},"position":{"line":3,"character":5}}`, f.uri(name)))
}

// memory is what the process has costs in MiB: the most so far, and now apart from mapped files.
func (f *flooder) memory() (peak, anonymous int) {
	f.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kb int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			peak = kb >> 10
		}
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &kb); err == nil {
			anonymous = kb >> 10
		}
	}
	return peak, anonymous
}

// within checks what the flood has cost. The bound is of the whole process, the stated bounds with
// the engine, its caches and what the Go collector leaves for a while.
func (f *flooder) within(what string, limit int, began time.Time) {
	f.t.Helper()
	peak, now := f.memory()
	f.t.Logf("%s: peak %d MiB, %d MiB without mapped files now; %v", what, peak, now, time.Since(began).Round(time.Millisecond))
	if limit *= raceFactor; peak > limit {
		f.t.Errorf("%s: the process took %d MiB, at most %d were to be", what, peak, limit)
	}
}

func TestFloodOfEdits(t *testing.T) {
	f := newFlooder(t)
	f.within("before", 100, time.Now())
	began := time.Now()
	text := "package flood\n\n// B is edited.\nfunc B() int { return 1 }\n" + strings.Repeat("// filling that makes the text long enough to be counted\n", 100<<10/57)
	raw, _ := json.Marshal(text)
	f.notify("textDocument/didOpen", fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"go","version":0,"text":%s}}`, f.uri("b.go"), raw))
	n := flooded(18_000)
	for i := range n {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":%q,"version":%d},"contentChanges":[{"range":{"start":{"line":3,"character":24},"end":{"line":3,"character":24}},"text":"%d+"}]}}`, f.uri("b.go"), i+1, i%10)
		if err := f.send(body); err != nil {
			t.Fatal(err)
		}
	}
	if result, failure := f.hover("b.go"); failure != "" || !strings.Contains(result, "func B() int") {
		t.Errorf("after %d edits: %s %s", n, result, failure)
	}
	f.within(fmt.Sprintf("%d edits", n), 250, began)
}

func TestFloodOfUnreadRequests(t *testing.T) {
	f := newFlooder(t)
	began := time.Now()
	n := flooded(1_000_000)
	done := make(chan error, 1)
	go func() {
		for i := range n {
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"textDocument/hover","params":{"textDocument":{"uri":%q},"position":{"line":3,"character":5}}}`, i+1_000_000, f.uri("a.go"))
			if err := f.send(body); err != nil {
				done <- err
				return
			}
		}
		done <- f.in.Flush()
	}()
	// Until the writer has come to its end, or stands still because it is not read from. To look
	// too early sees less than there will be; the bound holds at any time.
	last := -1
	for still := 0; still < 20; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			done <- nil
			still = 20
		case <-time.After(100 * time.Millisecond):
			_, now := f.memory()
			if still++; now != last {
				still, last = 0, now
			}
		}
	}
	f.within(fmt.Sprintf("%d requests unread", n), 250, began)
	answered := 0
	for answered < n {
		m, err := f.next()
		if err != nil {
			t.Fatalf("after %d of %d answers: %v", answered, n, err)
		}
		if m.Method == "" {
			answered++
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.within(fmt.Sprintf("%d requests answered", n), 250, began)
}

func TestFloodOfOpenFiles(t *testing.T) {
	f := newFlooder(t)
	began := time.Now()
	n := flooded(10_000)
	filling := strings.Repeat("// filling of an ordinary length\n", 2<<10/33)
	for i := range n {
		text := fmt.Sprintf("package flood\n\n// C%d is open.\nfunc C%d() int { return %d }\n%s", i, i, i, filling)
		raw, _ := json.Marshal(text)
		body := fmt.Sprintf(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":%q,"languageId":"go","version":0,"text":%s}}}`, f.uri(floodFile(i)), raw)
		if err := f.send(body); err != nil {
			t.Fatal(err)
		}
	}
	if result, failure := f.hover(floodFile(1)); failure != "" || !strings.Contains(result, "func C1() int") {
		t.Errorf("after %d files: %s %s", n, result, failure)
	}
	if _, failure := f.ask("cytisus/settle", "{}"); failure != "" {
		t.Error(failure)
	}
	f.within(fmt.Sprintf("%d open files", n), 700, began)
}

func TestFloodOfOneFile(t *testing.T) {
	f := newFlooder(t)
	began := time.Now()
	size := max(flooded(50_000_000), 1_000_000)
	var text strings.Builder
	text.WriteString("package flood\n\n// D is in a large file.\nfunc D() int { return 1 }\n")
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, "func D%d(a, b int) int { if a > b { return a*%d + b }; return b }\n", i, i)
	}
	raw, _ := json.Marshal(text.String())
	f.notify("textDocument/didOpen", fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"go","version":0,"text":%s}}`, f.uri("d.go"), raw))
	result, failure := f.hover("d.go")
	if large := size > lsp.MaxFileBytes; size > 4<<20 && !large {
		t.Log("too large to be checked, so nothing is known of it")
	} else if large != strings.Contains(failure, "too large") || large == strings.Contains(result, "func D() int") {
		t.Errorf("hover in a file of %d bytes: %.100s %.300s", size, result, failure)
	}
	f.within(fmt.Sprintf("a file of %d bytes", size), 1000, began)
}

// A file that is small enough to be read and too large to be checked costs what parsing it does.
func TestFloodOfAFileNearTheLimit(t *testing.T) {
	f := newFlooder(t)
	began := time.Now()
	size := min(max(flooded(16_000_000), 5_000_000), lsp.MaxFileBytes-100)
	var text strings.Builder
	text.WriteString("package flood\n\n// E is in a large file.\nfunc E() int { return 1 }\n")
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, "func E%d(a, b int) int { if a > b { return a*%d + b }; return b }\n", i, i)
	}
	raw, _ := json.Marshal(text.String())
	f.notify("textDocument/didOpen", fmt.Sprintf(`{"textDocument":{"uri":%q,"languageId":"go","version":0,"text":%s}}`, f.uri("e.go"), raw))
	result, failure := f.ask("textDocument/diagnostic", fmt.Sprintf(`{"textDocument":{"uri":%q}}`, f.uri("e.go")))
	if failure != "" || !strings.Contains(result, "not type-checked") {
		t.Errorf("diagnostics of a file of %d bytes: %.300s %.300s", size, result, failure)
	}
	if result, failure := f.hover("a.go"); failure != "" || !strings.Contains(result, "func A() int") {
		t.Errorf("hover beside it: %s %s", result, failure)
	}
	f.within(fmt.Sprintf("a file of %d bytes, not checked", size), 700, began)
}

// floodFile names one of many files, a hundred in each directory.
func floodFile(i int) string { return fmt.Sprintf("d%d/c%d.go", i/100, i) }

// Reports of files, all of other names: of nothing, of files that are there, and of directories
// that went.
func TestFloodOfReportedFiles(t *testing.T) {
	f := newFlooder(t)
	for i := range 1000 {
		path := filepath.Join(f.dir, floodFile(i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "package d%d\n\nfunc C%d() int { return %d }\n", i/100, i, i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	n := flooded(200_000)
	var changes []string
	for i := range n {
		name := fmt.Sprintf("e%d/c%d.go", i/100, i)
		switch {
		case i%3 == 1:
			name = fmt.Sprintf("node_modules/p%d", i)
		case i < 3000:
			name = floodFile(i / 3)
		}
		if changes = append(changes, fmt.Sprintf(`{"uri":%q,"type":3}`, f.uri(name))); len(changes) == 100 || i == n-1 {
			f.notify("workspace/didChangeWatchedFiles", `{"changes":[`+strings.Join(changes, ",")+`]}`)
			changes = changes[:0]
		}
	}
	if _, failure := f.ask("cytisus/settle", "{}"); failure != "" {
		t.Error(failure)
	}
	if result, failure := f.ask("workspace/symbol", `{"query":"C999"}`); failure != "" || !strings.Contains(result, "C999") {
		t.Errorf("after %d reports: %.300s %s", n, result, failure)
	}
	f.within(fmt.Sprintf("%d reported files", n), 300, began)
}
