package runtime

import (
	"maps"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
)

// anyPartition is a partition of any type.
type anyPartition interface {
	decodeAny(kind mmapcas.Kind, payload []byte) (any, error)
}

func (p *Partition[V]) decodeAny(kind mmapcas.Kind, payload []byte) (any, error) {
	return p.codec.decodeRecord(kind, payload)
}

// A names holds every definition of the program of one sort, by name.
type names[T any] struct {
	mu     sync.RWMutex
	byName map[string][]T // guarded by mu

	defined int // guarded by mu: how many there are
}

var allPartitions names[anyPartition]

func (n *names[T]) add(name string, t T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName == nil {
		n.byName = map[string][]T{}
	}
	n.byName[name] = append(n.byName[name], t)
	n.defined++
}

// size returns how many definitions there are.
func (n *names[T]) size() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.defined
}

// all returns the definitions of each name.
func (n *names[T]) all() map[string][]T {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return maps.Clone(n.byName)
}

// find returns the definition of this name, or the zero T if there is none or more than one.
func (n *names[T]) find(name string) (t T) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if found := n.byName[name]; len(found) == 1 {
		t = found[0]
	}
	return t
}

// has reports whether there is a definition of this name.
func (n *names[T]) has(name string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.byName[name]) > 0
}
