package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The page of a host says what its editor has asked, and does not keep it from ending.
func TestLivePage(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	var errs lockedBuffer
	a := &app{err: &errs, http: "127.0.0.1:0", flags: flags{store: c.store, tests: true, workers: 1}}
	editor, end := serveHere(t, a, dir)
	if err := editor.call(t.Context(), "workspace/symbol", map[string]any{"query": "a"}, nil); err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`http://\S+/`).FindString(errs.String())
	for path, want := range map[string][]string{
		"":                           {"workspace/symbol", "golang/", "heap"},
		"metrics":                    {`cytisus_request_seconds_count{method="workspace/symbol"} 1`, "cytisus_store_records "},
		"debug/pprof/goroutine":      nil,
		"debug/pprof/cpu?seconds=.1": nil,
	} {
		answer, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || len(body) == 0 {
			t.Fatalf("%s: %s, %v, %s", path, answer.Status, err, body)
		}
		for _, w := range want {
			if !strings.Contains(string(body), w) {
				t.Errorf("%q lacks %q", path, w)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	end()
	if answer, err := http.Get(url); err == nil {
		answer.Body.Close()
		t.Error("the page is there when the process has ended")
	}
	for _, args := range [][]string{{"serve", "--http", "0.0.0.0:80"}, {"daemon", "--http", "nowhere", dir}} {
		if _, errs, code := c.run(args...); code != exitUsage || !strings.Contains(errs, "live:") {
			t.Errorf("%q: exit code %d, %s", args, code, errs)
		}
	}
}
