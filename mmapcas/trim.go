package mmapcas

import (
	"os"
	"sync"
)

// Files get disk space ahead of what is stored in them. A store that is closed gives back what was not needed: each
// file that this process mapped and whose end is known is cut there, at a whole page, once it is unmapped (A3). Nothing
// has to be durable about that, since what lies behind the length counts for nothing. A process that is killed leaves its
// files long; the next one that closes the store cuts them.

// trimming says whether files may be cut: only between a complete Open and the release of the store's lock, after which
// the files may be somebody else's.
type trimming struct {
	mu      sync.Mutex
	allowed bool // guarded by mu
}

func (t *trimming) allow(yes bool) {
	t.mu.Lock()
	t.allowed = yes
	t.mu.Unlock()
}

// trim cuts the file of a segment, which is not mapped any more, behind its records.
func (s *Store) trim(seg *segment) error {
	if seg.file == nil || s.opts.ReadOnly {
		return nil
	}
	s.segMu.Lock()
	whole := seg.whole
	s.segMu.Unlock()
	if !whole {
		return nil
	}
	s.trimming.mu.Lock()
	defer s.trimming.mu.Unlock()
	if !s.trimming.allowed {
		return nil
	}
	size, err := seg.file.Size()
	if err != nil {
		return err
	}
	page := int64(os.Getpagesize())
	if n := (seg.mem.Length() + page - 1) &^ (page - 1); n < size {
		return seg.file.Truncate(n)
	}
	return nil
}
