package document

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/lsp/position"
)

// DefaultMaxBytes is the largest text a store takes unless told otherwise.
const DefaultMaxBytes = 64 << 20

// A Store holds the documents one client has open. Its methods may be called from
// any goroutine; changes must come in the order the client sent them.
type Store struct {
	encoding position.Encoding // immutable
	maxBytes int               // immutable

	mu   sync.RWMutex
	docs map[string]*Document // guarded by mu
}

// NewStore returns an empty store for a client that counts characters in that
// encoding. maxBytes is the largest text it takes; 0 means [DefaultMaxBytes].
func NewStore(encoding position.Encoding, maxBytes int) *Store {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxBytes
	}
	return &Store{encoding: encoding, maxBytes: maxBytes, docs: make(map[string]*Document)}
}

// Open adds a document. A document that was open already is replaced, and replaced
// reports so. A text over the limit is an error that matches [ErrTooLarge], and the
// document is not open then.
func (s *Store) Open(uri, language string, version int32, text string) (d *Document, replaced bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, replaced = s.docs[uri]
	if len(text) > s.maxBytes {
		delete(s.docs, uri)
		return nil, replaced, &SizeError{URI: uri, Bytes: len(text), Max: s.maxBytes}
	}
	uri = strings.Clone(uri) // decoded strings may alias a whole message
	d = newDocument(uri, strings.Clone(language), version, []byte(text), nil)
	s.docs[uri] = d
	return d, replaced, nil
}

// Change applies a list of changes, all or none (D0), and returns the new version
// of the document. A document that is not open is an error that matches
// [ErrNotOpen]. Changes that do not fit the text leave the document out of sync and
// are a *[SyncError] (D1, D2).
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
	text, err := s.apply(old, version, edit.Changes)
	if err != nil {
		err = &SyncError{URI: old.uri, Version: version, Held: old.version, Err: err}
		s.docs[old.uri] = newDocument(old.uri, old.language, old.version, old.text, err)
		return nil, err
	}
	d := newDocument(old.uri, old.language, version, text, nil)
	s.docs[old.uri] = d
	return d, nil
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
	if len(text) > s.maxBytes {
		return nil, &SizeError{URI: old.uri, Bytes: len(text), Max: s.maxBytes}
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
