//go:build !race

#include "go_asm.h"
#include "textflag.h"

// func glanceIn(x *Index, lo, hi uint64) (at arena.Addr, word uint64)
//
// Up to the name this is what glance_other.go does, from there on what record.Whole does. All branches that are not
// taken for a record that is there can be foretold, so nothing here waits for memory that a later lookup needs not wait for, too.
TEXT ·glanceIn(SB), NOSPLIT, $0-40
	MOVQ x+0(FP), DI
	MOVQ lo+8(FP), R8
	MOVQ hi+16(FP), R9
	MOVQ (Index_near+near_base)(DI), R12
	TESTQ R12, R12
	JZ search

	// The shard's table, and in it the bucket.
	MOVQ R8, AX
	SHRQ $40, AX
	ANDL $(const_Shards-1), AX
	IMUL3Q $shard__size, AX, AX
	MOVQ (Index_shards+shard_table)(DI)(AX*1), SI
	TESTQ SI, SI
	JZ search
	MOVQ table_mask(SI), CX
	ANDQ R8, CX
	SHLQ $6, CX
	ADDQ table_slots(SI), CX

	// Bytes 1, 3, ... 15 of X1 become ones where a slot's tag is the key's.
	MOVQ R9, X0
	PSHUFLW $0xff, X0, X0
	PUNPCKLQDQ X0, X0
	MOVO X0, X1
	MOVO X0, X2
	MOVO X0, X3
	PCMPEQW (CX), X1
	PCMPEQW 16(CX), X2
	PCMPEQW 32(CX), X3
	PCMPEQW 48(CX), X0
	PSRAL $16, X1
	PSRAL $16, X2
	PSRAL $16, X3
	PSRAL $16, X0
	PACKSSLW X2, X1
	PACKSSLW X0, X3
	PACKSSWB X3, X1
	PMOVMSKB X1, AX
	ANDL $0xaaaa, AX
	JZ none

	// The first such slot: bit 2*i+1.
	BSFL AX, AX
	MOVQ -4(CX)(AX*4), CX
	MOVQ $const_addrMask, DX
	ANDQ DX, CX
	CMPQ CX, $const_slotDead
	JLS search
	CMPQ CX, DX
	JEQ search

	// The record that it leads to, and its name.
	MOVQ CX, R10
	SHLQ $5, R10
	ADDQ R12, R10
	CMPQ R8, const_hashAt(R10)
	JNE search
	CMPQ R9, (const_hashAt+8)(R10)
	JNE search

	// Its header: checksum, magic, flags, and an extent that is small and ends inside the slot of the arena.
	MOVQ (R10), R11
	MOVL $0xffffffff, AX
	CRC32Q R11, AX
	CRC32Q R8, AX
	CRC32Q R9, AX
	CRC32L const_payloadSumAt(R10), AX
	NOTL AX
	CMPL AX, const_selfSumAt(R10)
	JNE found
	MOVQ R11, AX
	SHRQ $40, AX
	CMPL AX, $(const_recordMagic<<8)
	JNE found
	MOVL R11, DX
	CMPL DX, $const_glanceBytesMax
	JHI found
	ADDQ $31, DX
	SHRQ $5, DX // units of payload
	MOVQ (Index_near+near_unitMask)(DI), AX
	MOVQ AX, BX
	ANDQ CX, BX
	ADDQ DX, BX
	CMPQ BX, AX
	JHI found

	// Its payload.
	MOVL $0xffffffff, BX
	ADDQ $const_headerBytes, R10
	CMPB ·glanceFolds(SB), $0
	JNE fold
	SUBQ $4, DX
	JLT rest

four:
	CRC32Q 0(R10), BX
	CRC32Q 8(R10), BX
	CRC32Q 16(R10), BX
	CRC32Q 24(R10), BX
	CRC32Q 32(R10), BX
	CRC32Q 40(R10), BX
	CRC32Q 48(R10), BX
	CRC32Q 56(R10), BX
	CRC32Q 64(R10), BX
	CRC32Q 72(R10), BX
	CRC32Q 80(R10), BX
	CRC32Q 88(R10), BX
	CRC32Q 96(R10), BX
	CRC32Q 104(R10), BX
	CRC32Q 112(R10), BX
	CRC32Q 120(R10), BX
	ADDQ $128, R10
	SUBQ $4, DX
	JGE four

rest:
	ADDQ $4, DX
	JZ sum

one:
	CRC32Q 0(R10), BX
	CRC32Q 8(R10), BX
	CRC32Q 16(R10), BX
	CRC32Q 24(R10), BX
	ADDQ $32, R10
	DECQ DX
	JNZ one

sum:
	MOVQ CX, R10
	SHLQ $5, R10
	ADDQ R12, R10
	NOTL BX
	CMPL BX, const_payloadSumAt(R10)
	JNE found
	MOVQ CX, at+24(FP)
	MOVQ R11, word+32(FP)
	RET

fold:
	// The checksum by folding, a unit at a time: Y0 is a unit that has the same checksum as all before it,
	// and is multiplied by the polynomial that moves it one unit on. It takes two instructions of CRC32 at
	// the end, not one for each word. Instructions of CRC32 wait for the payload where all others wait, and
	// take the room there that the next lookup needs to begin.
	TESTQ DX, DX
	JZ sum
	VMOVD BX, X1
	VPXOR (R10), Y1, Y0
	VBROADCASTI128 ·foldUnit(SB), Y2
	DECQ DX
	JZ folded

unit:
	ADDQ $32, R10
	VPCLMULQDQ $0x00, Y2, Y0, Y3
	VPCLMULQDQ $0x11, Y2, Y0, Y0
	VPXOR (R10), Y3, Y3
	VPXOR Y3, Y0, Y0
	DECQ DX
	JNZ unit

folded:
	// The first half of it onto the second.
	VEXTRACTI128 $1, Y0, X1
	VMOVDQU ·foldHalf(SB), X2
	VPCLMULQDQ $0x00, X2, X0, X3
	VPCLMULQDQ $0x11, X2, X0, X0
	VPXOR X3, X1, X1
	VPXOR X1, X0, X0
	VMOVQ X0, AX
	VPEXTRQ $1, X0, DX
	XORL BX, BX
	CRC32Q AX, BX
	CRC32Q DX, BX
	VZEROUPPER
	JMP sum

found:
	MOVQ CX, at+24(FP)
	MOVQ $0, word+32(FP)
	RET

none:
	// As in ends.
	MOVQ 56(CX), AX
	TESTQ AX, AX
	JZ gone
	MOVQ $const_slotFrozen, DX
	CMPQ AX, DX
	JNE search

gone:
	MOVQ $const_Absent, at+24(FP)
	MOVQ $0, word+32(FP)
	RET

search:
	MOVQ $0, at+24(FP)
	MOVQ $0, word+32(FP)
	RET

// x^(8n+31) and x^(8n-33) modulo the polynomial of CRC-32C, bits in the order of its checksums, for n bytes on:
// 32, a unit, and 16.
DATA ·foldUnit+0(SB)/8, $0x3da6d0cb
DATA ·foldUnit+8(SB)/8, $0xba4fc28e
GLOBL ·foldUnit(SB), RODATA|NOPTR, $16
DATA ·foldHalf+0(SB)/8, $0xf20c0dfe
DATA ·foldHalf+8(SB)/8, $0x493c7d27
GLOBL ·foldHalf(SB), RODATA|NOPTR, $16
