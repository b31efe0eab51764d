package db

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
)

// MaxKeyBytes is the length of the longest key.
const MaxKeyBytes = 16 << 10

const (
	fanMax   = 60          // entries of a node; a touched one with less than a quarter is merged with a neighbour (T4)
	textMax  = 32 << 10    // bytes of keys in a node with more than two entries; two longest keys fit
	levelMax = 32          // far more than 2^64 entries need
	formatV1 = 1           // first byte of every record of this package
	hashLen  = len(Hash{}) //
	headLen  = 8           // see node.raw
	countLen = 8           // bytes of an entry count
)

// Hash names a record.
type Hash = mmapcas.Hash

// A node of a tree. Its keys share a prefix that is stored once. The bytes in raw are little-endian:
//
//	0        format
//	1        level, 0 in a leaf
//	2        number of keys n
//	4        length of the common prefix
//	6        length of all suffixes together
//	8        n end positions of the suffixes, 2 bytes each, counted from the first suffix
//	8+2n     prefix, suffixes
//	…        leaf: n hashes. This is its record's payload
//
// An inner node's record has n hashes and n counts of 8 bytes behind the keys; in memory kids stands for them.
// The form is canonical: the prefix is the longest one that all keys share.
type node struct {
	raw  []byte // immutable
	tail int    // immutable: where the hashes begin, or would
	kids []kid  // nil in a leaf; the slice is immutable, its elements say what is not

	clean atomic.Bool // the record is in the store; set once, after hash
	hash  Hash        // valid once clean
}

// A kid is an inner node's link to a child.
type kid struct {
	p    atomic.Pointer[node] // nil: not in memory
	hash Hash                 // of the child; read only when p is nil, set before p becomes nil (T6)
	n    uint64               // immutable: entries under the child
}

func (n *node) level() int { return int(n.raw[1]) }
func (n *node) leaf() bool { return n.raw[1] == 0 }
func (n *node) len() int   { return int(binary.LittleEndian.Uint16(n.raw[2:])) }
func (n *node) plen() int  { return int(binary.LittleEndian.Uint16(n.raw[4:])) }
func (n *node) bytes() int { return len(n.raw) + len(n.kids)*40 }
func (n *node) end(i int) int {
	return int(binary.LittleEndian.Uint16(n.raw[headLen+2*i:]))
}

func (n *node) prefix() []byte {
	at := headLen + 2*n.len()
	return n.raw[at : at+n.plen()]
}

// suffix returns key i without the common prefix.
func (n *node) suffix(i int) []byte {
	from := 0
	if i > 0 {
		from = n.end(i - 1)
	}
	at := headLen + 2*n.len() + n.plen()
	return n.raw[at+from : at+n.end(i)]
}

func (n *node) key(i int) string { return string(n.prefix()) + string(n.suffix(i)) }

// value returns the hash at position i of a leaf.
func (n *node) value(i int) Hash { return Hash(n.raw[n.tail+hashLen*i:]) }

// count returns the number of entries under n.
func (n *node) count() uint64 {
	if n.leaf() {
		return uint64(n.len())
	}
	var sum uint64
	for i := range n.kids {
		sum += n.kids[i].n
	}
	return sum
}

