package server

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// TestTranscripts plays the client's side of recorded sessions and compares what the
// server says. A transcript is a list of blocks:
//
//	call METHOD        the answer is compared
//	note METHOD        nothing is
//	await METHOD WORD  the first message of that method, from the last awaited one on, that
//	                   holds WORD is compared
//
// each followed by its parameters, a line ----, what the server said, and a blank line.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.transcript"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".transcript"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(raw))
			if got == string(raw) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("the session went another way; run with -update and look at the difference\n%s", got)
		})
	}
}

func play(t *testing.T, script string) string {
	c := newBench(t, simple(), Options{Version: "1"}).connect()
	var out strings.Builder
	from := 0
	for block := range strings.SplitSeq(strings.TrimSpace(script), "\n\n") {
		ask, _, _ := strings.Cut(block, "\n----")
		head, params, _ := strings.Cut(ask, "\n")
		words := strings.SplitN(head, " ", 3)
		said := ""
		switch words[0] {
		case "#":
		case "call":
			answer, err := c.ask(words[1], params)
			if said = answer; err != nil {
				wire, ok := errors.AsType[*jsonrpc2.Error](err)
				if !ok {
					t.Fatal(err)
				}
				said = fmt.Sprintf("error %d: %s", wire.Code, wire.Message)
			}
		case "note":
			c.tell(words[1], params)
		case "await":
			said, from = c.await(from, words[1], has(strings.Join(words[2:], " ")))
		default:
			t.Fatalf("block %q", block)
		}
		fmt.Fprintf(&out, "%s\n", ask)
		if said != "" {
			fmt.Fprintf(&out, "----\n%s\n", said)
		}
		out.WriteString("\n")
	}
	return out.String()
}
