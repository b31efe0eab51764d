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
