package disk

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/internal/fakego"
)

func wantFailure(t *testing.T, err error, words ...string) {
	t.Helper()
	failure, ok := errors.AsType[*CommandError](err)
	if !ok {
		t.Fatalf("%v is no failure of a command", err)
	}
	for _, w := range words {
		if !strings.Contains(failure.Text, w) {
			t.Errorf("%q does not say %q", failure.Text, w)
		}
	}
}

// A go command that hangs is ended with its children, and the message says what ran and how long.
func TestGoCommandHasADeadline(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	fakego.Put(t, "hang:"+note)
	dir := t.TempDir()
	// A busy machine may take more than a short limit to start the two processes.
	for limit := time.Second; ; limit *= 2 {
		// Of two limits that the same run has, the later setting counts.
		settings := []string{TimeoutSetting + "=1h", TimeoutSetting + "=" + limit.String()}
		_, err := runGo(t.Context(), dir, settings, "list", "./...")
		wantFailure(t, err, "go list in "+dir, "within "+limit.String(), TimeoutSetting)
		if fakego.HasTold(note) {
			break
		}
	}
	fakego.WaitGone(t, pidsOf(fakego.Told(t, note))...)
	_, err := runGo(t.Context(), dir, []string{TimeoutSetting + "=soon"}, "list")
	wantFailure(t, err, TimeoutSetting, `"soon"`)
}

func pidsOf(p [2]int) []int { return p[:] }

// When the one who asks gives up, the command and its children end at once.
func TestGoCommandEndsWithItsContext(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	fakego.Put(t, "hang:"+note)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := runGo(ctx, t.TempDir(), nil, "list")
		done <- err
	}()
	pids := fakego.Told(t, note)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	fakego.WaitGone(t, pids[:]...)
}

// A child that holds the output does not hold up the answer, and is ended.
func TestGoCommandLeavesNoChild(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pids")
	fakego.Put(t, "leave:"+note)
	limits := defaultGoLimits
	limits.linger = 10 * time.Millisecond
	for ; ; limits.linger *= 2 {
		out, err := runGoWithin(t.Context(), limits, t.TempDir(), nil, "list")
		fakego.WaitGone(t, pidsOf(fakego.Told(t, note))...)
		if err == nil && strings.TrimSpace(string(out)) == "{}" {
			return
		}
		// A busy machine may let so short a time pass before the output is read.
		if err != nil || len(out) > 0 || limits.linger > time.Second {
			t.Fatalf("%q, %v", out, err)
		}
	}
}

// Output beyond the limit ends the command.
func TestGoCommandOutputIsBounded(t *testing.T) {
	fakego.Put(t, "flood")
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
	fakego.Put(t, "hang:"+note)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(self, "-test.run=TestRunsGoUntilKilled")
	server.Env = append(os.Environ(), "CYTISUS_TEST_UNTIL_KILLED="+t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	pids := fakego.Told(t, note)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // says that it was killed
	fakego.WaitGone(t, pids[0])
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
