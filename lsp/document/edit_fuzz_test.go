package document

import (
	"bytes"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp/position"
)

// FuzzEdit: whatever stands in the parameters of an opening and of a change, it is refused as
// malformed, or leads to a document that is text, or to one that is known to be out of sync.
func FuzzEdit(f *testing.F) {
	opening := `{"textDocument":{"uri":"file:///a","languageId":"x","version":1,"text":"one\ntwo é😀\r\n"}}`
	for _, change := range []string{
		`{"textDocument":{"uri":"file:///a","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":1},"end":{"line":1,"character":2}},"text":"x"}]}`,
		`{"textDocument":{"uri":"file:///a","version":2},"contentChanges":[{"text":"x"},{"range":{"start":{"line":0,"character":9},"end":{"line":0,"character":1}},"text":""}]}`,
		`{"textDocument":{"uri":"file:///a"},"contentChanges":[{"range":{"start":{"line":4294967295,"character":4294967295},"end":{"line":-1,"character":1e9}},"text":"x"}]}`,
		`{"textDocument":{"uri":"file:///a","version":null},"contentChanges":null}`,
		`{"textDocument":{"uri":3},"contentChanges":[{"range":null,"text":"\ud800"}]}`,
		`[[[[[[[[[[[[`,
	} {
		f.Add([]byte(opening), []byte(change))
	}
	f.Fuzz(func(t *testing.T, opening, change []byte) {
		if len(opening)+len(change) > 1<<12 {
			return
		}
		for _, encoding := range []position.Encoding{position.UTF8, position.UTF16, position.UTF32} {
			s := NewStore(encoding, 1<<10)
			o, err := DecodeOpening(opening)
			if err != nil && !errors.Is(err, ErrBadEdit) {
				t.Fatalf("opening: %v", err)
			}
			if err == nil {
				s.Open(o.URI, o.Language, o.Version, o.Text)
			}
			e, err := DecodeEdit(change)
			if err != nil {
				if !errors.Is(err, ErrBadEdit) {
					t.Fatalf("change: %v", err)
				}
				continue
			}
			_, err = s.Change(e)
			d, open := s.Get(e.URI)
			switch {
			case !open:
				if err == nil {
					t.Error("a change of a document that is not open")
				}
			case !utf8.Valid(d.Text()) && bytes.Contains(opening, []byte("text")) && d.Err() == nil:
				t.Errorf("%q is no text", d.Text())
			case (err != nil) && d.Err() == nil:
				t.Errorf("the change failed, and the document counts as good: %v", err)
			}
		}
	})
}
