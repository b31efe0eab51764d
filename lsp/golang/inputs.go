package golang

import (
	"errors"
	"fmt"
	"hash/crc32"
	goruntime "runtime"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

// The inputs: everything that queries read and no query computes. Files are keyed by URI and shared
// by all workspaces of an engine; what belongs to one workspace is keyed by its root.
var (
	// savedTexts holds the text of every file that was read, as it is on disk.
	savedTexts = runtime.NewPartition[[]byte]("golang/files")

	// overlays holds unsaved texts. They belong to a process, so neither log nor checkpoint has
	// them: a text that is typed on is garbage as soon as no snapshot reads the older one.
	overlays = runtime.NewPartition[[]byte]("golang/overlays", runtime.Volatile)

	// stats says what each file looked like on disk when it was read, so that reading it again
	// costs a stat if it did not change. No query depends on it, except to say why a file has no
	// text.
	stats = runtime.NewPartition[disk.Stat]("golang/stats")

	// members are the files that a scan of a root found.
	members = keyed.NewPartition[memberKey, string]("golang/files-of")

	// environments holds the build environment of each root.
	environments = runtime.NewPartition[disk.Environment]("golang/environments")

	// nearby are files that are not a build's own, but in directories that its packages come from
	// and that may change at any time, such as those that a go.mod file puts in the place of a
	// module, with the go.mod files above them.
	nearby = keyed.NewPartition[memberKey, string]("golang/files-near")

	// scanProblems are what each root's last scan could not read.
	scanProblems = runtime.NewPartition[[]disk.Problem]("golang/scan-problems")

	// failures are the roots about which the go command gave no answer or not a whole one: it is
	// asked again when the inputs are brought in next. No query depends on it.
	failures = runtime.NewPartition[string]("golang/failures")

	// published are the files that a root has published diagnostics of.
	published = keyed.NewPartition[memberKey, string]("golang/files-published")
)

// A memberKey names a file as one of a root's. What is said of it is that it is there.
type memberKey struct{ Root, URI string }

// filesOf lists the files of a root, in order.
func filesOf(r runtime.Reader, list *keyed.Partition[memberKey, string], root string) ([]string, error) {
	pat, err := list.Under(memberKey{Root: root}, 1)
	if err != nil {
		return nil, err
	}
	keys, err := list.Keys(r, pat)
	if err != nil {
		return nil, fmt.Errorf("golang: files of %s: %w", root, err)
	}
	uris := make([]string, len(keys))
	for i, k := range keys {
		uris[i] = k.URI
	}
	return uris, nil
}

// contents says which bytes are the current text of a file, overlay first; none if there is no such
// file. Everything that reads a text goes through it, so that opening a file in an editor, which
// changes where the text comes from, changes nothing else.
var contents = runtime.NewQuery("golang/content", 1, func(t *runtime.Task, uri string) (runtime.Blob, error) {
	text, err := overlays.Blob(t, uri)
	if errors.Is(err, runtime.ErrNotFound) {
		text, err = savedTexts.Blob(t, uri)
	}
	if errors.Is(err, runtime.ErrNotFound) {
		return runtime.Blob{}, nil
	}
	return text, err
})

// textOf is the current text of a file. It fails with lsp.ErrUnknownFile.
func textOf(t *runtime.Task, uri string) ([]byte, error) {
	text, err := contents.Get(t, uri)
	if err != nil {
		return nil, err
	}
	if text.IsZero() {
		return nil, &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return blobs.read(t, text)
}

// digests are those of the current texts of files.
var digests = runtime.NewQuery("golang/digest", 1, func(t *runtime.Task, uri string) (lsp.Digest, error) {
	text, err := textOf(t, uri)
	return lsp.DigestOf(text), ignoreUnknown(err)
})

// version is the version of a query whose results also depend on the parser and the checker that
// this program was built with.
func version(n int) int {
	return int(crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %s", n, goruntime.Version())) >> 1)
}

func ignoreUnknown(err error) error {
	if errors.Is(err, lsp.ErrUnknownFile) {
		return nil
	}
	return err
}
