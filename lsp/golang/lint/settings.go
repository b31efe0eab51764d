package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Settings say which analyzers run. The zero value is what most people want: those that find
// mistakes, and those that know a newer way to write something. Names and defaults are those of
// gopls.
type Settings struct {
	// Analyses switches analyzers on and off, by name. What it says of one goes before all else.
	Analyses map[string]bool `json:"analyses,omitempty"`

	// Staticcheck switches all analyzers of staticcheck on or off. If it is not said, those run
	// that need no intermediate representation of the package and are rarely wrong.
	Staticcheck *bool `json:"staticcheck,omitempty"`
}

// Key is a text that is equal for equal settings in equal versions of the analyzers, and that
// ReadKey understands.
func (s Settings) Key() string {
	b, err := json.Marshal(settingsKey{s, version()}) // maps in order
	if err != nil {
		return ""
	}
	return string(b)
}

type settingsKey struct {
	Settings
	Version string `json:"version"` // so that another program does not show what this one has found
}

// ReadKey reads settings from a key.
func ReadKey(key string) (Settings, error) {
	var k settingsKey
	if err := json.Unmarshal([]byte(key), &k); err != nil {
		return Settings{}, fmt.Errorf("lint: settings: %w", err)
	}
	return k.Settings, nil
}

// Unknown are names that Analyses has and no analyzer.
func (s Settings) Unknown() (names []string) {
	for name := range s.Analyses {
		if _, ok := all()[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// chosen are the analyzers that run, by name.
func (s Settings) chosen() (list []known) {
	for name, k := range all() {
		on := k.on
		if s.Staticcheck != nil && k.staticcheck {
			on = *s.Staticcheck && !k.spoken
		}
		if said, ok := s.Analyses[name]; ok {
			on = said
		}
		if on {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b known) int { return strings.Compare(a.Name, b.Name) })
	return list
}
