// Command gen writes ../lanes_amd64.s: BLAKE3 chunks side by side, one per SIMD lane, 8 with AVX2
// and 16 with AVX-512.
//
//	go run . -out ../lanes_amd64.s
//
// Both kernels work on the struct group of package hash, whose field offsets are repeated here;
// that package does not compile when they differ.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in hash.group. The arrays have 16 elements; the AVX2 kernel uses the first 8.
const (
	offSkew    = 0
	offMask    = 128
	offLast    = 256
	offRem     = 384
	offKind    = 448
	offCounter = 512
	offStart   = 576
	offEnd     = 640
	offActive  = 704
	offOut     = 768
	offWords   = 1280
	offSpill   = 1792
	offHead    = 1856
	offTail    = 2368
	offNames   = 2880
)

const (
	outStride = 64 // bytes between two words of the chaining values
	block     = 64 // bytes of a BLAKE3 block
)

var initial = [8]uint32{0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19}

var permutation = [16]int{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}

// schedule returns the message words in the order in which the seven rounds take them.
func schedule() (rounds [7][16]int) {
	for i := range rounds[0] {
		rounds[0][i] = i
	}
	for r := 1; r < len(rounds); r++ {
		for i, from := range permutation {
			rounds[r][i] = rounds[r-1][from]
		}
	}
	return rounds
}

// columns and diagonals are the state words which the four G of a half round mix.
var (
	columns   = [4][4]int{{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15}}
	diagonals = [4][4]int{{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}}
)

func main() {
	iv := GLOBL("iv", RODATA|NOPTR)
	for i, w := range initial {
		DATA(4*i, U32(w))
	}
	consts := GLOBL("blockBytes", RODATA|NOPTR)
	DATA(0, U32(block))
	rot16 := rotation("rot16", 2)
	rot8 := rotation("rot8", 1)

	lanes8(iv, consts, func(g Mem, quads [4][4]int, words []int, v func(int) reg.VecPhysical) {
		mix8(g, quads, words, v, rot16, rot8)
	}, "lanes8", "AVX2")
	lanes8(iv, consts, mix8VL, "lanes8VL", "AVX-512 VL, at AVX2's width")
	lanes16(iv, consts)
	Generate()
}

// rotation is the byte shuffle that turns each word right by n bytes.
func rotation(name string, n int) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 32 {
		DATA(i, U8(i%16&^3|(i+n)&3))
	}
	return m
}

