package lint

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// TestFailing: an analyzer that panics costs its own answer, and that of what needs it (N2); one
// that nobody waits for any more is not begun.
func TestFailing(t *testing.T) {
	env, m := purebuild.Std()
	n := &noter{t: t, b: purebuild.New(t, env, m)}
	p := n.b.Package("errors")
	trees := []*syntax.Tree{syntax.Parse(p.Files[0], n.b.Text(p.Files[0]))}
	bad := &analysis.Analyzer{Name: "bad", Run: func(*analysis.Pass) (any, error) { panic("broken") }}
	needs := &analysis.Analyzer{Name: "needs", Requires: []*analysis.Analyzer{bad}, Run: func(*analysis.Pass) (any, error) {
		t.Error("an analyzer ran without what it needs")
		return nil, nil
	}}
	good := &analysis.Analyzer{Name: "good", Run: func(*analysis.Pass) (any, error) { return 1, nil }}
	n.view(p, trees, check.Sight{URI: p.Files[0], Bodies: check.AllBodies}, func(v *check.View) {
		r := newRunner(v, n.imported, never)
		if err := r.run(needs).err; err == nil || !strings.Contains(err.Error(), "bad: panic: broken") {
			t.Errorf("what needs an analyzer that panics fails with %v", err)
		}
		if res := r.run(good); res.err != nil || res.value != 1 {
			t.Errorf("behind one that panics, another one gives %v, %v", res.value, res.err)
		}
		stop := errors.New("stop")
		if _, err := Run(v, Settings{}, n.imported, func(func()) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("a run that is ended gives %v", err)
		}
	})
}

// TestKeys: settings and notes can be read from their keys.
func TestKeys(t *testing.T) {
	off := false
	s := Settings{Analyses: map[string]bool{"printf": false, "SA4017": true}, Staticcheck: &off}
	got, err := ReadKey(s.Key())
	if err != nil || got.Key() != s.Key() || !got.Analyses["SA4017"] || *got.Staticcheck {
		t.Errorf("settings %s are read as %+v, %v", s.Key(), got, err)
	}
	if !strings.Contains(s.Key(), version()) || !strings.Contains(s.Notes().Key(), version()) {
		t.Errorf("keys do not say which version of the analyzers is meant: %s, %s", s.Key(), s.Notes().Key())
	}
	if n := ReadNotes(s.Notes().Key()); n.Key() != s.Notes().Key() || !n.whole {
		t.Errorf("notes %s are read as %s", s.Notes().Key(), n.Key())
	}
	if n := (Settings{}).Notes(); n.whole {
		t.Errorf("what is on by default notes facts that take all bodies: %s", n.Key())
	}
}
