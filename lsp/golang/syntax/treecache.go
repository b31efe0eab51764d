package syntax

import (
	"bytes"
	"container/list"
	"sync"
)

// TreesBytes bounds the source text whose trees are kept. A tree weighs about fifteen times its
// text.
const TreesBytes = 4 << 20

// A Cache keeps the trees of files that were parsed last: variants of a package share files, and
// after an edit the other files of a package are asked for again.
type Cache struct {
	mu    sync.Mutex
	order *list.List               // of *tree, latest first; guarded by mu
	byURI map[string]*list.Element // guarded by mu
	bytes int                      // guarded by mu
	limit int                      // guarded by mu
}

// Trees are those that the process has parsed last.
var Trees = newCache(TreesBytes)

func newCache(limit int) *Cache {
	return &Cache{order: list.New(), byURI: make(map[string]*list.Element), limit: limit}
}

// Get returns the tree of a text, parsing it unless the same text of the same file is still there.
func (c *Cache) Get(uri string, text []byte) *Tree {
	if t := c.find(uri, text); t != nil {
		return t
	}
	t := Parse(uri, text)
	c.put(t)
	return t
}

func (c *Cache) find(uri string, text []byte) *Tree {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byURI[uri]
	if e == nil {
		return nil
	}
	t := e.Value.(*Tree)
	if !bytes.Equal(t.Text, text) {
		return nil
	}
	c.order.MoveToFront(e)
	return t
}

func (c *Cache) put(t *Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(t.Text) > c.limit/4 {
		return // one giant must not push everything else out
	}
	c.remove(c.byURI[t.URI])
	c.byURI[t.URI] = c.order.PushFront(t)
	c.bytes += len(t.Text)
	c.makeRoom()
}

// remove forgets an entry; nil is none. The lock is held.
func (c *Cache) remove(e *list.Element) {
	if e == nil {
		return
	}
	t := c.order.Remove(e).(*Tree)
	delete(c.byURI, t.URI)
	c.bytes -= len(t.Text)
}

// TreeWeight is how many bytes a tree takes for each byte of its text, measured on the standard
// library.
const TreeWeight = 15

// Held is how many bytes of text have their trees here.
func (c *Cache) Held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.bytes)
}

// Bound sets how many bytes of text may have their trees here.
func (c *Cache) Bound(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = most
	c.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (c *Cache) makeRoom() {
	for c.bytes > c.limit {
		c.remove(c.order.Back())
	}
}
