package golang

import (
	"slices"

	"github.com/cytisus/cytisus/runtime/account"
)

// Weights of what is kept beside the engine, for each byte that it was made from; measured on the
// standard library.
const (
	treeWeight  = 15
	worldWeight = 10
)

// caches are what the language keeps beside the engine, for all engines of the process.
var caches = []account.Cache{
	{
		Name: "golang: syntax trees", Most: treeCacheBytes * treeWeight,
		Bytes: func() int64 { return trees.held() * treeWeight },
		Bound: func(most int64) { trees.bound(int(most / treeWeight)) },
	},
	{
		Name: "golang: imported packages", Most: worldsMaxBytes * worldWeight,
		Bytes: func() int64 { return worlds.held() * worldWeight },
		Bound: func(most int64) { worlds.bound(int(most / worldWeight)) },
	},
}

func (c *treeCache) held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.bytes)
}

func (c *treeCache) bound(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = most
	c.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (c *treeCache) makeRoom() {
	for c.bytes > c.limit {
		c.remove(c.order.Back())
	}
}

func (p *worldPool) held() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(p.bytes)
}

func (p *worldPool) bound(most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = most
	p.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (p *worldPool) makeRoom() {
	for len(p.idle) > worldsMax || p.bytes > p.most {
		p.bytes -= p.idle[0].bytes
		p.idle = slices.Delete(p.idle, 0, 1)
	}
}
