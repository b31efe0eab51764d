package main

import (
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp"
)

// Reading files and listing packages is no part of the pace, and the first packages promise
// nothing.
func TestPace(t *testing.T) {
	var p pace
	for _, c := range []struct {
		at    lsp.Progress
		after time.Duration
		want  string
	}{
		{lsp.Progress{FilesDone: 5}, time.Second, "5 files  1s"},
		{lsp.Progress{FilesDone: 5, FilesTotal: 9}, 9 * time.Second, "5/9 files  9s"},
		{lsp.Progress{UnitsTotal: 100, Unit: "packages"}, 10 * time.Second, "0/100 packages  10s"},
		{lsp.Progress{UnitsTotal: 100, UnitsDone: 4, Unit: "packages"}, 12 * time.Second, "4/100 packages  12s"},
		{lsp.Progress{UnitsTotal: 100, UnitsDone: 5, Unit: "packages"}, 10500 * time.Millisecond, "5/100 packages  10.5s"},
		{lsp.Progress{UnitsTotal: 100, UnitsDone: 20, Unit: "packages"}, 14 * time.Second, "20/100 packages  5/s  16s left  14s"},
		{lsp.Progress{UnitsTotal: 100, UnitsDone: 100, Unit: "packages"}, 20 * time.Second, "100/100 packages  10/s  0s left  20s"},
	} {
		if got := p.describe(c.at, c.after); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
