package memo

import (
	"encoding/json"
	"testing"
)

// Each verdict has a word and a sentence of its own, and the word is read back.
func TestVerdictWords(t *testing.T) {
	seen := map[string]bool{}
	for v := Unknown; v <= RanFailed; v++ {
		text, err := json.Marshal(Reason{Verdict: v})
		if err != nil {
			t.Fatal(err)
		}
		var back Reason
		if err := json.Unmarshal(text, &back); err != nil || back.Verdict != v {
			t.Errorf("%v is written as %s and read as %v: %v", v, text, back.Verdict, err)
		}
		if seen[string(text)] || seen[v.String()] {
			t.Errorf("%s, %q: another verdict has this, too", text, v)
		}
		seen[string(text)], seen[v.String()] = true, true
	}
	if _, err := (RanFailed + 1).MarshalText(); err == nil {
		t.Error("a number that is no verdict has a word")
	}
	var v Verdict
	if err := v.UnmarshalText([]byte("ran")); err == nil {
		t.Errorf("%q is read as %v", "ran", v)
	}
}
