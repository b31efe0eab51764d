package syntax

import (
	"strings"
	"testing"
)

func TestTreeCache(t *testing.T) {
	c := newCache(400)
	text := func(i int) []byte { return []byte("package p\n\nvar x = " + strings.Repeat("1", 10+i) + "\n") }
	first := c.Get("file:///0.go", text(0))
	if c.Get("file:///0.go", text(0)) != first {
		t.Error("the same text was parsed twice")
	}
	if c.Get("file:///0.go", text(1)) == first {
		t.Error("another text gave the old tree")
	}
	for i := range 50 {
		c.Get(("file:///" + strings.Repeat("x", i+1) + ".go"), text(i))
	}
	if c.bytes > c.limit || len(c.byURI) != c.order.Len() {
		t.Errorf("%d bytes of %d, %d entries, %d in order", c.bytes, c.limit, len(c.byURI), c.order.Len())
	}
}
