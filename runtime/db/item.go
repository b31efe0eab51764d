package db

import "encoding/binary"

// An item is an entry of a node on its way from one node to another. Its key is key, or, if from is
// set, the one at position at in from: keys that are there already need not be put together to be
// moved.
type item struct {
	key   string
	from  *node
	at    int
	hash  Hash  // leaf: the record
	link  *link // inner: the child
	fresh bool  // the child was made by the chunk being applied
}

func (it *item) keyLen() int {
	if it.from == nil {
		return len(it.key)
	}
	return it.from.plen() + len(it.from.suffix(it.at))
}

// appendKey appends the key without its first bytes.
func (it *item) appendKey(b []byte, without int) []byte {
	if it.from == nil {
		return append(b, it.key[without:]...)
	}
	p := it.from.prefix()
	if without < len(p) {
		return append(append(b, p[without:]...), it.from.suffix(it.at)...)
	}
	return append(b, it.from.suffix(it.at)[without-len(p):]...)
}

// items appends n's entries to out.
func (n *node) items(out []item) []item {
	for i := range n.len() {
		it := item{from: n, at: i}
		if n.leaf() {
			it.hash = n.value(i)
		} else {
			it.link = n.kids[i]
		}
		out = append(out, it)
	}
	return out
}

// newNode makes a node of items, which must be sorted and fit (T1, T4), and returns the dirty link
// to it.
func newNode(level int, items []item) *link {
	var room [2][128]byte
	first, last := items[0].appendKey(room[0][:0], 0), items[len(items)-1].appendKey(room[1][:0], 0)
	p := commonPrefix(first, last)
	text := 0
	for i := range items {
		text += items[i].keyLen() - p
	}
	tail := headLen + 2*len(items) + p + text
	size := tail
	if level == 0 {
		size += hashLen * len(items)
	}
	var leaf *link
	var raw []byte
	if level == 0 {
		leaf, raw = newLeaf(size, tail, len(items))
		raw = raw[:headLen+2*len(items)]
	} else {
		raw = make([]byte, headLen+2*len(items), size)
	}
	raw[0], raw[1] = formatV1, byte(level)
	binary.LittleEndian.PutUint16(raw[2:], uint16(len(items)))
	binary.LittleEndian.PutUint16(raw[4:], uint16(p))
	binary.LittleEndian.PutUint16(raw[6:], uint16(text))
	raw = append(raw, first[:p]...)
	from := len(raw)
	for i := range items {
		raw = items[i].appendKey(raw, p)
		binary.LittleEndian.PutUint16(raw[headLen+2*i:], uint16(len(raw)-from))
	}
	if level == 0 {
		for i := range items {
			raw = append(raw, items[i].hash[:]...)
		}
		return leaf
	}
	n := newInner(raw, tail, len(items))
	entries := uint64(0)
	for i := range items {
		n.kids[i] = items[i].link
		entries += n.kids[i].size
	}
	return newLink(n, entries)
}
