package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/cytisus/cytisus/lsp/files"
)

// TimeoutSetting is the setting, of the workspace or else of the process, that says how long one
// go command may take, as time.ParseDuration reads it.
const TimeoutSetting = "CYTISUS_GO_TIMEOUT"

// goLimits bound one run of the go command.
type goLimits struct {
	timeout time.Duration
	stdout  int // bytes; a run that prints more is ended
	stderr  int // bytes that are kept
	linger  time.Duration
}

// defaultGoLimits leave room for a first download of many modules, and for the packages of the
// largest repositories: go list prints about 3 KB for each.
var defaultGoLimits = goLimits{timeout: 5 * time.Minute, stdout: 256 << 20, stderr: 64 << 10, linger: 2 * time.Second}

// A CommandError says why a go command gave no answer.
type CommandError struct {
	Text   string
	Output []byte // what it printed before, if it ran to its end
}

func (e *CommandError) Error() string { return e.Text }

var (
	errGoSlow  = errors.New("the go command took too long")
	errGoLoud  = errors.New("the go command printed too much")
	errGoEnded = errors.New("the go command has ended")
)

// runGo runs the go command in a directory, with the process' environment and the extra settings on
// top, and returns what it printed. A run without an answer is a *CommandError, which says the
// cause; when ctx ends first, that is the error.
//
// The command is a process group of its own. The group is ended when ctx ends, when a limit is
// reached, and when the command has ended and left a child that holds its output. On Linux the
// command dies with this process, whatever ended that; elsewhere on Unix a process that is killed
// leaves a go command that goes on until it writes.
func runGo(ctx context.Context, dir string, extra []string, args ...string) ([]byte, error) {
	limits := defaultGoLimits
	if text := setting(extra, TimeoutSetting); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return nil, &CommandError{Text: fmt.Sprintf("%s is %q, which is no duration such as 90s or 10m", TimeoutSetting, text)}
		}
		limits.timeout = d
	}
	return runGoWithin(ctx, limits, dir, extra, args...)
}

// Go runs the go command in a directory for a user, as all other runs are made: within bounds, and
// with a *CommandError for one that fails.
func Go(ctx context.Context, dir string, extra []string, args ...string) ([]byte, error) {
	return runGo(ctx, dir, extra, args...)
}

// setting is the value of an environment variable: the last in a list of settings, or else the
// process'.
func setting(extra []string, key string) string {
	for i := len(extra) - 1; i >= 0; i-- {
		if k, v, _ := strings.Cut(extra[i], "="); k == key {
			return v
		}
	}
	return os.Getenv(key)
}

func runGoWithin(ctx context.Context, limits goLimits, dir string, extra []string, args ...string) ([]byte, error) {
	if why := oddModuleFile(dir); why != "" {
		return nil, &CommandError{Text: why}
	}
	running, end := context.WithCancelCause(ctx)
	defer end(errGoEnded)
	timer := time.AfterFunc(limits.timeout, func() { end(errGoSlow) })
	defer timer.Stop()

	cmd := exec.CommandContext(running, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PWD="+dir), extra...)
	stdout := &bounded{max: limits.stdout, over: func() { end(errGoLoud) }}
	stderr := &bounded{max: limits.stderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = limits.linger
	err := runGroup(cmd)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well and left a child behind, which runGroup has ended
	}

	what := "go " + args[0]
	said := whatItSaid(stderr.kept.Bytes())
	switch cause := context.Cause(running); {
	case ctx.Err() != nil:
		why := ctx.Err()
		if cause := context.Cause(ctx); cause != why {
			why = fmt.Errorf("%w: %w", why, cause)
		}
		return nil, fmt.Errorf("%s in %s: %w", what, dir, why)
	case errors.Is(cause, errGoSlow):
		return nil, &CommandError{Text: fmt.Sprintf("%s in %s did not end within %v and was ended (%s allows another time)%s",
			what, dir, limits.timeout, TimeoutSetting, after("; it said: ", said))}
	case errors.Is(cause, errGoLoud):
		return nil, &CommandError{Text: fmt.Sprintf("%s in %s printed more than %d bytes and was ended", what, dir, limits.stdout)}
	case err == nil:
		return stdout.kept.Bytes(), nil
	}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		if said == "" {
			said = err.Error() + ", and it said nothing"
		}
		return nil, &CommandError{Text: what + ": " + said, Output: stdout.kept.Bytes()}
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, &CommandError{Text: fmt.Sprintf("%s: there is no go command in the PATH of this process (%s)", what, os.Getenv("PATH"))}
	}
	return nil, &CommandError{Text: fmt.Sprintf("%s: the go command cannot be started: %v", what, err)}
}

// runGroup starts a command as a group of its own and waits for it. The thread that starts it stays
// until it has ended: Linux would take the end of that thread for the end of this process.
func runGroup(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	go func() {
		goruntime.LockOSThread()
		defer goruntime.UnlockOSThread()
		g := newGroup(cmd)
		if err := cmd.Start(); err != nil {
			g.ended(err)
			done <- err
			return
		}
		g.started()
		err := cmd.Wait()
		g.ended(err)
		done <- err
	}()
	return <-done
}

// bounded keeps the first bytes that are written to it. It embeds no bytes.Buffer, whose ReadFrom
// would take them all.
type bounded struct {
	kept bytes.Buffer
	max  int
	over func() // called, if set, when there are more
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - b.kept.Len()
	if room < len(p) && b.over != nil {
		b.over()
	}
	b.kept.Write(p[:min(len(p), max(room, 0))])
	return len(p), nil
}

// whatItSaid makes a message of what a command printed: in one line where possible, without the
// lines that tell of progress.
func whatItSaid(stderr []byte) string {
	var lines []string
	for line := range strings.Lines(strings.ToValidUTF8(string(stderr), "?")) {
		if rest, ok := strings.CutPrefix(line, "go: "); ok && (strings.HasPrefix(rest, "downloading ") || strings.HasPrefix(rest, "finding ")) {
			continue
		}
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	const limit = 2000
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

func after(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}

// isPassing reports whether a message is about the machine or the network rather than about the
// files that were asked about.
func isPassing(message string) bool {
	for _, sign := range []string{
		"dial tcp", "proxyconnect", "i/o timeout", "TLS handshake", "connection re", "no such host", "lookup ", "unexpected EOF",
		"no space left", "disk quota", "not enough space", "too many open files", "cannot allocate memory", "resource temporarily unavailable",
		"toolchain not available", "download go1", "signal: ", "GOCACHE", "cannot find GOROOT", "read-only file system", "input/output error",
	} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

// oddModuleFile names a module file that the go command would open and might never come to the end
// of: one in the directory or above that is a FIFO, a device or a file of the kernel.
func oddModuleFile(dir string) string {
	for {
		for _, name := range []string{"go.mod", "go.work", "go.sum", "go.work.sum"} {
			path := filepath.Join(dir, name)
			info, err := files.Stat(path)
			if info != nil && !info.IsDir() && err != nil {
				return fmt.Sprintf("%s: %s: the go command is not run", path, ErrorText(err))
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
