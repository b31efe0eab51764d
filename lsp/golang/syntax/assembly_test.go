package syntax

import (
	"fmt"
	"strings"
	"testing"
)

func TestAssemblyUses(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"a.s", "TEXT ·f(SB), $16\n", "·f=1"},
		{"a.s", "TEXT ·f<ABIInternal>(SB), $16\n", "·f=1"},
		{"a.s", "\tCALL example·com∕b·B(SB)\n", "example·com∕b·B"},
		{"a.s", "\tMOVQ $runtime·x+8(SB), AX\n\tMOVQ AX, ·y(SB)", "runtime·x ·y=0"},
		{"a.s", "DATA t<>+0(SB)/8, $1\nGLOBL t<>(SB), RODATA, $8\n", "static t=0 static t=0"},
		{"a.s", "TEXT ·f(SB)\nl: JMP l\n JMP g; JMP (AX)\nTEXT ·h(SB)\n JMP l\n", "·f=1 label l=1 label l.1 bare g ·h=2 bare l"},
		{"a.s", "TEXT ·f(SB)\n MOVQ a+0(FP), AX\n MOVQ x-8(SP), BX\n MOVQ $CONST, CX", "·f=1"},
		{"a.s", "// TEXT ·f(SB)\n/* CALL ·g(SB)\n*/ CALL ·h(SB)\n#define X \\\n CALL ·i(SB)\n PCDATA \"·j(SB)\", $1", "·h"},
		{"a_amd64.s", "TEXT ·f(SB)\n MOVQ AX, BX\n MOVQ BX, 8(CX)(DX*8)\n CMPQ AX, CX\n", "·f=1 AX.1 BX=1 BX.1 CX.1 DX.1 AX.1 CX.1"},
		{"a_linux_amd64.s", "TEXT ·f(SB)\n POPQ AX\n PUSHQ AX\n XCHGQ AX, BX\n CMPXCHGQ AX, BX\n BTSQ $1, AX\n BTQ $1, AX", "·f=1 AX=1 AX.1 AX=1 BX=1 AX.1 BX=1 AX=1 AX.1"},
		{"a_arm64.s", "TEXT ·f(SB)\n LDP (R0), (R1, R2)\n STP (R1, R2), 8(R0)\n CBZ R1, l\n VADD V0.B16, V1.B16, V2.B16\nl:", "·f=1 R0.1 R1=1 R2=1 R1.1 R2.1 R0.1 R1.1 label l.1 V0.1 V1.1 V2=1 label l=1"},
		{"a_arm64.s", "TEXT ·f(SB)\n MIX(R0, R31, V31)\n", "·f=1 R0.1 V31.1"},
		{"a_test.s", " MOVQ AX, BX\n", ""},
		{"a.s", "TEXT ·", ""},
		{"a.s", "\xff·", ""},
	} {
		var got []string
		for _, u := range AssemblyUses("file:///m/"+c.file, []byte(c.text)) {
			text := c.text[u.Span.Start:u.Span.End]
			switch {
			case u.Kind == AssemblyLabel:
				text = "label " + text
			case u.Static:
				text = "static " + text
			case u.Kind == AssemblySymbol && u.Bare:
				text = "bare " + text
			}
			switch {
			case u.Writes:
				text += fmt.Sprintf("=%d", u.Function)
			case u.Kind != AssemblySymbol:
				text += fmt.Sprintf(".%d", u.Function)
			}
			got = append(got, text)
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q:\ngot    %s\nwanted %s", c.text, got, c.want)
		}
	}
}
