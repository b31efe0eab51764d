package runtime_test

import (
	"fmt"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// A forest of queries: texts of 20,000 files, and four levels of sums above them, ten to one.
var (
	forestFiles = runtime.NewPartition[string]("forest files")
	forestLeaf  = runtime.NewQuery("forest leaf", 1, func(t *runtime.Task, i int) (int, error) {
		text, err := forestFiles.Get(t, fmt.Sprintf("%06d", i))
		return len(text), err
	})
	forestSum *runtime.Query[[2]int, int]
)

func init() {
	forestSum = runtime.NewQuery("forest sum", 1, func(t *runtime.Task, k [2]int) (int, error) {
		level, i := k[0], k[1]
		fan := 10
		if level == 4 {
			fan = 20
		}
		sum := 0
		for j := range fan {
			var (
				n   int
				err error
			)
			if level == 1 {
				n, err = forestLeaf.Get(t, i*10+j)
			} else {
				n, err = forestSum.Get(t, [2]int{level - 1, i*10 + j})
			}
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
}

const forestLeaves = 20_000

func plant(b *testing.B, e *runtime.Engine) {
	b.Helper()
	err := e.Commit(b.Context(), func(w *runtime.Writer) error {
		for i := range forestLeaves {
			if err := forestFiles.Put(w, fmt.Sprintf("%06d", i), "text"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if n := ask(b, e, forestSum, [2]int{4, 0}); n != 4*forestLeaves {
		b.Fatal(n)
	}
}

func BenchmarkForest(b *testing.B) {
	e := open(b, "", runtime.Options{Workers: 1})
	plant(b, e)
	root := [2]int{4, 0}
	for _, bench := range []struct {
		name string
		edit func(i int) (key, text string)
	}{
		{"unread", func(i int) (string, string) { return "unread", fmt.Sprint(i) }},
		{"equal", func(i int) (string, string) {
			return "000777", []string{"text", "TEXT", "tExT", "Text", "texT", "teXt"}[i%6]
		}},
		{"other", func(i int) (string, string) { return "000777", fmt.Sprintf("%*d", 1+i%1000, i) }},
		{"undo", func(i int) (string, string) { return "000777", []string{"text", "a text"}[i%2] }},
	} {
		b.Run(bench.name+"/commit", func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				key, text := bench.edit(i)
				put(b, e, forestFiles, key, text)
			}
		})
		b.Run(bench.name+"/ask", func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				key, text := bench.edit(i)
				put(b, e, forestFiles, key, text)
				ask(b, e, forestSum, root)
			}
		})
	}
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			ask(b, e, forestSum, root)
		}
	})
}
