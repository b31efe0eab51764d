package profile

import (
	"encoding/json"
	"testing"
	"time"
)

// What JSON calls seconds are seconds.
func TestSeconds(t *testing.T) {
	r := Report{Total: Seconds(1500 * time.Millisecond), Tasks: []Share{{Name: "a", Time: Seconds(250 * time.Millisecond)}}}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var plain struct {
		Seconds float64
		Tasks   []struct{ Seconds float64 }
	}
	if err := json.Unmarshal(text, &plain); err != nil || plain.Seconds != 1.5 || plain.Tasks[0].Seconds != 0.25 {
		t.Errorf("%s: %v", text, err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil || back.Total != r.Total || back.Tasks[0] != r.Tasks[0] {
		t.Errorf("%s is read as %+v: %v", text, back, err)
	}
	var s Seconds
	if err := json.Unmarshal([]byte(`"1s"`), &s); err == nil {
		t.Error("a text is read as seconds")
	}
}
