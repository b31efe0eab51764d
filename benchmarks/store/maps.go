package store

import (
	"bytes"
	"context"
	"sync"

	"github.com/puzpuzpuz/xsync/v4"
)

// A lockedMap takes its lock once per batch and once per get.
type lockedMap struct {
	mu sync.RWMutex
	m  map[key][]byte
}

func openMap(context.Context, string, int, bool) (contender, error) {
	return &lockedMap{m: make(map[key][]byte)}, nil
}

func (c *lockedMap) put(batch []record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range batch {
		c.m[batch[i].key] = bytes.Clone(batch[i].value)
	}
	return nil
}

func (c *lockedMap) get(k *key) (int, bool) {
	c.mu.RLock()
	v, ok := c.m[*k]
	c.mu.RUnlock()
	if !ok {
		return 0, false
	}
	return ends(v), true
}

func (c *lockedMap) reader() (reader, error) { return stateless{c.get}, nil }
func (c *lockedMap) close() error            { return nil }

type syncMap struct{ m sync.Map }

func openSyncMap(context.Context, string, int, bool) (contender, error) { return new(syncMap), nil }

func (c *syncMap) put(batch []record) error {
	for i := range batch {
		c.m.Store(batch[i].key, bytes.Clone(batch[i].value))
	}
	return nil
}

func (c *syncMap) get(k *key) (int, bool) {
	v, ok := c.m.Load(*k)
	if !ok {
		return 0, false
	}
	return ends(v.([]byte)), true
}

func (c *syncMap) reader() (reader, error) { return stateless{c.get}, nil }
func (c *syncMap) close() error            { return nil }

type xsyncMap struct{ m *xsync.Map[key, []byte] }

func openXsync(context.Context, string, int, bool) (contender, error) {
	return xsyncMap{xsync.NewMap[key, []byte]()}, nil
}

func (c xsyncMap) put(batch []record) error {
	for i := range batch {
		c.m.Store(batch[i].key, bytes.Clone(batch[i].value))
	}
	return nil
}

func (c xsyncMap) get(k *key) (int, bool) {
	v, ok := c.m.Load(*k)
	if !ok {
		return 0, false
	}
	return ends(v), true
}

func (c xsyncMap) reader() (reader, error) { return stateless{c.get}, nil }
func (c xsyncMap) close() error            { return nil }
