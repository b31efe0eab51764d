package main

import "testing"

// TestRun runs everything once, with few records.
func TestRun(t *testing.T) {
	if err := run(20_000, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := run(1, t.TempDir()); err == nil {
		t.Error("a size below one batch is accepted")
	}
}
