package disk

import (
	"path/filepath"
	"strings"
)

// A site is where a call comes from and what it is about: the operation of the store that was under
// way, the call, and the class of the file.
type site struct{ op, call, class string }

func (s site) String() string { return s.op + ": " + s.call + " " + s.class }

// siteOf names the site of a call. The index is saved beside the operations, and segments go when
// the last reader has left, so which of them is under way says nothing.
func siteOf(op, call, name string) site {
	c := class(name)
	switch {
	case c == "index" && op != "open":
		op = "saved index"
	case call == "syncdir":
		op = "names" // of the saved index, or of a segment
	case c == "segment" && (call == "unmap" || call == "remove" || call == "close"):
		op = "end" // when nobody is left who reads there
	}
	return site{op, call, c}
}

// class says what a file is to the store.
func class(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), ".tmp")
	switch {
	case name == dir:
		return "directory"
	case strings.HasSuffix(base, ".seg"):
		return "segment"
	default:
		return base
	}
}

// Sites notes where calls come from, and fails the first one of a site. Its session guards it.
type sites struct {
	seen  map[site]int
	fail  site // the zero site fails nothing
	fired bool
}

func (s *sites) fails(at site) bool {
	if s == nil {
		return false
	}
	s.seen[at]++
	if s.fired || at != s.fail {
		return false
	}
	s.fired = true
	return true
}
