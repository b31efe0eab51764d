package golang

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
)

// What fakeGo does: a word, and what it needs to know behind a colon.
const fakeEnv = "CYTISUS_TEST_FAKE_GO"

// fakeGo never returns.
func fakeGo(what string) {
	verb, arg, _ := strings.Cut(what, ":")
	switch verb {
	case "say": // exit code 1, and a message
		fmt.Fprintln(os.Stderr, arg)
		os.Exit(1)
	case "list": // fails to list, and does all else as a go command whose path comes first
		real, words, _ := strings.Cut(arg, "\n")
		if os.Args[1] == "list" {
			fakeGo("say:" + words)
		}
		cmd := exec.Command(real, os.Args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case "print":
		fmt.Println(arg)
		os.Exit(0)
	case "flood":
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<16)); err != nil {
				os.Exit(1)
			}
		}
	case "hang": // with a child that hangs, too; both tell their numbers through a FIFO or file
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fakeEnv+"=sleep")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		tell(arg, child.Process.Pid)
		fakeGo("sleep")
	case "leave": // ends well, and leaves a child that holds its output
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fakeEnv+"=sleep")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		tell(arg, child.Process.Pid)
		fmt.Println("{}")
		os.Exit(0)
	case "sleep":
		for {
			time.Sleep(time.Hour)
		}
	}
	fmt.Fprintf(os.Stderr, "fake go: what is %q?\n", what)
	os.Exit(2)
}

// tell writes both process numbers into a file that appears whole.
func tell(file string, child int) {
	text := fmt.Sprintf("%d %d", os.Getpid(), child)
	if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
		panic(err)
	}
}

// putFakeGo makes the test binary the only go command in the PATH.
func putFakeGo(t *testing.T, what string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := "go"
	if goruntime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	t.Setenv("PATH", dir)
	t.Setenv(fakeEnv, what)
}

