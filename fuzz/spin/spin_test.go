package spin

import (
	"context"
	"flag"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// models lists each model with the macro sets under which it must hold, and those under which an
// error must be found.
var models = []struct {
	name   string
	holds  []string
	breaks []string
}{
	{
		"parker",
		[]string{"", "DEADLINE", "POSTERS=1", "POSTERS=1 DEADLINE"},
		[]string{"BLIND_SLEEP", "BLIND_WAKE", "OVERWRITE", "DEADLINE KEEP_TOKEN"},
	},
	{
		"occupancy",
		[]string{"", "PUSHERS=1 POPPERS=1", "PUSHERS=2 POPPERS=3"},
		[]string{"NO_RECHECK", "LOOK_FIRST", "SIGN_FIRST", "POPPERS=1 NO_RECHECK"},
	},
	{
		"overtake",
		[]string{"PLAIN", "", "POPPERS=2", "PLAIN POPPERS=2 ITEMS=2"},
		[]string{"PLAIN NO_FENCE", "PLAIN FENCE_FIRST", "DEAF", "LOOK_FIRST", "NO_LOOK", "NO_TAIL", "POPPERS=2 BLIND_HEAD", "FORGET", "NO_LOCK"},
	},
	{
		"collector",
		[]string{"", "CYCLES=2", "OLD", "OLD CYCLES=2", "OLD PAIR", "OLD PAIR CYCLES=2", "HELD", "HELD CYCLES=2"},
		[]string{
			"NO_SHADE", "NO_SNAPSHOTS", "NO_BLACK", "HELD TWO_STEPS", "OLD NO_SESSION", "OLD CYCLES=2 NO_LOOK", "OLD TURN_FIRST", "OLD NO_DRAIN",
			"OLD NO_QUEUE", "OLD NO_AGAIN", "OLD PUT_BLIND", "OLD BLIND_CONDEMN", "OLD NO_STALE",
		},
	},
	{
		"epoch",
		[]string{"PLAIN", ""},
		[]string{"PLAIN NO_FENCE", "PLAIN FENCE_FIRST", "PLAIN FLAG_FIRST", "STAMP_FIRST", "LOAD_FIRST", "ONE_EPOCH", "BLIND_ADVANCE", "LIST_FIRST", "LATE_CHAIN", "SKIP_SCAN"},
	},
}

var all = flag.Bool("all", false, "every variant and every mistake of each model, not only the first")

// searchMax ends a search that got out of hand. Each takes seconds.
const searchMax = 5 * time.Minute

func TestModels(t *testing.T) {
	spin, cc := tool(t, "spin"), tool(t, "cc")
	for _, m := range models {
		if !*all {
			m.holds, m.breaks = m.holds[:1], m.breaks[:1]
		}
		for _, macros := range m.holds {
			t.Run(name(m.name, macros), func(t *testing.T) {
				out, failed := search(t, spin, cc, m.name, macros)
				if failed {
					t.Fatalf("the protocol breaks:\n%s", out)
				}
				t.Log(states.FindString(out))
			})
		}
		for _, macros := range m.breaks {
			t.Run(name(m.name, macros), func(t *testing.T) {
				if out, failed := search(t, spin, cc, m.name, macros); !failed {
					t.Fatalf("the mistake is not found:\n%s", out)
				}
			})
		}
	}
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian: apt install spin gcc): the models are not searched", name)
	}
	return path
}

func name(model, macros string) string {
	return strings.TrimSuffix(model+" "+macros, " ")
}

var (
	states  = regexp.MustCompile(`\d+ states, stored`)
	errors  = regexp.MustCompile(`errors: (\d+)`)
	partial = regexp.MustCompile(`max search depth too small|Search not completed|out of memory`)
)

// search has spin translate a model, compiles the searching program and runs it. It reports whether
// an error was found.
func search(t *testing.T, spin, cc, model, macros string) (out string, failed bool) {
	t.Helper()
	pml, err := filepath.Abs(model + ".pml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"-a"}
	for m := range strings.FieldsSeq(macros) {
		args = append(args, "-D"+m)
	}
	run(t, dir, spin, append(args, pml)...)
	run(t, dir, cc, "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c")
	out = run(t, dir, filepath.Join(dir, "pan"), "-m100000")
	found := errors.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no result:\n%s", out)
	}
	if failed = found[1] != "0"; !failed && partial.MatchString(out) {
		t.Fatalf("the search is not exhaustive:\n%s", out)
	}
	return out, failed
}

func run(t *testing.T, dir, command string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), searchMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}
