package golang

import (
	"context"
	"errors"
	"fmt"
	goversion "go/version"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/runtime"
)

// settled names, by root, the foreign files of a build that were all brought in: those of the
// versions of modules in the module cache, and of the Go tree of a release. They are not meant to
// be changed, and there are thousands. So an index that finds the same ones named has questions
// answered before it looks at them, and looks at them behind that.
//
//   - S1: what is named was brought in, and has not been dropped since. Who drops texts drops the
//     names in the same commit.
//   - S2: an index is not done before it has looked at all files. What it finds changed is
//     committed before it checks, as a change that an event told of a moment too late.
//   - S3: only an index trusts the names. Whoever brings inputs in without one looks at all files
//     first: nothing would look behind it.
//
// No query depends on it.
var settled = runtime.NewPartition[lsp.Digest]("golang/settled-files")

// foreignFiles are the files of a build in the module cache and the Go tree, and their name.
type foreignFiles struct {
	uris []string
	name lsp.Digest // the zero one if there is none
}

// foreignIn picks the foreign ones of some files.
func foreignIn(env *disk.Environment, uris []string) (foreign foreignFiles, others []string) {
	if !goversion.IsValid(env.GoVersion) {
		return foreign, uris // somebody works on the Go tree
	}
	// Another toolchain in the same place has other files there.
	names := []string{env.GoVersion}
	var below []string
	for _, dir := range env.Foreign() {
		below = append(below, files.URIPrefix(dir))
	}
	for _, uri := range uris {
		if slices.ContainsFunc(below, func(dir string) bool { return strings.HasPrefix(uri, dir) }) {
			foreign.uris = append(foreign.uris, uri)
		} else {
			others = append(others, uri)
		}
	}
	if len(foreign.uris) > 0 {
		names = append(names, foreign.uris...)
		foreign.name = lsp.DigestOf([]byte(strings.Join(names, "\n")))
	}
	return foreign, others
}

// isSettled reports whether foreign files of a build are those that were brought in.
func isSettled(r runtime.Reader, root string, foreign foreignFiles) (bool, error) {
	name, err := settled.Get(r, root)
	if errors.Is(err, runtime.ErrNotFound) || errors.Is(err, runtime.ErrDamaged) {
		return false, nil
	}
	return err == nil && len(foreign.uris) > 0 && name == foreign.name, err
}

// settle names the foreign files of a build, all of which have been brought in.
func (w *workspace) settle(ctx context.Context, root string, foreign foreignFiles) error {
	snap := w.eng.Snapshot()
	known, err := isSettled(snap, root, foreign)
	snap.Release()
	if known || err != nil || len(foreign.uris) == 0 {
		return err
	}
	err = w.eng.Commit(ctx, func(c *runtime.Writer) error { return settled.Put(c, root, foreign.name) })
	if err != nil {
		return fmt.Errorf("golang: naming the files of others that %s needs: %w", root, err)
	}
	return nil
}