func lanes16(iv, blockBytes Mem) {
	TEXT("lanes16", NOSPLIT, "func(group *byte, payloads *uintptr, blocks uint64)")
	Doc("lanes16 hashes up to 16 chunks of up to blocks blocks with AVX-512.")
	g := Mem{Base: Load(Param("group"), reg.RDI)}
	ptrs := Mem{Base: Load(Param("payloads"), reg.RSI)}
	end := Load(Param("blocks"), reg.RBX)
	off := reg.RDX
	addr, n := reg.RAX, reg.RCX
	SHLQ(Imm(6), end)
	XORQ(off, off)

	// Messages end up in z0-z15, the state is in z16-z31; between blocks the chaining values live
	// in g.out.
	z := func(i int) reg.VecPhysical {
		return []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
			reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
			reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		}[i]
	}
	v := func(i int) reg.VecPhysical { return z(16 + i) }
	for i := range 8 {
		VPBROADCASTD(iv.Offset(4*i), z(i))
		VMOVDQU32(z(i), g.Offset(offOut+outStride*i))
	}

	Label("block16")
	Comment("Bytes of this block in each lane; 0 in a lane that has ended.")
	VPBROADCASTD(blockBytes, z(0))
	VMOVDQU32(g.Offset(offRem), z(1))
	VPMINUD(z(0), z(1), z(2))
	VMOVDQU32(z(2), g.Offset(offActive))

	Comment(
		"With the kind before it, a payload of whole blocks ends with a block of one byte. If that is so in all lanes there are no",
		"rows to turn, and no more than one word of the message to add.",
	)
	TESTQ(off, off)
	JZ(LabelRef("rows16"))
	VPTERNLOGD(Imm(0xff), z(3), z(3), z(3))
	VPSLLD(Imm(1), z(3), z(3))
	VPTESTMD(z(3), z(2), reg.K1)
	KORTESTW(reg.K1, reg.K1)
	JNZ(LabelRef("rows16"))
	for i := range 16 {
		MOVL(g.Offset(offActive+4*i), n.As32())
		row16(g, ptrs, i, n, addr, off)
		MOVBLZX(Mem{Base: addr}, n.As32())
		MOVL(n.As32(), g.Offset(offKind+4*i))
	}
	VMOVDQU32(g.Offset(offKind), z(0))
	state16(iv, g, v)
	for _, words := range schedule() {
		for half, quads := range [2][4][4]int{columns, diagonals} {
			mixWide(quads, v, func(word int, a reg.VecPhysical) {
				if words[8*half+word] == 0 {
					VPADDD(z(0), a, a)
				}
			})
		}
	}
	JMP(LabelRef("mixed16"))

	Label("rows16")
	Comment(
		"One row per lane. A masked load does not touch the bytes outside its mask, wherever they lie; but where they are not",
		"mapped it takes a microsecond to find that out, so that lanes without a block are pointed to a place that is.",
	)
	for i := range 16 {
		k := []reg.OpmaskPhysical{reg.K1, reg.K2, reg.K3, reg.K4}[i%4]
		MOVL(g.Offset(offActive+4*i), n.As32())
		BZHIQ(n, g.Offset(offMask+8*i), n)
		KMOVQ(n, k)
		row16(g, ptrs, i, n, addr, off)
		VMOVDQU8_Z(Mem{Base: addr}, k, z(i))
	}

	Comment("Rows to words.")
	for i := 0; i < 16; i += 2 {
		VPUNPCKLDQ(z(i+1), z(i), v(i))
		VPUNPCKHDQ(z(i+1), z(i), v(i+1))
	}
	for i := 0; i < 16; i += 4 {
		VPUNPCKLQDQ(v(i+2), v(i), z(i))
		VPUNPCKHQDQ(v(i+2), v(i), z(i+1))
		VPUNPCKLQDQ(v(i+3), v(i+1), z(i+2))
		VPUNPCKHQDQ(v(i+3), v(i+1), z(i+3))
	}
	for j := range 4 {
		VSHUFI32X4(Imm(0x88), z(4+j), z(j), v(j))
		VSHUFI32X4(Imm(0xdd), z(4+j), z(j), v(4+j))
		VSHUFI32X4(Imm(0x88), z(12+j), z(8+j), v(8+j))
		VSHUFI32X4(Imm(0xdd), z(12+j), z(8+j), v(12+j))
	}
	for j := range 4 {
		VSHUFI32X4(Imm(0x88), v(8+j), v(j), z(j))
		VSHUFI32X4(Imm(0xdd), v(8+j), v(j), z(8+j))
		VSHUFI32X4(Imm(0x88), v(12+j), v(4+j), z(4+j))
		VSHUFI32X4(Imm(0xdd), v(12+j), v(4+j), z(12+j))
	}
	VPORD(g.Offset(offKind), z(0), z(0))
	state16(iv, g, v)
	for _, words := range schedule() {
		for half, quads := range [2][4][4]int{columns, diagonals} {
			mix16(quads, words[8*half:], v, z)
		}
	}

	Label("mixed16")
	Comment("Lanes that have ended keep their result. A masked store would not be forwarded to the load of the next block.")
	for i := range 8 {
		VMOVDQU32(g.Offset(offOut+outStride*i), z(i))
		VPXORD(v(8+i), v(i), reg.K5, z(i))
		VMOVDQU32(z(i), g.Offset(offOut+outStride*i))
	}
	ADDQ(Imm(block), off)
	CMPQ(off, end)
	JB(LabelRef("block16"))

	Comment("Names: the first four words of each lane, side by side.")
	for i := 0; i < 4; i += 2 {
		VPUNPCKLDQ(z(i+1), z(i), v(i))
		VPUNPCKHDQ(z(i+1), z(i), v(i+1))
	}
	for i := range 2 {
		VPUNPCKLQDQ(v(2+i), v(i), z(2*i))
		VPUNPCKHQDQ(v(2+i), v(i), z(2*i+1))
	}
	for i := range 4 {
		for quarter := range 4 {
			VEXTRACTI32X4(Imm(uint64(quarter)), z(i), g.Offset(offNames+16*(4*quarter+i)))
		}
	}
	VZEROUPPER()
	RET()
}

// row16 sets addr to where the block of a lane is, or to somewhere that can be read if n says that
// none of it is to be.
func row16(g, ptrs Mem, lane int, n, addr, off reg.GPPhysical) {
	MOVQ(ptrs.Offset(8*lane), addr)
	SUBQ(g.Offset(offSkew+8*lane), addr)
	ADDQ(off, addr)
	TESTQ(n, n)
	CMOVQEQ(g.Base, addr)
}

