package golang

import (
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// What an editor waits for behind a keystroke is known of a package that has a session long before
// its index is: the body that was edited is checked, and that is all.
//
// Each of these answers is one that checks has, too, whether or not there is a session. So what is
// there decides only which is the quicker way, and no answer depends on it.
var (
	// findings are the diagnostics of a check.
	findings = runtime.NewQuery("golang/findings", version(2), findingsOf)

	// fileIndexes are what the indexes of packages have of one file. They are for files that are
	// typed in, and gone when that is over.
	fileIndexes = runtime.NewQuery("golang/file-index", version(2), fileIndexOf,
		runtime.MemoryOnly())

	// strayFindings are those of findings that stand in one file of a stray package, which is made
	// for this file alone: of the others only what they declare is checked.
	strayFindings = runtime.NewQuery("golang/stray-findings", version(2), strayFindingsOf)
)

// A packageFile names a file as a package has it.
type packageFile struct{ Root, ID, URI string }

func findingsOf(t *runtime.Task, k pkgKey) (list []check.FileDiagnostic, err error) {
	in, err := readPackage(t, k)
	if err != nil || in.p == nil {
		return nil, err
	}
	if check.Sessions.State(in.p) == check.NoSession {
		// Where a face differs this is asked again before the check is made, which has to make an
		// index: there may be a session by then.
		var imported []pkgKey
		for _, id := range in.p.Checked() {
			imported = append(imported, pkgKey{k.Root, id})
		}
		if _, err := faces.All(t, imported); err != nil {
			return nil, err
		}
		c, err := checks.Get(t, k)
		return c.Diagnostics, err
	}
	broken, err := in.check(t, func(
		files []*syntax.Tree, imports []check.Import, doubtOf func(string) syntax.Doubt,
	) (looks check.Looks, err error) {
		list, looks, err = check.Diagnostics(in.p, files, imports, doubtOf)
		return looks, err
	})
	if broken != nil {
		list = broken
	}
	return in.with(list), err
}

func strayFindingsOf(t *runtime.Task, k packageFile) (list []check.FileDiagnostic, err error) {
	in, err := readPackage(t, pkgKey{k.Root, k.ID})
	if err != nil || in.p == nil {
		return nil, err
	}
	// The session that has all bodies, if there is one, is another one.
	own := *in.p
	own.ID = k.URI + " in " + own.ID
	in.p = &own
	broken, err := in.check(t, func(
		files []*syntax.Tree, imports []check.Import, doubtOf func(string) syntax.Doubt,
	) (looks check.Looks, err error) {
		list, looks, err = check.FileDiagnostics(in.p, k.URI, files, imports, doubtOf)
		return looks, err
	})
	if broken != nil {
		list = broken
	}
	return in.with(list), err
}

func fileIndexOf(t *runtime.Task, k packageFile) (data []byte, err error) {
	in, err := readPackage(t, pkgKey{k.Root, k.ID})
	if err != nil || in.p == nil {
		return index.Write(nil, nil, nil), err
	}
	broken, err := in.check(t, func(
		files []*syntax.Tree, imports []check.Import, doubtOf func(string) syntax.Doubt,
	) (looks check.Looks, err error) {
		data, looks, err = check.FileIndex(in.p, k.URI, files, imports, doubtOf)
		return looks, err
	})
	if broken != nil {
		data = index.Write(nil, nil, nil)
	}
	return data, err
}
