package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/account"
)

// partsShown is how many parts of a holder people are shown; JSON has all of them.
const partsShown = 8

// printMemory prints who holds the memory of a process.
func (a *app) printMemory(root string, m server.Memory) error {
	if a.flags.json {
		return a.printJSON(struct {
			Root string `json:"root"`
			server.Memory
			Unaccounted int64 `json:"unaccounted"`
		}{root, m, m.Unaccounted()})
	}
	fmt.Fprintln(a.out, root)
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	row := func(depth int, name string, bytes, count int64) {
		of := ""
		if count > 0 {
			of = grouped(count)
		}
		fmt.Fprintf(tw, "%s%s\t%s\t%s\n", strings.Repeat("  ", depth+1), name, bytesText(bytes), of)
	}
	var show func(list []account.Holder, depth int)
	show = func(list []account.Holder, depth int) {
		left, n := int64(0), 0
		for i, h := range list {
			if depth > 0 && (i >= partsShown || h.Bytes == 0) {
				left += h.Bytes
				n++
				continue
			}
			row(depth, h.Name, h.Bytes, h.Count)
			show(h.Parts, depth+1)
		}
		if left > 0 {
			row(depth, fmt.Sprintf("%d others", n), left, 0)
		}
	}
	show(m.Holders, 0)
	for _, c := range m.Clients {
		if c.Documents > 0 {
			row(1, fmt.Sprintf("client %d (%s), documents", c.ID, c.Client), c.Bytes, int64(c.Documents))
		}
	}
	if m.Resident > 0 {
		row(0, "nobody's", m.Unaccounted(), 0)
		row(0, "in memory", m.Resident, 0)
	} else {
		row(0, "counted", m.Sum(), 0)
	}
	for _, what := range m.Unknown {
		fmt.Fprintf(tw, "  not known here: %s\n", what)
	}
	return tw.Flush()
}
