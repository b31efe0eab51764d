package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
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

// total adds up the words of all texts in a directory. It runs again when a text comes or goes, or
// when the counts of one differ.
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

func ExamplePartition_Watch() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	load := runtime.NewPartition[int]("load")
	stop, err := load.Watch(eng, runtime.Glob("hosts/**"),
		func(_ string, old, new *int) bool { return new != nil && *new > 90 && (old == nil || *old <= 90) },
		func(t *runtime.Task, c runtime.Changes) error {
			for _, ch := range c.List {
				n, err := load.Get(t, ch.Key)
				if err != nil {
					return err
				}
				fmt.Println(ch.Key, "is busy:", n)
			}
			return nil
		})
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range []int{50, 95} {
		if err := eng.Commit(ctx, func(w *runtime.Writer) error { return load.Put(w, "hosts/a/1", n) }); err != nil {
			log.Fatal(err)
		}
	}
	if err := eng.Close(ctx); err != nil { // runs what is queued
		log.Fatal(err)
	}
	stop()
	// Output:
	// hosts/a/1 is busy: 95
}

// Very many tasks can wait this way: while it pends, a task is a few hundred bytes and no stack.
func ExampleEngine_GoRestartable() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	orders := runtime.NewPartition[string]("orders")
	r, err := eng.GoRestartable(ctx, lane.Default, func(t *runtime.Task) error {
		_, what, err := orders.Pend(t, runtime.Exact("paid/7"))
		if err != nil {
			return err // ErrPending, until it is there
		}
		fmt.Println("send", what)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := eng.Commit(ctx, func(w *runtime.Writer) error { return orders.Put(w, "paid/7", "a book") }); err != nil {
		log.Fatal(err)
	}
	<-r.Ended().Done()
	if err := errors.Join(r.Err(), eng.Close(ctx)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// send a book
}

func ExampleDeadline() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	answers := runtime.NewPartition[string]("answers")
	err = eng.Submit(ctx, lane.Default, func(t *runtime.Task) error {
		_, _, err := answers.Wait(t, runtime.All())
		return err
	}, runtime.Deadline(time.Now().Add(time.Millisecond)))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	if err := eng.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// true
}
