#include "textflag.h"

// func self() uintptr
TEXT ·self(SB), NOSPLIT, $0-8
	MOVD g, R0
	MOVD R0, ret+0(FP)
	RET

// func threadWord(at uintptr) (thread uintptr, word uint32)
TEXT ·threadWord(SB), NOSPLIT, $0-20
	MOVD  48(g), R0 // g.m
	MOVD  at+0(FP), R1
	MOVWU (R0)(R1), R2
	MOVD  R0, thread+8(FP)
	MOVW  R2, word+16(FP)
	RET
