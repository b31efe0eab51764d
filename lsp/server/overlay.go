package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/document"
)

// overlays knows which client's unsaved text each file has.
type overlays struct {
	mu      sync.Mutex
	changes uint64              // guarded by mu: of what workspaces were told
	byFile  map[string][]claim  // guarded by mu: the one that counts is last
	failed  map[failedKey]error // guarded by mu
}

// A failedKey names a client's text that the engine could not take. Until a later one has
// been taken, or the file is closed, the engine has another text than this client.
type failedKey struct {
	client uint64
	uri    string
}

// An overlayError says why a client's text was not taken.
type overlayError struct {
	uri string
	err error
}

func (e *overlayError) Error() string {
	return fmt.Sprintf("the unsaved text of %s could not be taken: %v", e.uri, e.err)
}

func (e *overlayError) Unwrap() error { return e.err }

// A claim is one client's text of a file.
type claim struct {
	client uint64
	root   *root
	text   []byte
	digest lsp.Digest
}

func (o *overlays) init() {
	o.byFile = make(map[string][]claim)
	o.failed = make(map[failedKey]error)
}

// failure returns why a client's text of a file was not taken, nil if it was.
func (o *overlays) failure(client uint64, uri string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed[failedKey{client, uri}]
}

// set makes a client's document the file's text. It returns once the engine has it: a snapshot
// taken next sees it. If it fails, the engine has the text that it had.
func (o *overlays) set(ctx context.Context, client uint64, r *root, d *document.Document) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	uri := d.URI()
	old := o.byFile[uri]
	same := len(old) > 0 && old[len(old)-1].root == r && old[len(old)-1].digest == d.Digest()
	claims := append(without(old, client), claim{client, r, d.Text(), d.Digest()})
	if !same {
		o.changes++
		if err := r.ws.SetOverlay(ctx, uri, d.Text()); err != nil {
			if errors.Is(err, lsp.ErrUnknownFile) {
				return err // it has no text here, whoever asks
			}
			err = &overlayError{uri, err}
			o.failed[failedKey{client, uri}] = err
			return err
		}
	}
	delete(o.failed, failedKey{client, uri})
	o.byFile[uri] = claims
	return nil
}

// clear gives up a client's text: the file has that of the client that wrote before it, or
// that on disk.
func (o *overlays) clear(ctx context.Context, client uint64, uri string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.failed, failedKey{client, uri})
	old := o.byFile[uri]
	i := slices.IndexFunc(old, func(c claim) bool { return c.client == client })
	if i < 0 {
		return nil
	}
	mine, rest := old[i], without(old, client)
	if len(rest) == 0 {
		delete(o.byFile, uri)
		o.changes++
		return mine.root.ws.ClearOverlay(ctx, uri)
	}
	o.byFile[uri] = rest
	last := rest[len(rest)-1]
	if i < len(old)-1 || last.digest == mine.digest {
		return nil // it did not count, or makes no difference
	}
	o.changes++
	return last.root.ws.SetOverlay(ctx, uri, last.text)
}

// count is how many changes of texts workspaces were told of. What it does not count has not begun.
func (o *overlays) count() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changes
}

func without(claims []claim, client uint64) []claim {
	return slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.client == client })
}
