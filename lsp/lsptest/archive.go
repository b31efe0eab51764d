package lsptest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/lsp"
)

var update = flag.Bool("update", false, "write the answers in archives anew")

// Play plays the archives that a pattern matches, each in a session of its own.
func Play(t *testing.T, lang lsp.Language, pattern string, o Options) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no archives: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse([]byte(strings.ReplaceAll(string(raw), "\r\n", "\n"))) // a checkout may have added them
			script, differences := newPlayer(t, lang, a, o).play(string(a.Comment))
			if !*update {
				for _, d := range differences {
					t.Errorf("%s:%v", path, d)
				}
				return
			}
			a.Comment = []byte(script)
			if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A difference is a step whose answer is another one than the archive says.
type difference struct {
	line      int // of the step, from 1
	step      string
	got, want string
}

func (d difference) String() string {
	return fmt.Sprintf("%d: %s\ngot\n%swant\n%s", d.line, d.step, d.got, d.want)
}

const (
	stepPrefix   = "> "
	answerIndent = "    "
)

// A block is a step with the lines that follow it up to the next, or the prose before all steps.
type block struct {
	line   int    // of the step, from 1; 0: prose
	step   string // without its prefix
	answer string // as it stands in the script
	prose  string // behind the answer
}

// blocks cuts a script into its steps.
func blocks(script string) []block {
	list := []block{{}}
	for i, line := range strings.SplitAfter(script, "\n") {
		last := &list[len(list)-1]
		step, isStep := strings.CutPrefix(line, stepPrefix)
		switch {
		case isStep:
			list = append(list, block{line: i + 1, step: strings.TrimSpace(step)})
		case strings.HasPrefix(line, answerIndent) && last.line > 0 && strings.TrimSpace(last.prose) == "":
			last.answer += last.prose + line // empty lines within an answer belong to it
			last.prose = ""
		default:
			last.prose += line
		}
	}
	return list
}

// indented is an answer as it stands in a script.
func indented(answer string) string {
	if answer == "" {
		return ""
	}
	var out strings.Builder
	for line := range strings.SplitSeq(answer, "\n") {
		if line = strings.TrimRight(line, " \t\r"); line != "" {
			line = answerIndent + line
		}
		out.WriteString(line + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// play plays a script. It returns the script with the answers that there were, and those that
// differ.
func (p *player) play(script string) (played string, differences []difference) {
	p.t.Helper()
	var out strings.Builder
	for _, b := range blocks(script) {
		if b.line > 0 {
			answer, err := p.step(b.step)
			if err != nil {
				p.t.Fatalf("line %d: %s: %v", b.line, b.step, err)
			}
			got := indented(p.clean(answer))
			if got != b.answer {
				differences = append(differences, difference{b.line, b.step, got, b.answer})
			}
			out.WriteString(stepPrefix + b.step + "\n" + got)
		}
		out.WriteString(b.prose)
	}
	return out.String(), differences
}