// search returns the position of the first key that is not less than key, and whether it is key.
func (n *node) search(key string) (int, bool) {
	p := n.prefix()
	if len(key) < len(p) || key[:len(p)] != string(p) {
		if key < string(p) {
			return 0, false
		}
		return n.len(), false
	}
	rest := key[len(p):]
	lo, hi := 0, n.len()
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if string(n.suffix(mid)) < rest {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < n.len() && string(n.suffix(lo)) == rest
}

// route returns the child of an inner node under which key is, or would be.
func (n *node) route(key string) int {
	i, found := n.search(key)
	if found || i == 0 {
		return i
	}
	return i - 1
}

// keys returns the keys at positions from to before to. They share one allocation.
func (n *node) keys(from, to int, out []string) []string {
	p := n.prefix()
	size := 0
	for i := from; i < to; i++ {
		size += len(p) + len(n.suffix(i))
	}
	var b strings.Builder
	b.Grow(size)
	for i := from; i < to; i++ {
		b.Write(p)
		b.Write(n.suffix(i))
	}
	all := b.String()
	for i, at := from, 0; i < to; i++ {
		end := at + len(p) + len(n.suffix(i))
		out = append(out, all[at:end])
		at = end
	}
	return out
}

// An item is an entry of a node on its way from one node to another.
type item struct {
	key   string
	hash  Hash   // leaf: the record. Inner: the child, if child is nil
	child *node  // nil in a leaf, and for a child that is not in memory
	n     uint64 // entries under it; 1 in a leaf
	fresh bool   // child was made by the chunk being applied
}

// items appends n's entries to out.
func (n *node) items(out []item) []item {
	var room [fanMax]string
	keys := n.keys(0, n.len(), room[:0])
	for i, k := range keys {
		it := item{key: k, n: 1}
		if n.leaf() {
			it.hash = n.value(i)
		} else {
			kd := &n.kids[i]
			it.n = kd.n
			if it.child = kd.p.Load(); it.child == nil {
				it.hash = kd.hash
			}
		}
		out = append(out, it)
	}
	return out
}

// newNode makes a dirty node of items, which must be sorted and fit (T1, T4).
func newNode(level int, items []item) *node {
	p := commonPrefix(items[0].key, items[len(items)-1].key)
	text := 0
	for i := range items {
		text += len(items[i].key) - p
	}
	tail := headLen + 2*len(items) + p + text
	size := tail
	if level == 0 {
		size += hashLen * len(items)
	}
	n := &node{raw: make([]byte, 0, size), tail: tail}
	n.raw = append(n.raw, formatV1, byte(level))
	n.raw = binary.LittleEndian.AppendUint16(n.raw, uint16(len(items)))
	n.raw = binary.LittleEndian.AppendUint16(n.raw, uint16(p))
	n.raw = binary.LittleEndian.AppendUint16(n.raw, uint16(text))
	end := 0
	for i := range items {
		end += len(items[i].key) - p
		n.raw = binary.LittleEndian.AppendUint16(n.raw, uint16(end))
	}
	n.raw = append(n.raw, items[0].key[:p]...)
	for i := range items {
		n.raw = append(n.raw, items[i].key[p:]...)
	}
	if level == 0 {
		for i := range items {
			n.raw = append(n.raw, items[i].hash[:]...)
		}
		return n
	}
	n.kids = make([]kid, len(items))
	for i := range items {
		k := &n.kids[i]
		k.n, k.hash = items[i].n, items[i].hash
		k.p.Store(items[i].child)
	}
	return n
}

// kind is the kind of n's record.
func (n *node) kind() mmapcas.Kind {
	if n.leaf() {
		return KindLeaf
	}
	return KindInner
}

// payload returns n's record. All children of an inner node must be clean. The result is read-only.
func (n *node) payload() []byte {
	if n.leaf() {
		return n.raw
	}
	b := make([]byte, 0, n.tail+len(n.kids)*(hashLen+countLen))
	b = append(b, n.raw...)
	for i := range n.kids {
		h := n.kids[i].id()
		b = append(b, h[:]...)
	}
	for i := range n.kids {
		b = binary.LittleEndian.AppendUint64(b, n.kids[i].n)
	}
	return b
}

// id returns the hash of a clean child.
func (k *kid) id() Hash {
	c := k.p.Load()
	switch {
	case c == nil:
		return k.hash
	case !c.clean.Load():
		panic("db: invariant T5: a dirty child was asked for its hash")
	}
	return c.hash
}

var errNode = errors.New("malformed node")

// decodeNode checks a record and makes a clean node of it. The payload is copied.
func decodeNode(h Hash, kind mmapcas.Kind, payload []byte) (*node, error) {
	tail, err := checkNode(kind, payload)
	if err != nil {
		return nil, err
	}
	n := &node{tail: tail, hash: h}
	if kind == KindLeaf {
		n.raw = append([]byte(nil), payload...)
	} else {
		n.raw = append([]byte(nil), payload[:tail]...)
		n.kids = make([]kid, n.len())
		for i := range n.kids {
			n.kids[i].hash = kidHash(payload, tail, i)
			n.kids[i].n = kidCount(payload, tail, len(n.kids), i)
		}
	}
	n.clean.Store(true)
	return n, nil
}

func kidHash(payload []byte, tail, i int) Hash { return Hash(payload[tail+hashLen*i:]) }

func kidCount(payload []byte, tail, n, i int) uint64 {
	return binary.LittleEndian.Uint64(payload[tail+hashLen*n+countLen*i:])
}

// checkNode verifies that payload is the canonical form of a node and returns where its hashes begin.
func checkNode(kind mmapcas.Kind, payload []byte) (tail int, err error) {
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
		if n.end(i) > text || i > 0 && (n.end(i-1) > n.end(i) || string(n.suffix(i-1)) >= string(n.suffix(i))) {
			return 0, fmt.Errorf("%w: keys %d and %d out of order", errNode, i-1, i)
		}
		if n.plen()+len(n.suffix(i)) > MaxKeyBytes {
			return 0, fmt.Errorf("%w: key %d too long", errNode, i)
		}
		if kind == KindLeaf && kidHash(payload, tail, i).IsZero() || kind == KindInner && kidCount(payload, tail, count, i) == 0 {
			return 0, fmt.Errorf("%w: entry %d names nothing", errNode, i)
		}
	}
	if commonPrefix(string(n.suffix(0)), string(n.suffix(count-1))) != 0 {
		return 0, fmt.Errorf("%w: prefix not the longest", errNode)
	}
	return tail, nil
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
