package document

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/lsp/position"
)

const name = "file:///m/a.go"

func rng(l0, c0, l1, c1 uint32) *protocol.Range {
	return &protocol.Range{Start: protocol.Position{Line: l0, Character: c0}, End: protocol.Position{Line: l1, Character: c1}}
}

func version(v int32) *int32 { return &v }

func opened(t testing.TB, text string) *Store {
	t.Helper()
	s := NewStore(position.UTF16, 0)
	if _, _, err := s.Open(name, "go", 1, text); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		text    string
		changes []Change
		want    string
		problem string // part of the error
	}{
		{"", []Change{{rng(0, 0, 0, 0), "x"}}, "x", ""},
		{"a\nb\n", []Change{{rng(1, 0, 1, 1), "c"}, {rng(0, 1, 1, 0), ""}}, "ac\n", ""},
		{"a\nb", []Change{{rng(0, 0, 2, 0), "whole"}}, "whole", ""}, // one line past the last
		{"a\nb", []Change{{nil, "new\n"}, {rng(1, 0, 1, 0), "end"}}, "new\nend", ""},
		{"a\rb", []Change{{rng(0, 1, 0, 9), "\n"}, {rng(1, 0, 1, 0), "x"}}, "a\nx\rb", ""}, // \n before \r makes three lines
		{"a\rb", []Change{{rng(1, 0, 1, 0), "\n"}, {rng(1, 0, 1, 0), "x"}}, "a\r\nxb", ""}, // \r and \n join
		{"a\r\nb", []Change{{rng(0, 1, 1, 0), "\r"}, {rng(1, 0, 1, 1), "c"}}, "a\rc", ""},
		{"😀x", []Change{{rng(0, 2, 0, 3), "y"}}, "😀y", ""},
		{"a", []Change{{rng(0, 0, 0, 1), "b"}, {rng(3, 0, 3, 0), "c"}}, "", "change 2 of 2: line 3, character 0"},
		{"a\nb", []Change{{rng(0, 0, 7, 0), "b"}}, "", "line 7, character 0 (counted from 0) is outside the document, which has 2 lines and 3 bytes"},
		{"a\nb", []Change{{rng(1, 0, 0, 0), "b"}}, "", "before its start"},
		{"ab", []Change{{rng(0, 99, 0, 1<<31), "c"}}, "abc", ""}, // past the end of the line clamps
	} {
		s := opened(t, c.text)
		d, err := s.Change(Edit{URI: name, Version: version(2), Changes: c.changes})
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) || !errors.Is(err, ErrOutOfSync) || !errors.Is(err, position.ErrOutOfRange) {
				t.Errorf("%q %v: %v, want %q", c.text, c.changes, err, c.problem)
			}
			if held, _ := s.Get(name); string(held.Text()) != c.text || held.Version() != 1 { // D0
				t.Errorf("%q: a failed change left %q", c.text, held.Text())
			}
			continue
		}
		if err != nil || string(d.Text()) != c.want || d.Version() != 2 {
			t.Errorf("%q %v: %q, %v; want %q", c.text, c.changes, d.Text(), err, c.want)
		}
	}
}

// modelApply is the protocol's prose: a new line index for every change.
func modelApply(text []byte, changes []Change, e position.Encoding) ([]byte, bool) {
	for _, c := range changes {
		if c.Range == nil {
			text = []byte(c.Text)
			continue
		}
		start, end, err := position.NewMapper(text).Offsets(*c.Range, e)
		if err != nil {
			return nil, false
		}
		text = slices.Concat(text[:start], []byte(c.Text), text[end:])
	}
	return text, true
}

func checkBuffer(t interface{ Fatalf(string, ...any) }, text string, changes []Change, e position.Encoding) {
	b := newBuffer([]byte(text), changes)
	for i, c := range changes {
		err := b.replace(*c.Range, c.Text, e)
		want, ok := modelApply([]byte(text), changes[:i+1], e)
		if (err == nil) != ok {
			t.Fatalf("%q %v: error %v, model %v", text, changes[:i+1], err, ok)
		}
		if err != nil {
			return
		}
		if got := b.text(); string(got) != string(want) {
			t.Fatalf("%q %v: %q, want %q", text, changes[:i+1], got, want)
		}
		starts := position.AppendLineStarts(nil, want)
		if b.lines() != len(starts) {
			t.Fatalf("%q %v: %d lines, want %d", text, changes[:i+1], b.lines(), len(starts))
		}
		for line, at := range starts {
			if b.start(line) != at {
				t.Fatalf("%q %v: line %d begins at %d, want %d", text, changes[:i+1], line, b.start(line), at)
			}
		}
	}
}

