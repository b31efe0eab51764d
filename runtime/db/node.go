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
	fanMax    = 60          // entries of a node; a touched one with less than a quarter is merged with a neighbour (T4)
	textMax   = 32 << 10    // bytes of keys in a node with more than two entries; two longest keys fit
	levelMax  = 32          // far more than 2^64 entries need
	formatV1  = 1           // first byte of every record of this package
	formatV2  = 2           // that of a chunk with a graft, and of a note from then on, so that older programs refuse the database; that of a root of which something is lost
	formatV3  = 3           // that of a note once a collector was told which chunks need not keep what they name (note.bare); that of a root once there is a lost future
	formatV4  = 4           // that of a note once something was lost
	formatV5  = 5           // that of a note once there is a lost future
	hashLen   = len(Hash{}) //
	headLen   = 8           // see node.raw
	countLen  = 8           // bytes of an entry count
	linkBytes = 40          // of a link in memory
)

// Hash names a record.
type Hash = mmapcas.Hash

// A node of a tree. Its keys share a prefix that is stored once. The bytes in raw are
// little-endian:
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
// An inner node's record has n hashes and n counts of 8 bytes behind the keys; in memory kids
// stands for them. The form is canonical: the prefix is the longest one that all keys share.
type node struct {
	raw  []byte  // immutable; versions of an inner node that differ in their children only share it
	tail int     // immutable: where the hashes begin, or would
	kids []*link // immutable; nil in a leaf
}

// A link leads to a node: by pointer once the node is in memory, by hash before. It is what trees
// and inner nodes hold.
type link struct {
	node  atomic.Pointer[node] // nil: not in memory. Once it is not nil it stays so, and what it leads to stays equal (T6)
	size  uint64               // immutable: entries under the node
	dirty atomic.Bool          // the record is not in the store; cleared once, after hash was set
	asked atomic.Bool          // a leaf that was not in memory was asked for a key: see find
	hash  Hash                 // valid unless dirty
}

// newLink returns a dirty link to an inner node.
func newLink(n *node, size uint64) *link {
	l := &link{size: size}
	l.node.Store(n)
	l.dirty.Store(true)
	return l
}

// id returns the hash of a clean link.
func (l *link) id() Hash {
	if l.dirty.Load() {
		panic("db: invariant T5: a dirty child was asked for its hash")
	}
	return l.hash
}

func (n *node) level() int { return int(n.raw[1]) }
func (n *node) leaf() bool { return n.raw[1] == 0 }
func (n *node) len() int   { return int(binary.LittleEndian.Uint16(n.raw[2:])) }
func (n *node) plen() int  { return int(binary.LittleEndian.Uint16(n.raw[4:])) }
func (n *node) bytes() int { return len(n.raw) + len(n.kids)*(8+linkBytes) }
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
	for _, k := range n.kids {
		sum += k.size
	}
	return sum
}

// search returns the position of the first key that is not less than key, and whether it is key.
func (n *node) search(key string) (int, bool) { return n.searchFrom(0, key) }

// searchFrom is search among the keys from a position on.
func (n *node) searchFrom(lo int, key string) (int, bool) {
	raw := n.raw
	count, plen := n.len(), n.plen()
	text := headLen + 2*count
	if len(key) < plen || key[:plen] != string(raw[text:text+plen]) {
		if key < string(raw[text:text+plen]) {
			return lo, false
		}
		return count, false
	}
	rest := key[plen:]
	// Most comparisons are settled by the first eight bytes.
	var head uint64
	long := len(rest) >= 8
	if long {
		head = head8(rest)
	}
	text += plen
	hi := count
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		from := 0
		if mid > 0 {
			from = int(binary.LittleEndian.Uint16(raw[headLen+2*mid-2:]))
		}
		suffix := raw[text+from : text+int(binary.LittleEndian.Uint16(raw[headLen+2*mid:]))]
		var less bool
		if long && len(suffix) >= 8 {
			if h := binary.BigEndian.Uint64(suffix); h != head {
				less = h < head
			} else {
				less = string(suffix[8:]) < rest[8:]
			}
		} else {
			less = string(suffix) < rest
		}
		if less {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < count && string(n.suffix(lo)) == rest
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
	start := 0
	if from > 0 {
		start = n.end(from - 1)
	}
	text := n.raw[headLen+2*n.len()+len(p):]
	var b strings.Builder
	b.Grow((to-from)*len(p) + n.end(to-1) - start)
	for i, at := from, start; i < to; i++ {
		b.Write(p)
		end := n.end(i)
		b.Write(text[at:end])
		at = end
	}
	all := b.String()
	for i, at := from, start; i < to; i++ {
		end := n.end(i)
		size := len(p) + end - at
		out = append(out, all[:size])
		all, at = all[size:], end
	}
	return out
}

// appendKey appends key i to b.
func (n *node) appendKey(b []byte, i int) []byte {
	return append(append(b, n.prefix()...), n.suffix(i)...)
}

// payload returns n's record. All children of an inner node must be clean. The result is read-only.
func (n *node) payload() []byte {
	if n.leaf() {
		return n.raw
	}
	b := make([]byte, 0, n.tail+len(n.kids)*(hashLen+countLen))
	b = append(b, n.raw...)
	for _, k := range n.kids {
		h := k.id()
		b = append(b, h[:]...)
	}
	for _, k := range n.kids {
		b = binary.LittleEndian.AppendUint64(b, k.size)
	}
	return b
}

var errNode = errors.New("malformed node")

// decodeNode checks a record and makes a node of it. The payload is copied.
func decodeNode(kind mmapcas.Kind, payload []byte) (*node, error) {
	tail, err := checkNode(kind, payload)
	if err != nil {
		return nil, err
	}
	if kind == KindLeaf {
		return &node{raw: append([]byte(nil), payload...), tail: tail}, nil
	}
	raw := append([]byte(nil), payload[:tail]...)
	n := newInner(raw, tail, (&node{raw: raw}).len())
	links := make([]link, len(n.kids))
	for i := range links {
		links[i].hash = kidHash(payload, tail, i)
		links[i].size = kidCount(payload, tail, len(links), i)
		n.kids[i] = &links[i]
	}
	return n, nil
}

func kidHash(payload []byte, tail, i int) Hash { return Hash(payload[tail+hashLen*i:]) }

func kidCount(payload []byte, tail, n, i int) uint64 {
	return binary.LittleEndian.Uint64(payload[tail+hashLen*n+countLen*i:])
}

// checkNode verifies that payload is the canonical form of a node and returns where its hashes
// begin.
func checkNode(kind mmapcas.Kind, payload []byte) (tail int, err error) {
	if tail, err = checkShape(kind, payload); err != nil {
		return 0, err
	}
	n := node{raw: payload}
	count := n.len()
	for i := range count {
		if i > 0 && string(n.suffix(i-1)) >= string(n.suffix(i)) {
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

func commonPrefix[K string | []byte](a, b K) int {
	n, i := min(len(a), len(b)), 0
	for i+8 <= n && string(a[i:i+8]) == string(b[i:i+8]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// head8 returns the first eight bytes as a number that compares as they do.
func head8(s string) uint64 {
	_ = s[7]
	return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 | uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
}
