//go:build !race

#include "go_asm.h"
#include "textflag.h"

// func sealIn(b *byte, units, word, lo, hi uint64)
TEXT ·sealIn(SB), NOSPLIT, $0-40
	MOVQ b+0(FP), DI
	MOVQ units+8(FP), CX
	MOVQ word+16(FP), R11
	MOVQ lo+24(FP), R8
	MOVQ hi+32(FP), R9

	// The payload's checksum.
	LEAQ const_HeaderBytes(DI), SI
	MOVL $0xffffffff, BX
	TESTQ CX, CX
	JZ sum

unit:
	CRC32Q 0(SI), BX
	CRC32Q 8(SI), BX
	CRC32Q 16(SI), BX
	CRC32Q 24(SI), BX
	ADDQ $32, SI
	DECQ CX
	JNZ unit

sum:
	NOTL BX

	// The header's own.
	MOVL $0xffffffff, AX
	CRC32Q R11, AX
	CRC32Q R8, AX
	CRC32Q R9, AX
	CRC32L BX, AX
	NOTL AX

	MOVQ R8, const_HashAt(DI)
	MOVQ R9, (const_HashAt+8)(DI)
	MOVL BX, const_PayloadSumAt(DI)
	MOVL AX, const_SelfSumAt(DI)
	MOVQ R11, (DI)
	RET