func TestAgainstModel(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "bc", "\n", "\r", "\r\n", "é", "😀", "\xff", "\xe2\x82"})
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
	})
	small := rapid.Uint32Range(0, 5)
	change := rapid.Custom(func(t *rapid.T) Change {
		l0, c0 := small.Draw(t, "line"), small.Draw(t, "character")
		l1, c1 := small.Draw(t, "line"), small.Draw(t, "character")
		if rapid.IntRange(0, 9).Draw(t, "swap") > 0 && (l1 < l0 || l1 == l0 && c1 < c0) {
			l0, c0, l1, c1 = l1, c1, l0, c0
		}
		return Change{rng(l0, c0, l1, c1), text.Draw(t, "text")}
	})
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom([]position.Encoding{position.UTF8, position.UTF16, position.UTF32}).Draw(t, "encoding")
		checkBuffer(t, text.Draw(t, "before"), rapid.SliceOfN(change, 0, 8).Draw(t, "changes"), e)
	})
}

func FuzzBuffer(f *testing.F) {
	f.Add("a\r\nb\rc\n😀", "\n", "x\r", uint32(0), uint32(1), uint32(1), uint32(0), uint32(2))
	f.Add("", "", "", uint32(0), uint32(0), uint32(0), uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, text, one, two string, a, b, c, d, e uint32) {
		if len(text)+len(one)+len(two) > 1<<10 {
			return
		}
		for _, encoding := range []position.Encoding{position.UTF8, position.UTF16, position.UTF32} {
			checkBuffer(t, text, []Change{{rng(a, b, c, d), one}, {rng(b, c, d, e), two}, {rng(c, d, e, a), one}}, encoding)
		}
	})
}

func TestNotOpen(t *testing.T) {
	s := NewStore(position.UTF16, 0)
	_, err := s.Change(Edit{URI: name, Version: version(2), Changes: []Change{{nil, "x"}}})
	if !errors.Is(err, ErrNotOpen) || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
	if _, err := s.Close(name); !errors.Is(err, ErrNotOpen) || !strings.Contains(err.Error(), "close "+name) {
		t.Error(err)
	}
	if _, ok := s.Get(name); ok || len(s.All()) != 0 {
		t.Error("a change opened the document")
	}
}

func TestVersions(t *testing.T) {
	s := opened(t, "a")
	step := func(v *int32, changes ...Change) error {
		_, err := s.Change(Edit{URI: name, Version: v, Changes: changes})
		return err
	}
	insert := Change{rng(0, 0, 0, 0), "x"}
	if err := step(version(5), insert); err != nil {
		t.Error("versions may skip:", err)
	}
	if err := step(version(5), insert); err != nil {
		t.Error("an equal version is taken:", err)
	}
	if err := step(nil, insert); err != nil {
		t.Error("no version is taken:", err)
	}
	if d, _ := s.Get(name); d.Version() != 5 || string(d.Text()) != "xxxa" {
		t.Errorf("version %d, %q", d.Version(), d.Text())
	}
	if err := step(version(4), insert); !errors.Is(err, ErrOutOfSync) || !strings.Contains(err.Error(), "goes back from 5 to 4") { // D1
		t.Error(err)
	}
	err := step(version(6), insert) // D2: not even a good change is taken
	if !errors.Is(err, ErrOutOfSync) || strings.Count(err.Error(), "goes back") != 1 {
		t.Error(err)
	}
	if d, _ := s.Get(name); d.Err() == nil || string(d.Text()) != "xxxa" {
		t.Errorf("%q, %v", d.Text(), d.Err())
	}
	if err := step(version(7), Change{nil, "healed"}, insert); err != nil {
		t.Error("the whole text heals:", err)
	}
	if d, _ := s.Get(name); d.Err() != nil || string(d.Text()) != "xhealed" || d.Version() != 7 {
		t.Errorf("%q, %v", d.Text(), d.Err())
	}
}

func TestDocumentsAreImmutable(t *testing.T) {
	s := opened(t, "one\n")
	before, _ := s.Get(name)
	if _, err := s.Change(Edit{URI: name, Version: version(2), Changes: []Change{{rng(0, 0, 0, 3), "two"}}}); err != nil {
		t.Fatal(err)
	}
	if string(before.Text()) != "one\n" || before.Mapper().Lines() != 2 || before.Language() != "go" || before.URI() != name {
		t.Errorf("the old version changed to %q", before.Text())
	}
	if _, replaced, err := s.Open(name, "go", 9, "again"); err != nil || !replaced {
		t.Error("open twice:", replaced, err)
	}
	if d, err := s.Close(name); err != nil || d.Version() != 9 {
		t.Error(d, err)
	}
}

