package main

import (
	"path/filepath"
	"testing"
)

// Each mistake can be planted in the engine as it is: what it replaces stands there once.
func TestMistakesCanBePlanted(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	names, err := filepath.Glob(filepath.Join(*dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("mistakes: %q, %v", names, err)
	}
	for _, name := range names {
		if _, err := changed(name); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}
