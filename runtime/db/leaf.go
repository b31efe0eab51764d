package db

import "unsafe"

// A leafHead is a link to a leaf and the leaf, without the bytes.
type leafHead struct {
	link
	leaf node
}

// newLeaf returns a dirty link to a leaf of size bytes with count entries. Its maker fills raw
// before anybody else sees the link.
//
// Link, node and bytes lie in one piece of memory, so that who has the address of the link can ask
// for all of it at once (fetch), instead of following three pointers from one cache miss to the
// next. The piece lives as long as the link: trim replaces links to leaves.
func newLeaf(size, tail, count int) (l *link, raw []byte) {
	var h *leafHead
	if i := (max(size-leafRoomMin, 0) + leafRoomStep - 1) / leafRoomStep; i < len(leafRooms) {
		h, raw = leafRooms[i]()
		raw = raw[:size:size]
	} else {
		h, raw = new(leafHead), make([]byte, size)
	}
	h.leaf.raw, h.leaf.tail = raw, tail
	h.size = uint64(count)
	h.node.Store(&h.leaf)
	h.dirty.Store(true)
	return &h.link, raw
}

const (
	leafHeadBytes = int(unsafe.Sizeof(leafHead{}))
	leafRoomMin   = 256 - 8 - leafHeadBytes
	leafRoomStep  = 128
)

// leafRooms makes heads with room behind them for leafRoomMin bytes, and leafRoomStep more in each
// function. The sizes are those of Go's allocator, less the word that it puts before an object with
// pointers.
var leafRooms = [...]func() (*leafHead, []byte){
	leafRoom[[leafRoomMin]byte], leafRoom[[leafRoomMin + leafRoomStep]byte], leafRoom[[leafRoomMin + 2*leafRoomStep]byte],
	leafRoom[[leafRoomMin + 3*leafRoomStep]byte], leafRoom[[leafRoomMin + 4*leafRoomStep]byte], leafRoom[[leafRoomMin + 5*leafRoomStep]byte],
	leafRoom[[leafRoomMin + 6*leafRoomStep]byte], leafRoom[[leafRoomMin + 7*leafRoomStep]byte], leafRoom[[leafRoomMin + 8*leafRoomStep]byte],
	leafRoom[[leafRoomMin + 9*leafRoomStep]byte], leafRoom[[leafRoomMin + 10*leafRoomStep]byte],
}

func leafRoom[A any]() (*leafHead, []byte) {
	b := new(struct {
		leafHead
		raw A
	})
	// A is an array of bytes: the slice is the array, and keeps b alive like any pointer into it.
	return &b.leafHead, unsafe.Slice((*byte)(unsafe.Pointer(&b.raw)), unsafe.Sizeof(b.raw))
}
