#include "textflag.h"

// func self() uintptr
TEXT ·self(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func threadWord(at uintptr) (thread uintptr, word uint32)
TEXT ·threadWord(SB), NOSPLIT, $0-20
	MOVQ (TLS), AX
	MOVQ 48(AX), AX // g.m
	MOVQ at+0(FP), BX
	MOVL (AX)(BX*1), CX
	MOVQ AX, thread+8(FP)
	MOVL CX, word+16(FP)
	RET