// state16 loads the state for a block, and sets k5 to the lanes that have one.
func state16(iv, g Mem, v func(int) reg.VecPhysical) {
	Comment("The state; what concerns the first block only is dropped as soon as it is read.")
	VMOVDQU32(g.Offset(offRem), v(0))
	VMOVDQU32(g.Offset(offActive), v(14))
	VPTESTMD(v(14), v(14), reg.K5)
	VPSUBD(v(14), v(0), v(0))
	VMOVDQU32(v(0), g.Offset(offRem))
	VPTESTNMD(v(0), v(0), reg.K6)
	VMOVDQU32(g.Offset(offStart), v(15))
	VMOVDQU32_Z(g.Offset(offEnd), reg.K6, v(1))
	VPORD(v(1), v(15), v(15))
	VPXORD(v(13), v(13), v(13))
	VMOVDQU32(v(13), g.Offset(offKind))
	VMOVDQU32(v(13), g.Offset(offStart))
	VPTERNLOGD(Imm(0xff), v(0), v(0), v(0))
	VMOVDQU32(v(0), g.Offset(offMask))
	VMOVDQU32(v(0), g.Offset(offMask+64))
	VMOVDQU32(g.Offset(offCounter), v(12))
	for i := range 8 {
		VMOVDQU32(g.Offset(offOut+outStride*i), v(i))
	}
	for i := range 4 {
		VPBROADCASTD(iv.Offset(4*i), v(8+i))
	}
}

func mix16(quads [4][4]int, words []int, v, m func(int) reg.VecPhysical) {
	mixWide(quads, v, func(word int, a reg.VecPhysical) { VPADDD(m(words[word]), a, a) })
}

// mixWide is half a round with the rotations of AVX-512; add adds a message word.
func mixWide(quads [4][4]int, v func(int) reg.VecPhysical, add func(word int, a reg.VecPhysical)) {
	each := func(fn func(i int, a, b, c, d reg.VecPhysical)) {
		for i, q := range quads {
			fn(i, v(q[0]), v(q[1]), v(q[2]), v(q[3]))
		}
	}
	for step, rot := range [2][2]uint64{{16, 12}, {8, 7}} {
		each(func(i int, a, _, _, _ reg.VecPhysical) { add(2*i+step, a) })
		each(func(_ int, a, b, _, _ reg.VecPhysical) { VPADDD(b, a, a) })
		each(func(_ int, a, _, _, d reg.VecPhysical) { VPXORD(a, d, d) })
		each(func(_ int, _, _, _, d reg.VecPhysical) { VPRORD(U8(rot[0]), d, d) })
		each(func(_ int, _, _, c, d reg.VecPhysical) { VPADDD(d, c, c) })
		each(func(_ int, _, b, c, _ reg.VecPhysical) { VPXORD(c, b, b) })
		each(func(_ int, _, b, _, _ reg.VecPhysical) { VPRORD(U8(rot[1]), b, b) })
	}
}

type mixer func(g Mem, quads [4][4]int, words []int, v func(int) reg.VecPhysical)

