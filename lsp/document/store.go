package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/lsp/position"
)

// DefaultMaxBytes is the largest text a store holds unless told otherwise.
const DefaultMaxBytes = 16 << 20

// sumOfMax is how many of the largest texts a store holds in sum.
const sumOfMax = 16

// A Store holds the documents one client has open. Its methods may be called from
// any goroutine; changes must come in the order the client sent them.
type Store struct {
	encoding position.Encoding // immutable
	maxBytes int               // immutable

	mu    sync.RWMutex
	docs  map[string]*Document // guarded by mu
	bytes int                  // guarded by mu: of the texts in docs
}

// NewStore returns an empty store for a client that counts characters in that
// encoding. maxBytes is the largest text it holds; 0 means [DefaultMaxBytes]. All texts
// together may have 16 times as many.
func NewStore(encoding position.Encoding, maxBytes int) *Store {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxBytes
	}
	return &Store{encoding: encoding, maxBytes: maxBytes, docs: make(map[string]*Document)}
}

// Open adds a document. A document that was open already is replaced, and replaced
// reports so. A text over a limit is an error that matches [ErrTooLarge]; the document is open
// then, without a text (D3).
func (s *Store) Open(uri, language string, version int32, text string) (d *Document, replaced bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri = strings.Clone(uri) // decoded strings may alias a whole message
	_, replaced = s.docs[uri]
	var content []byte
	if err = s.fits(uri, len(text)); err == nil {
		content = []byte(text)
	}
	return s.put(newDocument(uri, strings.Clone(language), version, content, err)), replaced, err
}

// fits returns the error for a text of a document that is over a limit. s.mu must be held.
func (s *Store) fits(uri string, bytes int) error {
	if bytes > s.maxBytes {
		return &SizeError{URI: uri, Bytes: bytes, Max: s.maxBytes}
	}
	sum := s.bytes + bytes
	if old, ok := s.docs[uri]; ok {
		sum -= len(old.text)
	}
	if most := sumOfMax * s.maxBytes; sum > most {
		return &SizeError{URI: uri, Bytes: bytes, Max: most, Sum: sum}
	}
	return nil
}

// put makes d the newest version of its document. s.mu must be held.
func (s *Store) put(d *Document) *Document {
	if old, ok := s.docs[d.uri]; ok {
		s.bytes -= len(old.text)
	}
	s.bytes += len(d.text)
	s.docs[d.uri] = d
	return d
}

// Change applies a list of changes, all or none (D0), and returns the new version
// of the document. A document that is not open is an error that matches
// [ErrNotOpen]. Changes that do not fit the text leave the document out of sync and
// are a *[SyncError] (D1, D2). Changes that make it too large are an error that matches
// [ErrTooLarge] and leave it without a text (D3); those that follow are taken in silence.
func (s *Store) Change(edit Edit) (*Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.docs[edit.URI]
	if !ok {
		return nil, notOpen("change", edit.URI)
	}
	version := old.version
	if edit.Version != nil {
		version = *edit.Version
	}
	if errors.Is(old.err, ErrTooLarge) && !slices.ContainsFunc(edit.Changes, func(c Change) bool { return c.Range == nil }) {
		return s.put(newDocument(old.uri, old.language, version, nil, old.err)), nil
	}
	text, err := s.apply(old, version, edit.Changes)
	switch {
	case errors.Is(err, ErrTooLarge):
		return s.put(newDocument(old.uri, old.language, version, nil, err)), err
	case err != nil:
		err = &SyncError{URI: old.uri, Version: version, Held: old.version, Err: err}
		s.put(newDocument(old.uri, old.language, old.version, old.text, err))
		return nil, err
	}
	return s.put(newDocument(old.uri, old.language, version, text, nil)), nil
}

// Lose puts a document out of sync whose change, or second opening, could not be understood (D2),
// and returns the *[SyncError]. One that is not open, or has no text, stays as it is.
func (s *Store) Lose(uri string, cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.docs[uri]
	if !ok || errors.Is(old.err, ErrTooLarge) {
		return nil
	}
	err := &SyncError{URI: old.uri, Version: old.version, Held: old.version, Err: cause}
	s.put(newDocument(old.uri, old.language, old.version, old.text, err))
	return err
}

func (s *Store) apply(old *Document, version int32, changes []Change) ([]byte, error) {
	// A change of the whole text makes everything before it irrelevant, and heals.
	whole := -1
	for i, c := range changes {
		if c.Range == nil {
			whole = i
		}
	}
	text := old.text
	if whole >= 0 {
		text = []byte(changes[whole].Text)
		changes = changes[whole+1:]
	} else if old.err != nil {
		return nil, fmt.Errorf("still out of sync: %w", unwrapSync(old.err))
	} else if version < old.version {
		return nil, fmt.Errorf("version goes back from %d to %d", old.version, version)
	}
	if len(changes) > 0 {
		b := newBuffer(text, changes)
		for i, c := range changes {
			if err := b.replace(*c.Range, c.Text, s.encoding); err != nil {
				return nil, fmt.Errorf("change %d of %d: %w", i+1, len(changes), err)
			}
		}
		text = b.text()
	}
	if err := s.fits(old.uri, len(text)); err != nil {
		return nil, err
	}
	return text, nil
}

// Close removes a document. One that is not open is an error that matches
// [ErrNotOpen].
func (s *Store) Close(uri string) (*Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.docs[uri]
	if !ok {
		return nil, notOpen("close", uri)
	}
	delete(s.docs, uri)
	s.bytes -= len(d.text)
	return d, nil
}

// Get returns the newest version of an open document.
func (s *Store) Get(uri string) (*Document, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d, ok := s.docs[uri]
	return d, ok
}

// All returns the newest version of every open document, ordered by URI.
func (s *Store) All() []*Document {
	s.mu.RLock()
	all := make([]*Document, 0, len(s.docs))
	for _, d := range s.docs {
		all = append(all, d)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b *Document) int { return strings.Compare(a.uri, b.uri) })
	return all
}