// told waits for the two numbers that a fake go tells.
func told(t *testing.T, file string) (pids [2]int) {
	t.Helper()
	for {
		text, err := os.ReadFile(file)
		if err == nil {
			if _, err := fmt.Sscan(string(text), &pids[0], &pids[1]); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return pids
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// waitGone waits until processes have ended: those that no one has waited for count.
func waitGone(t *testing.T, pids ...int) {
	t.Helper()
	if goruntime.GOOS != "linux" {
		return
	}
	for _, pid := range pids {
		for ended := false; !ended; {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			_, state, _ := strings.Cut(string(text), ") ")
			ended = err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
			if !ended {
				time.Sleep(time.Millisecond) // the test's own deadline ends this
			}
		}
	}
}

func wantFailure(t *testing.T, err error, words ...string) {
	t.Helper()
	failure, ok := errors.AsType[*commandError](err)
	if !ok {
		t.Fatalf("%v is no failure of a command", err)
	}
	for _, w := range words {
		if !strings.Contains(failure.text, w) {
			t.Errorf("%q does not say %q", failure.text, w)
		}
	}
}

// A go command that hangs is ended with its children, and the message says what ran and how long.
func TestGoCommandHasADeadline(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	putFakeGo(t, "hang:"+note)
	dir := t.TempDir()
	// Of two limits that the same run has, the later setting counts.
	_, err := runGo(t.Context(), dir, []string{goTimeoutSetting + "=1h", goTimeoutSetting + "=2s"}, "list", "./...")
	wantFailure(t, err, "go list in "+dir, "within 2s", goTimeoutSetting)
	waitGone(t, pidsOf(told(t, note))...)
	_, err = runGo(t.Context(), dir, []string{goTimeoutSetting + "=soon"}, "list")
	wantFailure(t, err, goTimeoutSetting, `"soon"`)
}

func pidsOf(p [2]int) []int { return p[:] }

// When the one who asks gives up, the command and its children end at once.
func TestGoCommandEndsWithItsContext(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	putFakeGo(t, "hang:"+note)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := runGo(ctx, t.TempDir(), nil, "list")
		done <- err
	}()
	pids := told(t, note)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	waitGone(t, pids[:]...)
}

// Closing a workspace ends the go command that runs for it.
func TestGoCommandEndsWithItsWorkspace(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule example.com/m\n-- a.go --\npackage m\n", lsp.WorkspaceOptions{})
	note := filepath.Join(t.TempDir(), "pids")
	putFakeGo(t, "hang:"+note)
	done := make(chan error)
	go func() {
		_, err := f.w.Index(f.ctx, nil)
		done <- err
	}()
	pids := told(t, note)
	if err := f.w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("an index without a go command succeeds")
	}
	waitGone(t, pids[:]...)
}

// A child that holds the output does not hold up the answer, and is ended.
func TestGoCommandLeavesNoChild(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	putFakeGo(t, "leave:"+note)
	limits := defaultGoLimits
	limits.linger = 10 * time.Millisecond
	out, err := runGoWithin(t.Context(), limits, t.TempDir(), nil, "list")
	if err != nil || strings.TrimSpace(string(out)) != "{}" {
		t.Errorf("%q, %v", out, err)
	}
	waitGone(t, pidsOf(told(t, note))...)
}

// Output beyond the limit ends the command.
func TestGoCommandOutputIsBounded(t *testing.T) {
	putFakeGo(t, "flood")
	limits := defaultGoLimits
	limits.stdout = 1 << 20
	out, err := runGoWithin(t.Context(), limits, t.TempDir(), nil, "list")
	wantFailure(t, err, "printed more than 1048576 bytes")
	if len(out) > 0 {
		t.Errorf("%d bytes are kept", len(out))
	}
	b := &bounded{max: 10}
	if n, err := io.Copy(b, strings.NewReader(strings.Repeat("x", 100_000))); n != 100_000 || err != nil || b.kept.Len() != 10 {
		t.Errorf("%d written, %v, %d kept", n, err, b.kept.Len())
	}
}

// A server that is killed takes the go command along.
func TestGoCommandDiesWithTheServer(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("only Linux ties a process to its parent")
	}
	note := filepath.Join(t.TempDir(), "pids")
	putFakeGo(t, "hang:"+note)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(self, "-test.run=TestRunsGoUntilKilled")
	server.Env = append(os.Environ(), "CYTISUS_TEST_UNTIL_KILLED="+t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	pids := told(t, note)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // says that it was killed
	waitGone(t, pids[0])
	// The child of the fake is no go command; nothing ties it to anybody.
	if p, err := os.FindProcess(pids[1]); err == nil {
		_ = p.Kill() // may have ended
	}
}

// The other process of TestGoCommandDiesWithTheServer.
func TestRunsGoUntilKilled(t *testing.T) {
	dir := os.Getenv("CYTISUS_TEST_UNTIL_KILLED")
	if dir == "" {
		t.Skip("a part of TestGoCommandDiesWithTheServer")
	}
	_, err := runGo(t.Context(), dir, nil, "list")
	t.Fatal(err)
}

// Whatever keeps the go command from answering is what the diagnostic at go.mod says, also where
// there is no go.mod in sight.
func TestGoCommandCauseIsTold(t *testing.T) {
	const archive = "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nimport \"fmt\"\n\nvar A = fmt.Sprint()\n"
	for _, c := range []struct {
		name, fake string
		env        []string
		want       string
	}{
		{"none", "none", nil, "go env: there is no go command in the PATH of this process"},
		{"disk full", "say:go: writing stdlib: no space left on device", nil, "go env: go: writing stdlib: no space left on device"},
		{"toolchain", "say:go: downloading go1.99 (linux/amd64)\ngo: download go1.99 for linux/amd64: toolchain not available", nil, "go env: go: download go1.99 for linux/amd64: toolchain not available"},
		{"mute", "say:", nil, "go env: exit status 1, and it said nothing"},
		{"garbage", "print:hello", nil, `go env printed what is no answer (is the go in PATH the go command?): "hello\n"`},
		{"an empty answer", "print:{}", nil, `go env printed what is no answer (is the go in PATH the go command?): "{}\n"`},
		{"GOOS", "", []string{"GOOS=nope"}, "go: unsupported GOOS/GOARCH pair nope/" + goruntime.GOARCH},
		{"GOARCH", "", []string{"GOARCH=nope"}, "go: unsupported GOOS/GOARCH pair " + goruntime.GOOS + "/nope"},
		{"GOFLAGS", "", []string{"GOFLAGS=nope"}, `go list: parsing $GOFLAGS: non-flag "nope"`},
		{"GO111MODULE", "", []string{"GO111MODULE=nope"}, "go env: go: unknown environment setting GO111MODULE=nope"},
		{"timeout", "", []string{goTimeoutSetting + "=nope"}, goTimeoutSetting + ` is "nope"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			switch c.fake {
			case "":
			case "none":
				t.Setenv("PATH", t.TempDir())
			default:
				putFakeGo(t, c.fake)
			}
			f := newFixture(t, archive, lsp.WorkspaceOptions{Env: c.env})
			f.index()
			wantDiagnostic(t, f.published("go.mod"), c.want)
			for _, d := range f.published("go.mod") {
				if strings.Contains(d, "no go.mod file") {
					t.Errorf("told %q", d)
				}
			}
		})
	}
	t.Run("newer go", func(t *testing.T) {
		f := newFixture(t, strings.Replace(archive, "go 1.24", "go 1.999", 1), lsp.WorkspaceOptions{})
		f.index()
		wantDiagnostic(t, f.published("go.mod"), "go.mod requires go >= 1.999")
	})
}

// A go command that failed for a reason that may pass is asked again by the next index, although no
// file has changed, and else only after some time.
func TestGoCommandIsAskedAgain(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	root, store := tempDir(t), t.TempDir()
	found := writeFiles(t, root, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nimport \"fmt\"\n\nvar A = fmt.Sprint()\n")
	const why = "example.com/x@v1.0.0: dial tcp: lookup proxy.golang.org: no such host"
	putFakeGo(t, "list:"+real+"\ngo: "+why)
	f := openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	f.w.askAfter = time.Hour
	for range 2 {
		f.index()
		wantDiagnostic(t, f.published("go.mod"), "go list: "+why)
	}
	before := f.ran("golang/metadata")
	if before != 2 {
		t.Errorf("asked %d times by two indexes", before)
	}
	f.edit("a.go", "Sprint()", "Sprintln()")
	f.settle()
	if got := f.ran("golang/metadata"); got != before {
		t.Errorf("asked %d times more by an edit of a body", got-before)
	}
	f.close() // a restart between must make no difference
	t.Setenv("PATH", path)
	f = openFixture(t, root, store, found, lsp.WorkspaceOptions{})
	f.index()
	if got := f.published("go.mod"); len(got) > 0 {
		t.Errorf("after the cause has gone: %q", got)
	}
}

// After some time it is asked again without any occasion, as often as it takes, and the diagnostics
// follow.
func TestGoCommandIsAskedAgainInTime(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	root := tempDir(t)
	found := writeFiles(t, root, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nimport \"fmt\"\n\nvar A = fmt.Sprint()\n")
	const why = "example.com/x@v1.0.0: dial tcp: lookup proxy.golang.org: no such host"
	putFakeGo(t, "list:"+real+"\ngo: "+why)
	f := openFixture(t, root, t.TempDir(), found, lsp.WorkspaceOptions{})
	f.w.askAfter = time.Microsecond
	f.index()
	wantDiagnostic(t, f.published("go.mod"), "go list: "+why)
	for f.ran("golang/metadata") < 4 {
		time.Sleep(time.Millisecond) // nothing tells of a question that failed again
	}
	wantDiagnostic(t, f.published("go.mod"), "go list: "+why)
	t.Setenv("PATH", path) // the cause has gone
	f.w.asks.Wait()
	f.settle()
	if got := f.published("go.mod"); len(got) > 0 {
		t.Errorf("after the cause has gone: %q", got)
	}
}
