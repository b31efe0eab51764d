package profile

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A request that takes too long leaves a trace that go tool trace knows, and a line that says
// where; one that does not leaves nothing. There is one file in a while, and a few in all.
func TestFlight(t *testing.T) {
	if _, err := takeFlight(); !errors.Is(err, ErrNoFlight) {
		t.Errorf("without a recorder: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "a[store", FlightDir) // a name that is no pattern
	var log bytes.Buffer
	f, err := StartFlight(dir, time.Second, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			f.Close()
		}
	}()
	if _, err := StartFlight(dir, time.Second, slog.Default()); err == nil {
		t.Error("a second recorder began")
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.now = func() time.Time { return now }
	files := func() (names []string) {
		f.writing.Wait()
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	f.Took("textDocument/hover", time.Second-1)
	if list := files(); len(list) != 0 {
		t.Errorf("a quick request left %v", list)
	}
	f.Took("textDocument/hover", time.Second)
	const first = "20260102-030405.000-textDocument-hover.trace"
	if list := files(); len(list) != 1 || list[0] != first {
		t.Fatalf("a slow request left %v", list)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, first): 0o600} {
		if st, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != want {
			t.Errorf("%s is for others: %v, %v", path, st, err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, first))
	if err != nil || !bytes.HasPrefix(raw, []byte("go 1.")) {
		t.Errorf("the file is no trace: %.20q, %v", raw, err)
	}
	if said := log.String(); !strings.Contains(said, "go tool trace "+filepath.Join(dir, first)) {
		t.Errorf("the log says %s", said)
	}
	now = now.Add(flightPause - 1)
	f.Took("textDocument/hover", time.Minute)
	if list := files(); len(list) != 1 {
		t.Errorf("soon after it, there are %v", list)
	}
	for i := range flightFiles + 2 {
		now = now.Add(flightPause)
		f.Took(fmt.Sprintf("../%d", i), time.Minute)
		files()
	}
	list := files()
	if len(list) != flightFiles || list[0] == first || !strings.HasSuffix(list[len(list)-1], fmt.Sprintf("----%d.trace", flightFiles+1)) {
		t.Errorf("after many, there are %v", list)
	}
	if raw, err := Take(t.Context(), nil, FlightKind, 0); err != nil || !bytes.HasPrefix(raw, []byte("go 1.")) {
		t.Errorf("on demand: %.20q, %v", raw, err)
	}
	f.Close()
	closed = true
	f.Took("late", time.Hour)
	if _, err := takeFlight(); !errors.Is(err, ErrNoFlight) {
		t.Errorf("afterwards: %v", err)
	}
	(*Flight)(nil).Took("nobody records", time.Hour)
	(*Flight)(nil).Close()
}
