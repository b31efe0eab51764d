package db

import (
	"encoding/binary"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
)

// find looks up key in child i of n, a leaf. The first time that a leaf which is not in memory is
// asked for a key, it is searched where it lies in the store; the second time it is loaded. So
// reads all over a partition that is larger than memory leave nothing behind, and what is read
// often gets where it is quickest.
func find(src loader, n *node, i int, key string) (Hash, bool, error) {
	l := n.kids[i]
	c := l.node.Load()
	if c == nil {
		if !l.asked.Load() {
			l.asked.Store(true)
			return findCold(src, n, i, l, key)
		}
		var err error
		if c, err = loadChild(src, n, i, l); err != nil {
			return Hash{}, false, err
		}
	}
	at, found := c.search(key)
	if !found {
		return Hash{}, false, nil
	}
	return c.value(at), true, nil
}

// findCold is find in the record that l leads to, which stays where it is.
func findCold(src loader, n *node, i int, l *link, key string) (h Hash, found bool, err error) {
	err = src.look(l.hash, func(kind mmapcas.Kind, payload []byte) error {
		tail, err := checkShape(kind, payload)
		if err != nil {
			return err
		}
		c := node{raw: payload, tail: tail}
		if kind != KindLeaf || n.level() != 1 || uint64(c.len()) != l.size || !sameKey(&c, 0, n, i) {
			return fmt.Errorf("%w: not the leaf with %d entries from %q that belongs there", errNode, l.size, n.key(i))
		}
		var at int
		if at, found = c.search(key); found {
			h = c.value(at)
		}
		return nil
	})
	return h, found && err == nil, err
}

// checkShape is what of checkNode makes a node safe to search: its parts lie where they should, one
// behind the other. It returns where the hashes begin.
func checkShape(kind mmapcas.Kind, payload []byte) (tail int, err error) {
	if len(payload) < headLen || payload[0] != formatV1 {
		return 0, fmt.Errorf("%w: %d bytes, or an unknown format", errNode, len(payload))
	}
	n := node{raw: payload}
	count, text := n.len(), int(binary.LittleEndian.Uint16(payload[6:]))
	tail = headLen + 2*count + n.plen() + text
	per := hashLen
	if kind == KindInner {
		per += countLen
	}
	switch {
	case kind != KindLeaf && kind != KindInner, n.leaf() != (kind == KindLeaf), n.level() > levelMax:
		return 0, fmt.Errorf("%w: level %d in a record of kind %d", errNode, n.level(), kind)
	case count == 0 || count > fanMax:
		return 0, fmt.Errorf("%w: %d keys", errNode, count)
	case len(payload) != tail+count*per:
		return 0, fmt.Errorf("%w: %d bytes for %d keys", errNode, len(payload), count)
	case n.end(count-1) != text:
		return 0, fmt.Errorf("%w: suffixes end at %d of %d", errNode, n.end(count-1), text)
	}
	for i := range count {
		if n.end(i) > text || i > 0 && n.end(i-1) > n.end(i) {
			return 0, fmt.Errorf("%w: key %d out of its place", errNode, i)
		}
	}
	return tail, nil
}