func lanes8(iv, blockBytes Mem, mix mixer, name, with string) {
	TEXT(name, NOSPLIT, "func(group *byte, payloads *uintptr, blocks uint64)")
	Doc(name + " hashes up to 8 chunks of up to blocks blocks with " + with + ".")
	g := Mem{Base: Load(Param("group"), reg.RDI)}
	ptrs := Mem{Base: Load(Param("payloads"), reg.RSI)}
	off := reg.RDX
	edge := reg.RAX
	rows := []reg.GPPhysical{reg.RCX, reg.RBX, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13}
	XORQ(off, off)

	y := func(i int) reg.VecPhysical {
		return []reg.VecPhysical{
			reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
			reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
		}[i]
	}
	for i := range 8 {
		VPBROADCASTD(iv.Offset(4*i), y(i))
		VMOVDQU(y(i), g.Offset(offOut+outStride*i))
	}

	Label("block8")
	Comment("Where this block of each lane is: the first and the last one are copies, the others in place.")
	for i, row := range rows {
		MOVQ(ptrs.Offset(8*i), row)
		SUBQ(g.Offset(offSkew+8*i), row)
		ADDQ(off, row)
		LEAQ(g.Offset(offHead+block*i), edge)
		TESTQ(off, off)
		CMOVQEQ(edge, row)
		LEAQ(g.Offset(offTail+block*i), edge)
		CMPQ(off, g.Offset(offLast+8*i))
		CMOVQCC(edge, row)
	}

	Comment("Rows to words, eight words at a time.")
	for half := range 2 {
		for i, row := range rows {
			VMOVDQU(Mem{Base: row, Disp: 32 * half}, y(i))
		}
		for i := 0; i < 8; i += 2 {
			VPUNPCKLDQ(y(i+1), y(i), y(8+i))
			VPUNPCKHDQ(y(i+1), y(i), y(9+i))
		}
		for i := 0; i < 8; i += 4 {
			VPUNPCKLQDQ(y(10+i), y(8+i), y(i))
			VPUNPCKHQDQ(y(10+i), y(8+i), y(i+1))
			VPUNPCKLQDQ(y(11+i), y(9+i), y(i+2))
			VPUNPCKHQDQ(y(11+i), y(9+i), y(i+3))
		}
		for j := range 4 {
			VPERM2I128(Imm(0x20), y(4+j), y(j), y(8+j))
			VPERM2I128(Imm(0x31), y(4+j), y(j), y(12+j))
			VMOVDQU(y(8+j), g.Offset(offWords+32*(8*half+j)))
			VMOVDQU(y(12+j), g.Offset(offWords+32*(8*half+4+j)))
		}
	}

	Comment("The state; what concerns the first block only is dropped as soon as it is read.")
	VPBROADCASTD(blockBytes, y(0))
	VMOVDQU(g.Offset(offRem), y(1))
	VPMINUD(y(0), y(1), y(14))
	VPSUBD(y(14), y(1), y(1))
	VMOVDQU(y(1), g.Offset(offRem))
	VPXOR(y(13), y(13), y(13))
	VPCMPGTD(y(13), y(14), y(0))
	VMOVDQU(y(0), g.Offset(offActive))
	VPCMPEQD(y(13), y(1), y(1))
	VPAND(g.Offset(offEnd), y(1), y(1))
	VPOR(g.Offset(offStart), y(1), y(15))
	VMOVDQU(y(13), g.Offset(offStart))
	VMOVDQU(g.Offset(offCounter), y(12))
	for i := range 8 {
		VMOVDQU(g.Offset(offOut+outStride*i), y(i))
	}
	for i := range 4 {
		VPBROADCASTD(iv.Offset(4*i), y(8+i))
	}

	for _, words := range schedule() {
		for half, quads := range [2][4][4]int{columns, diagonals} {
			mix(g, quads, words[8*half:], y)
		}
	}
	for i := range 8 {
		VPXOR(y(8+i), y(i), y(i))
	}
	Comment("Lanes that have ended keep their result. A masked store would not be forwarded to the load of the next block.")
	VMOVDQU(g.Offset(offActive), y(8))
	for i := range 8 {
		VMOVDQU(g.Offset(offOut+outStride*i), y(9))
		VPBLENDVB(y(8), y(i), y(9), y(9))
		VMOVDQU(y(9), g.Offset(offOut+outStride*i))
	}
	ADDQ(Imm(block), off)
	end := Load(Param("blocks"), reg.RAX)
	SHLQ(Imm(6), end)
	CMPQ(off, end)
	JB(LabelRef("block8"))
	VZEROUPPER()
	RET()
}

func mix8(g Mem, quads [4][4]int, words []int, v func(int) reg.VecPhysical, rot16, rot8 Mem) {
	each := func(fn func(i int, a, b, c, d reg.VecPhysical)) {
		for i, q := range quads {
			fn(i, v(q[0]), v(q[1]), v(q[2]), v(q[3]))
		}
	}
	// The state fills all registers: one of its words makes room while b is turned.
	spare := v(quads[0][0])
	for step, rot := range []struct {
		d Mem
		b uint64
	}{{rot16, 12}, {rot8, 7}} {
		each(func(i int, a, _, _, _ reg.VecPhysical) { VPADDD(g.Offset(offWords+32*words[2*i+step]), a, a) })
		each(func(_ int, a, b, _, _ reg.VecPhysical) { VPADDD(b, a, a) })
		each(func(_ int, a, _, _, d reg.VecPhysical) { VPXOR(a, d, d) })
		each(func(_ int, _, _, _, d reg.VecPhysical) { VPSHUFB(rot.d, d, d) })
		VMOVDQU(spare, g.Offset(offSpill))
		each(func(_ int, _, _, c, d reg.VecPhysical) { VPADDD(d, c, c) })
		each(func(_ int, _, b, c, _ reg.VecPhysical) { VPXOR(c, b, b) })
		each(func(_ int, _, b, _, _ reg.VecPhysical) {
			VPSRLD(U8(rot.b), b, spare)
			VPSLLD(U8(32-rot.b), b, b)
			VPOR(spare, b, b)
		})
		VMOVDQU(g.Offset(offSpill), spare)
	}
}

func mix8VL(g Mem, quads [4][4]int, words []int, v func(int) reg.VecPhysical) {
	mixWide(quads, v, func(word int, a reg.VecPhysical) { VPADDD(g.Offset(offWords+32*words[word]), a, a) })
}
