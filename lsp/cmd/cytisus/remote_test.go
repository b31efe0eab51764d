package main

import "testing"

func TestCutDeclaration(t *testing.T) {
	for _, c := range []struct{ declaration, doc string }{
		{"func F()", ""},
		{"func F()", "F does.\n\nNothing else."},
		{"type T struct {\n\tA int\n\n\t// B is the other one.\n\tB int\n}", "T is a type.\n\n\tindented\n\nThe end."},
		{"type T struct {\n\tA int\n\n\tB int\n\n}", ""},
	} {
		text := c.declaration
		if c.doc != "" {
			text += "\n\n" + c.doc
		}
		if declaration, doc := cutDeclaration(text); declaration != c.declaration || doc != c.doc {
			t.Errorf("%q: got %q, %q", text, declaration, doc)
		}
	}
}
