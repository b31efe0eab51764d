package golang

import (
	"container/list"
	"sync"

	"github.com/cytisus/cytisus/runtime"
)

// Bounds of what is kept of blobs.
const (
	blobsBytes = 8 << 20
	blobShare  = 4 // of that which one blob has at most: it must not push everything else out
)

// A blobCache keeps the texts and indexes that were read last: each question about a package reads
// the texts of all of its files, to know whether they are what it knows, and the indexes of what it
// names. In the store they are compressed, and compared with their names when they are read. What a
// name stands for never changes, so nothing of it shows in an answer.
type blobCache struct {
	mu    sync.Mutex
	order *list.List                     // of *keptBlob, latest first; guarded by mu
	known map[runtime.Blob]*list.Element // guarded by mu
	bytes int                            // guarded by mu
	most  int                            // bytes; guarded by mu
}

type keptBlob struct {
	name runtime.Blob
	data []byte
}

// blobs are those of the process.
var blobs = newBlobCache(blobsBytes)

func newBlobCache(most int) *blobCache {
	return &blobCache{order: list.New(), known: map[runtime.Blob]*list.Element{}, most: most}
}

// read is runtime.ReadBlob. The bytes are shared, so its caller does not change them.
func (c *blobCache) read(r runtime.Reader, b runtime.Blob) ([]byte, error) {
	if data, ok := c.find(b); ok {
		return data, nil
	}
	data, err := runtime.ReadBlob(r, b)
	if err == nil && !b.IsZero() {
		data = data[:len(data):len(data)] // who appends gets a copy
		c.put(b, data)
	}
	return data, err
}

func (c *blobCache) find(b runtime.Blob) (data []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.known[b]
	if e == nil {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*keptBlob).data, true
}

func (c *blobCache) put(b runtime.Blob, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[b] != nil || len(data) > c.most/blobShare {
		return
	}
	c.known[b] = c.order.PushFront(&keptBlob{b, data})
	c.bytes += len(data)
	c.makeRoom()
}

// held is how many bytes are kept.
func (c *blobCache) held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.bytes)
}

// bound sets how many bytes may be kept.
func (c *blobCache) bound(most int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = int(most)
	c.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (c *blobCache) makeRoom() {
	for c.bytes > c.most {
		k := c.order.Remove(c.order.Back()).(*keptBlob)
		delete(c.known, k.name)
		c.bytes -= len(k.data)
	}
}
