//go:build !race

#include "textflag.h"

// func headerSumIn(b *[SelfSumAt]byte) uint32
TEXT ·headerSumIn(SB), NOSPLIT, $0-12
	MOVQ b+0(FP), SI
	MOVL $0xffffffff, AX
	CRC32Q 0(SI), AX
	CRC32Q 8(SI), AX
	CRC32Q 16(SI), AX
	CRC32L 24(SI), AX
	NOTL AX
	MOVL AX, ret+8(FP)
	RET
