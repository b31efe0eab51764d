package golang

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goruntime "runtime"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/internal/fakego"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/runtime"
)

// Closing a workspace ends the go command that runs for it.
func TestGoCommandEndsWithItsWorkspace(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule example.com/m\n-- a.go --\npackage m\n", lsp.WorkspaceOptions{})
	note := filepath.Join(t.TempDir(), "pids")
	fakego.Put(t, "hang:"+note)
	done := make(chan error)
	go func() {
		_, err := f.w.Index(f.ctx, nil)
		done <- err
	}()
	pids := fakego.Told(t, note)
	if err := f.w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("an index without a go command succeeds")
	}
	fakego.WaitGone(t, pids[:]...)
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
		{"timeout", "", []string{disk.TimeoutSetting + "=nope"}, disk.TimeoutSetting + ` is "nope"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			switch c.fake {
			case "":
			case "none":
				t.Setenv("PATH", t.TempDir())
			default:
				fakego.Put(t, c.fake)
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
	root, store := testfiles.TempDir(t), t.TempDir()
	found := testfiles.Write(t, root, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nimport \"fmt\"\n\nvar A = fmt.Sprint()\n")
	const why = "example.com/x@v1.0.0: dial tcp: lookup proxy.golang.org: no such host"
	fakego.Put(t, "list:"+real+"\ngo: "+why)
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
	root := testfiles.TempDir(t)
	found := testfiles.Write(t, root, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nimport \"fmt\"\n\nvar A = fmt.Sprint()\n")
	const why = "example.com/x@v1.0.0: dial tcp: lookup proxy.golang.org: no such host"
	fakego.Put(t, "list:"+real+"\ngo: "+why)
	asked := make(chan struct{}, 4)
	eng, err := runtime.Open(t.TempDir(), runtime.Options{Workers: 2, Trace: func(ev runtime.TraceEvent) {
		if ev.What.String() == "run" && ev.Query == "golang/metadata" {
			select {
			case asked <- struct{}{}:
			default: // it is asked more often than the test waits for
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := openFixtureOn(t, eng, root, found, lsp.WorkspaceOptions{})
	f.w.askAfter = time.Microsecond
	f.index()
	wantDiagnostic(t, f.published("go.mod"), "go list: "+why)
	for range cap(asked) {
		<-asked // the test's own deadline ends this
	}
	wantDiagnostic(t, f.published("go.mod"), "go list: "+why)
	t.Setenv("PATH", path) // the cause has gone
	f.w.asks.Wait()
	f.settle()
	if got := f.published("go.mod"); len(got) > 0 {
		t.Errorf("after the cause has gone: %q", got)
	}
}
