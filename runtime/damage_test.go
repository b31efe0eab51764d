package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// copyDir is what a process leaves that is killed.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "left")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// hurtText damages every stored copy of a text, and says how many there were.
func hurtText(t *testing.T, dir, text string) (n int) {
	t.Helper()
	segs, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range segs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte(text))
			if i < 0 {
				break
			}
			at += i + 1
			if _, err := f.WriteAt([]byte{b[at+20] ^ 1}, int64(at+20)); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestDamagedInputPutAgain: an input whose record is damaged is ErrDamaged until it is put again,
// and from then on it is there in every session to come, however this one ends, and also when it
// was damaged while the engine served it.
func TestDamagedInputPutAgain(t *testing.T) {
	in := runtime.NewPartition[string]("damage/in")
	text := "a text that is easily found in a segment " + strings.Repeat("x", 50)
	for _, live := range []bool{false, true} {
		for _, how := range []string{"close", "checkpoint, kill", "kill", "collect, close", "collect, kill", "close without index", "collect, close without index"} {
			t.Run(fmt.Sprintf("live=%v/%s", live, how), func(t *testing.T) {
				dir := t.TempDir()
				o := runtime.Options{CollectEvery: -1}
				e := open(t, dir, o)
				get := func(e *runtime.Engine) (string, error) {
					s := e.Snapshot()
					defer s.Release()
					return in.Get(s, "k")
				}
				put(t, e, in, "k", text)
				put(t, e, in, "other", "something else")
				for round := range 2 {
					if !live || round > 0 {
						if err := e.Close(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					if hurtText(t, dir, text) == 0 {
						t.Fatal("there is no copy to damage")
					}
					if !live || round > 0 {
						e = open(t, dir, o)
					}
					if _, err := get(e); !errors.Is(err, runtime.ErrDamaged) {
						t.Fatalf("round %d: damaged: %v", round, err)
					}
					put(t, e, in, "k", text)
					if v, err := get(e); err != nil || v != text {
						t.Fatalf("round %d: put again: %v", round, err)
					}
					if strings.HasPrefix(how, "collect") {
						if _, err := e.Collect(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					if strings.HasPrefix(how, "checkpoint") {
						if err := e.Checkpoint(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					next := dir
					if strings.HasSuffix(how, "kill") {
						next = copyDir(t, dir)
					}
					if err := e.Close(context.Background()); err != nil {
						t.Fatal(err)
					}
					if dir = next; strings.HasSuffix(how, "without index") {
						if err := os.Remove(filepath.Join(dir, "index")); err != nil && !errors.Is(err, os.ErrNotExist) {
							t.Fatal(err)
						}
					}
					e = open(t, dir, o)
					if v, err := get(e); err != nil || v != text {
						t.Fatalf("round %d: after the restart: %v", round, err)
					}
				}
			})
		}
	}
}
