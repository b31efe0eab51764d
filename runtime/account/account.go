// Package account says who holds the memory of a process that has an engine in it, and adds it up.
//
// An account is a tree of holders. What the holders at its top have is counted each by its owner,
// or by the system, and apart from the others; so their sum is what the process has in memory, but
// for what none of them knows of, which is told as well (Account.Unaccounted). What the parts of a
// holder have is a part of what it has; there need not be a part for all of it, and where parts are
// counted by what they asked for, they may have more than is in memory of it.
//
// Where an operating system does not say what of a process is in memory, an account has only what
// the process counts itself, and says what is not in it (Account.Unknown).
package account

import (
	"fmt"
	"strings"
)

// A Holder is something that holds memory.
type Holder struct {
	Name  string   `json:"name"`
	Bytes int64    `json:"bytes"`
	Count int64    `json:"count,omitempty"` // of what it holds: keys, nodes, segments
	Parts []Holder `json:"parts,omitempty"` // of it, the largest first where they are many
}

// An Account says who holds what at one moment.
type Account struct {
	Resident int64    `json:"resident"` // bytes of the process in memory, as the system says; 0: it does not
	Holders  []Holder `json:"holders"`
	Unknown  []string `json:"unknown,omitempty"` // what cannot be counted on this system
}

// Sum is what the holders at the top have.
func (a *Account) Sum() (bytes int64) {
	for i := range a.Holders {
		bytes += a.Holders[i].Bytes
	}
	return bytes
}

// Unaccounted is what is in memory and has no holder; negative if holders have more than is in
// memory. It is 0 where the system does not say what is.
func (a *Account) Unaccounted() int64 {
	if a.Resident == 0 {
		return 0
	}
	return a.Resident - a.Sum()
}

// Find returns a holder by the names on the way to it, nil if there is none.
func (a *Account) Find(names ...string) *Holder {
	list := a.Holders
	var found *Holder
	for _, name := range names {
		found = nil
		for i := range list {
			if list[i].Name == name {
				found = &list[i]
				break
			}
		}
		if found == nil {
			return nil
		}
		list = found.Parts
	}
	return found
}

// String names the holders at the top and their largest parts in one line.
func (a *Account) String() string {
	var b strings.Builder
	for i := range a.Holders {
		h := &a.Holders[i]
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %.1f MiB", h.Name, mib(h.Bytes))
		if p := h.largest(); p != nil && p.Bytes*4 >= h.Bytes && p.Bytes > 0 {
			fmt.Fprintf(&b, " (of it %s %.1f)", p.Name, mib(p.Bytes))
		}
	}
	return b.String()
}

func (h *Holder) largest() (p *Holder) {
	for i := range h.Parts {
		if p == nil || p.Bytes < h.Parts[i].Bytes {
			p = &h.Parts[i]
		}
	}
	return p
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// A Cache is memory that a program keeps beside an engine, and can do without.
type Cache struct {
	Name  string
	Most  int64            // bytes that it has when there is enough
	Share int64            // it has this part of a memory limit at most: 5 means a fifth; 0: 16
	Bytes func() int64     // that it has now
	Bound func(most int64) // has it keep no more than that from now on; 0: nothing
}
