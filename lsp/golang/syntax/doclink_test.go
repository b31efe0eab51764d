package syntax

import (
	"fmt"
	"strings"
	"testing"
)

func TestDocLinks(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"// [Conv] and ([*Reader.Read]).", "Conv=Conv! Reader=Reader Reader.Read=Read!"},
		{"// [fmt.Stringer.String]", "fmt=fmt fmt.Stringer=Stringer fmt.Stringer.String=String!"},
		{"// [encoding/json.Decoder]", "encoding/json=encoding/json encoding/json.Decoder=Decoder!"},
		{"// [encoding/json]", "encoding/json=encoding/json!"},
		{"// a[i] [x]y [1] [a.b.c.d] [a b] []", ""},
		{"[é]", "é=é!"},
		{"// [gopkg.in/yaml.v3]", "gopkg.in/yaml=gopkg.in/yaml gopkg.in/yaml.v3=v3!"},
	} {
		var got []string
		for _, l := range DocLinks([]byte(c.text)) {
			s := fmt.Sprintf("%s=%s", l.Name, c.text[l.Span.Start:l.Span.End])
			if l.Last {
				s += "!"
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, wanted %s", c.text, got, c.want)
		}
	}
}

func TestLinknameAt(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"package a\n//go:linkname f run|time.g // why\nfunc f()", "runtime g runtime.g"},
		{"//go:linkname f a.b/c.g|", "a.b/c g a.b/c.g"},
		{"//go:linkname f a/b.(*T).m|\r\n", "a/b T.m a/b.(*T).m"},
		{"//go:linkname |f a.b", ""},
		{"//go:linkname f|", ""},
		{"//go:linkname f g|", ""},
		{"// go:linkname f a.g|", ""},
		{"|", ""},
	} {
		before, after, _ := strings.Cut(c.text, "|")
		text := before + after
		pkg, name, at, ok := LinknameAt([]byte(text), len(before))
		got := ""
		if ok {
			got = pkg + " " + name + " " + text[at.Start:at.End]
		}
		if got != c.want {
			t.Errorf("%q: %q, wanted %q", c.text, got, c.want)
		}
	}
}
