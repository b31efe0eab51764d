package lsptest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/example/conf"
	"github.com/cytisus/cytisus/lsp/lsptest"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/runtime"
)

// A hoverless language panics when it is asked what a name is.
type hoverless struct{ conf.Language }

func (l hoverless) Open(ctx context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (lsp.Workspace, error) {
	ws, err := l.Language.Open(ctx, eng, root, o)
	return &hoverlessWorkspace{ws}, err
}

type hoverlessWorkspace struct{ lsp.Workspace }

func (hoverlessWorkspace) Hover(*runtime.Task, string, int) (*lsp.Hover, error) {
	panic("there is no hover")
}

// A judged test takes note of the errors of another, which goes on.
type judged struct {
	testing.TB
	clean  []func()
	errors strings.Builder
}

func (j *judged) Cleanup(fn func()) { j.clean = append(j.clean, fn) }
func (j *judged) Error(args ...any) { j.errors.WriteString(args[0].(error).Error()) }

func (j *judged) end() string {
	for i := range j.clean {
		j.clean[len(j.clean)-1-i]()
	}
	return j.errors.String()
}

// TestPanicFailsTheTest: a session in which something panicked fails its test, also where the test
// does not look at the answer, and no other session does.
func TestPanicFailsTheTest(t *testing.T) {
	for _, c := range []struct {
		lang lsp.Language
		want string
	}{
		{conf.Language{}, ""},
		{hoverless{}, "there is no hover"},
	} {
		j := &judged{TB: t}
		dir := t.TempDir()
		e := lsptest.Start(j, c.lang, dir, lsptest.Options{})
		e.Open(dir+"/a.conf", c.lang.ID(), "port = 80\n")
		_, _ = e.Ask("textDocument/hover", map[string]any{
			"textDocument": map[string]string{"uri": editor.URI(dir + "/a.conf")}, "position": map[string]int{"line": 0, "character": 1},
		})
		if got := j.end(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("the test failed with %q, want %q", got, c.want)
		}
	}
}
