package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/runtime"
)

// Inputs: texts by path.
var texts = runtime.NewPartition[[]byte]("texts")

// words counts the words of one text. It runs again only when that text's bytes change.
var words = runtime.NewQuery("words", 1, func(t *runtime.Task, path string) (map[string]int, error) {
	text, err := texts.Get(t, path)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for w := range bytes.FieldsSeq(text) {
		counts[string(w)]++
	}
	return counts, nil
})

// total adds up the words of all texts in a directory. It runs again when a text comes or goes, or when the counts of one differ.
var total = runtime.NewQuery("total", 1, func(t *runtime.Task, dir string) (map[string]int, error) {
	paths, err := texts.Keys(t, runtime.Prefix(dir))
	if err != nil {
		return nil, err
	}
	parts, err := words.All(t, paths) // in parallel
	sum := map[string]int{}
	for _, part := range parts {
		for w, n := range part {
			sum[w] += n
		}
	}
	return sum, err
})

func Example() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{}) // a directory's name instead of "" keeps everything across restarts
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)

	write := func(path, text string) {
		err := eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, path, []byte(text)) })
		if err != nil {
			log.Fatal(err)
		}
	}
	show := func() {
		sum, err := total.Ask(ctx, eng, "docs/")
		if err != nil {
			log.Fatal(err)
		}
		for _, w := range slices.Sorted(maps.Keys(sum)) {
			fmt.Print(w, " ", sum[w], "; ")
		}
		fmt.Println("runs of words so far:", eng.Stats().Queries["words"].Ran)
	}

	write("docs/a.txt", "broom gorse")
	write("docs/b.txt", "gorse")
	show()
	write("docs/b.txt", "gorse laburnum") // one text changed: one count runs
	show()
	write("docs/b.txt", "gorse") // undone: nothing runs
	show()
	// Output:
	// broom 1; gorse 2; runs of words so far: 2
	// broom 1; gorse 2; laburnum 1; runs of words so far: 3
	// broom 1; gorse 2; runs of words so far: 3
}
