package main

import (
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1048576": 1 << 20, "512MiB": 512 << 20, "512 MiB": 512 << 20, "512m": 512 << 20, "2GB": 2 << 30, "1.5G": 3 << 29, "64KiB": 64 << 10, "1T": 1 << 40, "7B": 7,
	} {
		var b byteSize
		if err := b.Set(text); err != nil || int64(b) != want {
			t.Errorf("%q is %d, %v; want %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "x", "-1", "1.5", "12XB", "1MM", "1e999", "NaN", "Inf", "9999999T", "1 2M"} {
		var b byteSize
		if err := b.Set(text); err == nil {
			t.Errorf("%q is %d", text, b)
		}
	}
	b := byteSize(512 << 20)
	if b.String() != "512.0MiB" {
		t.Errorf("512 MiB are shown as %s", b.String())
	}
	var again byteSize
	if err := again.Set(b.String()); err != nil || again != b {
		t.Errorf("%s is read as %d, %v", b.String(), again, err)
	}
}

func TestSyncModes(t *testing.T) {
	for _, m := range syncModes {
		var s syncMode
		if err := s.Set(m.String()); err != nil || s.String() != m.String() {
			t.Errorf("%v is read as %v, %v", m, &s, err)
		}
	}
	var s syncMode
	if err := s.Set("always"); err == nil {
		t.Error("there is a mode always")
	}
}

// A limit that nothing fits into is wrong usage, and the error says what fits.
func TestLimitFlags(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	if _, errs, code := c.run("index", "--memory-limit", "lots", dir); code != exitUsage {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if _, errs, code := c.run("index", "--memory-limit", "1MiB", dir); code != exitUsage || !strings.Contains(errs, "--memory-limit") || !strings.Contains(errs, "32.0MiB") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	plain := c.ok("index", "--memory-limit", "0", dir)
	if plain == "" {
		t.Error("nothing is printed")
	}
	// What the race detector has in this process counts, too.
	c.ok("index", "--memory-limit", "16GiB", "--disk-limit", "100MiB", "--sync", "group", dir)
}
