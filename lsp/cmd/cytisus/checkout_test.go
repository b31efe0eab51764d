package main

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var checkoutFiles = flag.Int("checkout.files", 500, "files that TestCheckoutIsSeen changes")

// An editor reports no changed files. Another program changes all files of a module, as a checkout
// does, and then changes them back: what is wrong is told each time, soon after the last file was
// written.
func TestCheckoutIsSeen(t *testing.T) {
	const width = 50 // files of a package
	p := newPlayer(t)
	p.unreported = true
	write := func(result, value string) {
		for i := range *checkoutFiles {
			dir := fmt.Sprintf("p%03d", i/width)
			text := fmt.Sprintf("package %s\n\nfunc F%d() %s { return %s }\n", dir, i, result, value)
			p.put(fmt.Sprintf("%s/f%d.go", dir, i), text)
		}
	}
	p.put("go.mod", "module ex.org/m\n\ngo 1.26\n")
	write("int", "1")
	last := fmt.Sprintf("p%03d", (*checkoutFiles-1)/width)
	p.put("use/use.go", fmt.Sprintf("package use\n\nimport \"ex.org/m/%s\"\n\nvar X int = %s.F%d()\n", last, last, *checkoutFiles-1))
	defer p.end()
	s := p.begun()
	if got, err := s.check(); err != nil || got != "clean" {
		t.Fatalf("%v: %s", err, got)
	}
	for round := range 3 {
		for _, c := range []struct{ result, value, want string }{{"string", `""`, "cannot use"}, {"int", "1", ""}} {
			write(c.result, c.value)
			end := time.Now()
			seen := s.await(func() bool {
				list := s.published[fileURI(p.path("use/use.go"))]
				if c.want == "" {
					return len(list) == 0
				}
				return len(list) == 1 && strings.Contains(list[0].Message, c.want)
			})
			if !seen {
				t.Fatalf("round %d: not seen that functions give %s", round, c.result)
			}
			t.Logf("%d files changed: told %v after the end", *checkoutFiles, time.Since(end).Round(time.Millisecond))
			if got, err := s.check(); err != nil || strings.Count(got, "\n") > 0 || (got == "clean") != (c.want == "") {
				t.Fatalf("round %d: %v: %s", round, err, got)
			}
		}
	}
}
