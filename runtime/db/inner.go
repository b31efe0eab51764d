package db

import "unsafe"

// newInner returns an inner node with count children, which its maker fills in before anybody else
// sees the node. raw is shared.
//
// The node and its list of children lie in one piece of memory: a commit makes a node on each
// level, and an allocation costs it as much as the copy. The link to the node is a piece of its
// own, since forget gives it another node, and it must not keep the children of the first.
func newInner(raw []byte, tail, count int) *node {
	if i := (max(count, 1) - 1) / innerRoomStep; i < len(innerRooms) {
		n, kids := innerRooms[i]()
		n.raw, n.tail, n.kids = raw, tail, kids[:count:count]
		return n
	}
	return &node{raw: raw, tail: tail, kids: make([]*link, count)}
}

// innerRoomStep is by how many children the rooms grow. With the node before them they have the
// sizes of Go's allocator.
const innerRoomStep = 8

// innerRooms makes nodes with room for innerRoomStep children, and as many more in each function.
var innerRooms = [...]func() (*node, []*link){
	innerRoom[[1 * innerRoomStep]*link], innerRoom[[2 * innerRoomStep]*link],
	innerRoom[[3 * innerRoomStep]*link], innerRoom[[4 * innerRoomStep]*link],
	innerRoom[[5 * innerRoomStep]*link], innerRoom[[6 * innerRoomStep]*link],
	innerRoom[[7 * innerRoomStep]*link], innerRoom[[8 * innerRoomStep]*link],
}

func innerRoom[A any]() (*node, []*link) {
	b := new(struct {
		node
		kids A
	})
	// A is an array of links: the slice is the array, and keeps b alive like any pointer into it.
	return &b.node, unsafe.Slice((**link)(unsafe.Pointer(&b.kids)), unsafe.Sizeof(b.kids)/unsafe.Sizeof((*link)(nil)))
}
