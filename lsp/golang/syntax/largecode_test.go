package syntax

import (
	"fmt"
	"strings"
	"testing"
)

// The limit is one of code: comments are not counted.
func TestCommentsAreNotCode(t *testing.T) {
	source := func(line string, bytes int) []byte {
		return []byte("package p\n\nfunc init() {\n" + strings.Repeat(line, bytes/len(line)+1) + "}\n")
	}
	large := Parse("file:///p.go", source("\tx = x + 1\n", MaxCode))
	small := Parse("file:///q.go", source("\t// and so on\n", MaxCode*3/2))
	if !large.TooLarge() || small.TooLarge() {
		t.Errorf("large: %t of code, %t of comments", large.TooLarge(), small.TooLarge())
	}
}

// A file that declares too much gives importers no face, and they do not say that what it declares
// is not there.
func TestLargeFaceIsLeftOut(t *testing.T) {
	var b strings.Builder
	for i := 0; b.Len() < MaxCode+MaxCode/4; i++ {
		fmt.Fprintf(&b, "var Name%06d struct{ A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z int }\n", i)
	}
	tree := Parse("file:///p.go", []byte("package p\n\n"+b.String()))
	face, d := ShownFace(tree)
	if len(face) > MaxCode || !strings.HasPrefix(string(face), "package p\n") {
		t.Fatalf("the face has %d bytes", len(face))
	}
	if !d.Open {
		t.Error("what importers miss there is told")
	}
	if parsed := Parse("file:///face.go", face); len(parsed.Errors) > 0 {
		t.Errorf("the face has errors: %v", parsed.Errors)
	}
}
