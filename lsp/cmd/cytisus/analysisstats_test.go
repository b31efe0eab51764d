package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Two processes index, the second one computes nothing, and the same seed asks the same questions.
// What is printed is a page, or the same as JSON; no store is left.
func TestAnalysisStats(t *testing.T) {
	dir := write(t, example)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	t.Setenv(commandEnv, "1")
	c := &cli{t: t}
	ask := func(args ...string) (string, string, int) {
		return c.run(append([]string{"analysis-stats"}, args...)...)
	}
	out, errs, code := ask("--json", "--questions", "5", "--seed", "3", dir)
	if code != exitOK {
		t.Fatalf("exit code %d, %s", code, errs)
	}
	r := decode[analysisReport](t, out)
	if r.Cold.Files == 0 || r.Cold.Computed == 0 || r.Warm.Computed != 0 || r.Warm.Files != r.Cold.Files || r.Cold.WallSeconds <= 0 || r.Cold.CPUSeconds <= 0 || r.Cold.StoredBytes == 0 {
		t.Errorf("cold %+v, warm %+v", r.Cold, r.Warm)
	}
	if r.Seed != 3 || len(r.Questions) != 6 {
		t.Fatalf("%+v", r.Questions)
	}
	for _, q := range r.Questions {
		if q.Count < 5 || q.HalfSeconds <= 0 || q.MostSeconds < q.HalfSeconds || q.MaxSeconds < q.MostSeconds || q.Unanswered > 0 && q.Kind != "implementation" {
			t.Errorf("%+v", q)
		}
	}
	out, errs, code = ask("--questions", "2", dir)
	if code != exitOK || !strings.Contains(out, "index, warm") || !strings.Contains(out, "references") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	if left, err := filepath.Glob(filepath.Join(temp, "cytisus-analysis-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, _, code := ask("--questions", "0", dir); code != exitUsage {
		t.Errorf("no questions: exit code %d", code)
	}
}
