package hash

import "unsafe"

//go:generate go run -C gen . -out ../lanes_amd64.s

const (
	maxLanes    = 16
	narrowLanes = 8
)

// A group is what a kernel works on, beside the payloads: up to 16 chunks, one per lane. lanes8 and
// lanes8VL use the first 8 elements of each array. Messages are not copied together with the kind
// byte: a kernel reads them where they are, skew bytes off. The generator knows the offsets of the
// fields. A group has no pointers and so is allocated by itself on a cache line: vectors that
// straddle lines, and worse pages, are slow.
type group struct {
	skew    [maxLanes]uint64              // 1 where the message starts a byte before its payload, with the kind; else 0
	mask    [maxLanes]uint64              // lanes16: the bytes of the first block that are in memory
	last    [maxLanes]uint64              // lanes8: where the last block starts
	rem     [maxLanes]uint32              // bytes of the chunk still to hash; 0 in a lane not in use
	kind    [maxLanes]uint32              // lanes16: to be merged into the first word
	counter [maxLanes]uint32              // of the chunk in its message
	start   [maxLanes]uint32              // flags of the first block
	end     [maxLanes]uint32              // flags of the last block
	active  [maxLanes]uint32              // a kernel's own
	out     [8][maxLanes]uint32           // chaining values, word by word
	words   [16][narrowLanes]uint32       // lanes8's own
	spill   [maxLanes]uint32              // lanes8's own
	head    [narrowLanes][blockBytes]byte // lanes8: copy of the first block, unless it is also the last
	tail    [narrowLanes][blockBytes]byte // lanes8: copy of the last block, padded with zeros
	names   [maxLanes]Hash                // lanes16: the names of the messages
}

// The layout that the generator assumes: a negative constant here does not compile.
const (
	_ = -unsafe.Offsetof(group{}.skew)
	_ = -(unsafe.Offsetof(group{}.mask) ^ 128)
	_ = -(unsafe.Offsetof(group{}.last) ^ 256)
	_ = -(unsafe.Offsetof(group{}.rem) ^ 384)
	_ = -(unsafe.Offsetof(group{}.kind) ^ 448)
	_ = -(unsafe.Offsetof(group{}.counter) ^ 512)
	_ = -(unsafe.Offsetof(group{}.start) ^ 576)
	_ = -(unsafe.Offsetof(group{}.end) ^ 640)
	_ = -(unsafe.Offsetof(group{}.active) ^ 704)
	_ = -(unsafe.Offsetof(group{}.out) ^ 768)
	_ = -(unsafe.Offsetof(group{}.words) ^ 1280)
	_ = -(unsafe.Offsetof(group{}.spill) ^ 1792)
	_ = -(unsafe.Offsetof(group{}.head) ^ 1856)
	_ = -(unsafe.Offsetof(group{}.tail) ^ 2368)
	_ = -(unsafe.Offsetof(group{}.names) ^ 2880)
)

// lanes8 runs up to 8 chunks of up to blocks blocks, of which there must be at least one, with
// AVX2.
//
//go:noescape
func lanes8(group *group, payloads *[maxLanes]unsafe.Pointer, blocks uint64)

// lanes16 runs up to 16 chunks with AVX-512 F, BW and VL, and BMI2.
//
//go:noescape
func lanes16(group *group, payloads *[maxLanes]unsafe.Pointer, blocks uint64)

// lanes8VL is lanes8 with the rotations of AVX-512 VL. It needs two thirds of the time of lanes16,
// whatever the number of lanes in use.
//
//go:noescape
func lanes8VL(group *group, payloads *[maxLanes]unsafe.Pointer, blocks uint64)
