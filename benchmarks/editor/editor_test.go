package editor

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"
)

// TestWaitSaysWhatIsMissing checks the message of what does not come in time.
func TestWaitSaysWhatIsMissing(t *testing.T) {
	c := &Client{news: make(chan struct{}), ended: make(chan struct{})}
	fmt.Fprint(&c.stderr, "out of luck")
	err := c.Wait(t.Context(), time.Millisecond, "the error", func(*Heard) bool { return false })
	if err == nil ||
		!strings.Contains(
			err.Error(),
			"the error: not within 1ms; standard error ends with: out of luck",
		) {
		t.Errorf("error %v", err)
	}
}

// TestGoplsComplete checks that only the end of the first diagnostics counts.
func TestGoplsComplete(t *testing.T) {
	done := GoplsComplete()
	first := `"diagnosing initial workspace load"`
	for _, m := range []struct {
		params string
		want   bool
	}{
		{`{"token":"1","value":{"kind":"begin","title":"Setting up workspace"}}`, false},
		{`{"token":"2","value":{"kind":"begin","title":` + first + `}}`, false},
		{`{"token":"1","value":{"kind":"end"}}`, false},
		{`{"token":"2","value":{"kind":"report"}}`, false},
		{`{"token":"2","value":{"kind":"end"}}`, true},
	} {
		if got := done("$/progress", []byte(m.params)); got != m.want {
			t.Errorf("%s: %v, want %v", m.params, got, m.want)
		}
	}
	if done("window/logMessage", bytes.Repeat([]byte("x"), 3)) {
		t.Error("a log message is taken for progress")
	}
}

// TestPositions checks that positions count UTF-16 code units, and that offsets undo them.
func TestPositions(t *testing.T) {
	text := "a\näö𝄞b\n"
	for _, test := range []struct {
		offset          int
		line, character uint32
	}{
		{0, 0, 0}, {1, 0, 1}, {2, 1, 0}, {4, 1, 1}, {6, 1, 2}, {10, 1, 4}, {11, 1, 5}, {12, 2, 0},
	} {
		want := protocol.Position{Line: test.line, Character: test.character}
		if got := Position(text, test.offset); got != want {
			t.Errorf("offset %d is at %v, want %v", test.offset, got, want)
		}
		if got, err := Offset(text, want); err != nil || got != test.offset {
			t.Errorf("%v is offset %d, %v, want %d", want, got, err, test.offset)
		}
	}
	if at, err := Offset(text, protocol.Position{Line: 1, Character: 99}); err != nil || at != 11 {
		t.Errorf("behind the end of line 1 is offset %d, %v", at, err)
	}
	if at, err := Offset(text, protocol.Position{Line: 3}); err == nil {
		t.Errorf("line 3 is at offset %d", at)
	}
}

// TestEdited checks that edits apply together, in the order of their places.
func TestEdited(t *testing.T) {
	at := func(from, to uint32, text string) TextEdit {
		return TextEdit{protocol.Range{
			Start: protocol.Position{Character: from}, End: protocol.Position{Character: to},
		}, text}
	}
	got, err := Edited("abcdef", []TextEdit{at(4, 6, ""), at(0, 1, "A"), at(2, 2, "x"), at(2, 2, "y")})
	if err != nil || got != "Abxycd" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Edited("abcdef", []TextEdit{at(0, 3, ""), at(2, 4, "")}); err == nil {
		t.Errorf("edits that overlap give %q", got)
	}
}
