package complete

import "testing"

// TestFuzzy: letters are found at the beginnings of words, or in runs within them.
func TestFuzzy(t *testing.T) {
	for _, c := range []struct {
		typed, setting string
		better         []string // fit, each at least as well as the next one
		not            []string
	}{
		{"", "", []string{"anything", "_"}, nil},
		{"r", "", []string{"return", "Return", "aRow"}, []string{"xyz"}},
		{"ns", "", []string{"nsec", "newServer"}, []string{"instance", "string"}},
		{"NS", "", []string{"NS", "NewServer"}, []string{"inner"}},
		{"fab", "", []string{"fab", "fabar", "a.fabar"}, []string{"a.fooBar"}},
		{"hs", "", []string{"hs", "HTTPServer", "httpServer"}, []string{"oath"}},
		{"val", "", []string{"Value", "Valentine"}, []string{"vxaxlx"}},
		{"äö", "", []string{"äö", "Äöl"}, []string{"öä"}},
		{"fo", "CaseInsensitive", []string{"foo", "Foo"}, []string{"afoo", "fxo"}},
		{"fo", "caseInsensitive", []string{"foo", "Foo"}, []string{"afoo", "fxo"}},
		{"Fo", "CaseSensitive", []string{"Foo"}, []string{"foo"}},
	} {
		m := newMatcher(c.typed, c.setting)
		last := 2.0
		for _, name := range c.better {
			score, ok := m.score(name)
			if !ok || score <= 0 || score > 1 || score > last {
				t.Errorf("%q %s: %s has %v, %v behind %v", c.typed, c.setting, name, score, ok, last)
			}
			last = score
		}
		for _, name := range c.not {
			if score, ok := m.score(name); ok {
				t.Errorf("%q %s: %s has %v", c.typed, c.setting, name, score)
			}
		}
	}
}