// A text over a limit is not held, and its document is open all the same: it takes changes and says
// why it has no text, until a whole text fits (D3).
func TestSizeLimit(t *testing.T) {
	s := NewStore(position.UTF8, 8)
	large := func(step string, d *Document, err error) {
		t.Helper()
		if err != nil && !errors.Is(err, ErrTooLarge) || d == nil || !errors.Is(d.Err(), ErrTooLarge) || errors.Is(d.Err(), ErrOutOfSync) || len(d.Text()) > 0 {
			t.Errorf("%s: %v, %+v", step, err, d)
		}
		if held, ok := s.Get(name); !ok || held != d {
			t.Errorf("%s: the store has %+v", step, held)
		}
	}
	d, _, err := s.Open(name, "go", 1, "123456789")
	large("opened", d, err)
	if err == nil || !strings.Contains(err.Error(), "9 bytes, more than the limit of 8") {
		t.Error(err)
	}
	d, err = s.Change(Edit{URI: name, Version: version(2), Changes: []Change{{rng(5, 0, 6, 0), "9"}}})
	large("edited", d, err)
	if err != nil || d.Version() != 2 {
		t.Errorf("an edit of what is not held: version %d, %v", d.Version(), err)
	}
	if d, err = s.Change(Edit{URI: name, Version: version(3), Changes: []Change{{nil, "12345678"}}}); err != nil || d.Err() != nil || string(d.Text()) != "12345678" {
		t.Errorf("a whole text that fits: %+v, %v", d, err)
	}
	d, err = s.Change(Edit{URI: name, Version: version(4), Changes: []Change{{rng(0, 0, 0, 0), "9"}}})
	large("grown", d, err)
	if err == nil {
		t.Error("the change that makes it too large is not told")
	}
	if d, err = s.Change(Edit{URI: name, Version: version(5), Changes: []Change{{nil, "x"}}}); err != nil || string(d.Text()) != "x" {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = s.Change(Edit{URI: name, Version: version(6), Changes: []Change{{nil, strings.Repeat("x", 9)}}})
	large("replaced", d, err)
	if d, err = s.Close(name); err != nil || !errors.Is(d.Err(), ErrTooLarge) {
		t.Error(d, err)
	}
}

// All texts of a store together have a limit, too, and closing one makes room.
func TestSumLimit(t *testing.T) {
	s := NewStore(position.UTF8, 8)
	uri := func(i int) string { return fmt.Sprintf("file:///m/%d.go", i) }
	for i := range sumOfMax {
		if _, _, err := s.Open(uri(i), "go", 1, "12345678"); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.Open(uri(sumOfMax), "go", 1, "1")
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "the open documents have 129, more than the limit of 128") {
		t.Error(err)
	}
	if _, _, err := s.Open(uri(0), "go", 2, "abcdefgh"); err != nil {
		t.Errorf("in the place of an older text: %v", err)
	}
	if _, err := s.Change(Edit{URI: uri(1), Changes: []Change{{rng(0, 0, 0, 1), ""}}}); err != nil {
		t.Error(err)
	}
	if d, err := s.Change(Edit{URI: uri(sumOfMax), Changes: []Change{{nil, "1"}}}); err != nil || d.Err() != nil {
		t.Errorf("once there is room: %v", err)
	}
	if _, err := s.Close(uri(2)); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Open(uri(99), "go", 1, "12345678"); err != nil {
		t.Errorf("in the place of a closed one: %v", err)
	}
	sum := 0
	for _, d := range s.All() {
		sum += len(d.Text())
	}
	if sum != s.bytes {
		t.Errorf("%d bytes are counted, there are %d", s.bytes, sum)
	}
}

func TestDecodeEdit(t *testing.T) {
	edit, err := DecodeEdit([]byte(`{"textDocument":{"uri":"file:///m/a%2Ego","version":3},"contentChanges":[
		{"range":{"start":{"line":1,"character":2},"end":{"line":3,"character":4}},"rangeLength":7,"text":"x"},{"text":"y"},{"range":null,"text":""}]}`))
	if err != nil || edit.URI != name || *edit.Version != 3 || len(edit.Changes) != 3 {
		t.Fatal(edit, err)
	}
	if c := edit.Changes[0]; *c.Range != *rng(1, 2, 3, 4) || c.Text != "x" {
		t.Error(c)
	}
	if edit.Changes[1].Range != nil || edit.Changes[2].Range != nil {
		t.Error("a change without a range is the whole text")
	}
	for _, params := range []string{
		``, `null`, `[]`, `{`, `{}`, `{"textDocument":{}}`, `{"textDocument":{"uri":"x:y z"},"contentChanges":3}`,
		`{"textDocument":{"uri":"file:///a","version":1.5},"contentChanges":[]}`,
		`{"textDocument":{"uri":"file:///a"},"contentChanges":[{}]}`,
		`{"textDocument":{"uri":"file:///a"},"contentChanges":[{"text":null}]}`,
		// A range that does not decode must not turn into "replace everything".
		`{"textDocument":{"uri":"file:///a"},"contentChanges":[{"range":{"start":{"line":-1,"character":0},"end":{"line":0,"character":0}},"text":"x"}]}`,
		`{"textDocument":{"uri":"file:///a"},"contentChanges":[{"range":[],"text":"x"}]}`,
	} {
		if edit, err := DecodeEdit([]byte(params)); !errors.Is(err, ErrBadEdit) || strings.Contains(params, "file:///a") != (edit.URI == "file:///a") {
			t.Errorf("%s: %v, %v", params, edit, err)
		}
	}
}

func TestDecodeOpening(t *testing.T) {
	o, err := DecodeOpening([]byte(`{"textDocument":{"uri":"file:///m/a%2Ego","languageId":"go","version":3,"text":"x"}}`))
	if want := (Opening{URI: name, Language: "go", Version: 3, Text: "x"}); err != nil || o != want {
		t.Fatal(o, err)
	}
	if o, err := DecodeOpening([]byte(`{"textDocument":{"uri":"file:///a","text":""}}`)); err != nil || o.URI != "file:///a" {
		t.Error(o, err)
	}
	for _, params := range []string{
		``, `null`, `[]`, `{`, `{}`, `{"textDocument":{}}`, `{"textDocument":{"text":"x"}}`,
		`{"textDocument":{"uri":"file:///a"}}`,
		`{"textDocument":{"uri":"file:///a","text":null}}`,
		`{"textDocument":{"uri":"file:///a","text":7}}`,
		`{"textDocument":{"uri":"file:///a","version":1.5,"text":"x"}}`,
		`{"textDocument":{"uri":"file:///a","languageId":[],"text":"x"}}`,
		"{\"textDocument\":{\"uri\":\"file:///a\",\"text\":\"\xff\"}}",
	} {
		if o, err := DecodeOpening([]byte(params)); !errors.Is(err, ErrBadEdit) || strings.Contains(params, "file:///a") != (o.URI == "file:///a") || o.Text != "" {
			t.Errorf("%s: %v, %v", params, o, err)
		}
	}
}

// A change that cannot be understood has happened all the same.
func TestLose(t *testing.T) {
	s := opened(t, "one")
	for _, params := range []string{
		`{"textDocument":{"uri":"` + name + `","version":2},"contentChanges":[{"text":7}]}`,
		"{\"textDocument\":{\"uri\":\"" + name + "\",\"version\":2},\"contentChanges\":[{\"text\":\"\xff\"}]}",
	} {
		edit, err := DecodeEdit([]byte(params))
		lost := s.Lose(edit.URI, err)
		d, _ := s.Get(name)
		if !errors.Is(lost, ErrOutOfSync) || !errors.Is(lost, ErrBadEdit) || !errors.Is(d.Err(), ErrOutOfSync) || string(d.Text()) != "one" {
			t.Errorf("%s: %v, %v, %q", params, lost, d.Err(), d.Text())
		}
		if _, err := s.Change(Edit{URI: name, Changes: []Change{{Range: rng(0, 0, 0, 0), Text: "x"}}}); !errors.Is(err, ErrOutOfSync) {
			t.Errorf("a change of what is out of sync: %v", err)
		}
		if d, err := s.Change(Edit{URI: name, Changes: []Change{{Text: "one"}}}); err != nil || d.Err() != nil {
			t.Errorf("the whole text: %v", err)
		}
	}
	if err := s.Lose("file:///m/none", ErrBadEdit); err != nil {
		t.Errorf("a document that is not open: %v", err)
	}
}

// One didChange with ten thousand changes must cost like one, not like ten thousand.
func TestManyChangesAreLinear(t *testing.T) {
	const lines = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	changes := make([]Change, 0, lines)
	for line := range uint32(lines) { // a rename: every line, from the top or the bottom
		changes = append(changes, Change{rng(line, 4, line, 7), fmt.Sprint(r.IntN(1000))})
	}
	for _, up := range []bool{false, true} {
		if up {
			slices.Reverse(changes)
		}
		text := strings.Repeat("\tx := old + 1 // some line of text\n", lines)
		b := newBuffer([]byte(text), changes)
		for _, c := range changes {
			if err := b.replace(*c.Range, c.Text, position.UTF16); err != nil {
				t.Fatal(err)
			}
		}
		if b.moved > 3*len(text) {
			t.Errorf("%d bytes moved in a text of %d (upwards: %v)", b.moved, len(text), up)
		}
	}
}

func BenchmarkChange(b *testing.B) {
	text := strings.Repeat("\tif err := check(t, position); err != nil { return err }\n", 500)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("lines=500/changes=%d", n), func(b *testing.B) {
			s := opened(b, text)
			changes := make([]Change, n)
			for i := range changes {
				changes[i] = Change{rng(uint32(i*500/n), 3, uint32(i*500/n), 4), "x"}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Change(Edit{URI: name, Changes: changes}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
