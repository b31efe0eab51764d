package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// opened opens an engine in memory, for examples.
func opened(o runtime.Options) *runtime.Engine {
	eng, err := runtime.Open("", o)
	if err != nil {
		log.Fatal(err)
	}
	return eng
}

// orDie ends an example that goes wrong.
func orDie(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		log.Fatal(err)
	}
}

// A bulk commit takes little memory, however much it puts. What it has put is read in pages, which
// are good across commits.
func ExamplePartition_Bulk() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	defer eng.Close(ctx)
	squares := runtime.NewPartition[int]("squares")
	orDie(squares.Bulk(ctx, eng, func(w *runtime.BulkWriter[int]) error {
		for i := range 1000 { // in the order of keys
			if i == 501 {
				orDie(w.Delete(fmt.Sprintf("%04d", i)))
				continue
			}
			if err := w.Put(fmt.Sprintf("%04d", i), i*i); err != nil {
				return err
			}
		}
		return nil
	}))
	s := eng.Snapshot()
	defer s.Release()
	var next runtime.Cursor
	for range 2 {
		var page []runtime.Entry[int]
		var err error
		page, next, err = squares.Page(s, runtime.Range("0499", ""), next, 2)
		orDie(err)
		fmt.Println(page)
	}
	rest, err := squares.Count(s, runtime.Range("0499", ""))
	orDie(err)
	last, err := squares.Keys(s, runtime.All(), runtime.Backward(), runtime.Limit(1))
	orDie(err)
	fmt.Println(rest, last)
	// Output:
	// [{0499 249001} {0500 250000}]
	// [{0502 252004} {0503 253009}]
	// 500 [0999]
}

// What others wrote seldom changes: an answer that rests on it alone holds without a look. What is
// named by its content never does.
func ExampleDurability() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	defer eng.Close(ctx)
	texts := runtime.NewPartition[string]("texts", runtime.Workspace) // as without an option
	modules := runtime.NewPartition[string]("modules", runtime.Dependency)
	archives := runtime.NewPartition[string]("archives", runtime.Frozen)
	orDie(eng.Commit(ctx, func(w *runtime.Writer) error {
		return errors.Join(texts.Put(w, "a.txt", "draft"), modules.Put(w, "m@v1", "a module"), archives.Put(w, "5eb63b", "hello"))
	}))
	err := eng.Commit(ctx, func(w *runtime.Writer) error { return archives.Put(w, "5eb63b", "another text") })
	fmt.Println(errors.Is(err, runtime.ErrFrozen))
	// Output:
	// true
}

// Generations of the past are there as long as Options.History, or a snapshot, keeps them.
func ExampleEngine_SnapshotAt() {
	ctx := context.Background()
	eng := opened(runtime.Options{History: 8})
	defer eng.Close(ctx)
	titles := runtime.NewPartition[string]("titles")
	for _, title := range []string{"Gorse", "Broom"} {
		orDie(eng.Commit(ctx, func(w *runtime.Writer) error { return titles.Put(w, "1", title) }))
	}
	s, err := eng.SnapshotAt(eng.Stats().Generation - 1)
	orDie(err)
	defer s.Release()
	fmt.Println(titles.Get(s, "1"))
	// Output:
	// Gorse <nil>
}

// A watcher that looks for something in vain asks to be run again when it is there.
func ExampleTask_Again() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	uses := runtime.NewPartition[string]("uses")
	definitions := runtime.NewPartition[string]("definitions")
	told := make(chan string, 1)
	stop, err := eng.Watch(uses, runtime.All(), func(t *runtime.Task, c runtime.Changes) error {
		for _, ch := range c.List {
			name, err := uses.Load(t, ch.New)
			if err != nil {
				return err
			}
			where, err := definitions.Get(t, name)
			if errors.Is(err, runtime.ErrNotFound) {
				if err := t.Again(definitions, runtime.Exact(name)); err != nil {
					return err
				}
				continue
			}
			told <- fmt.Sprintln(ch.Key, "uses", name, "of", where)
		}
		return nil
	})
	orDie(err)
	orDie(eng.Commit(ctx, func(w *runtime.Writer) error { return uses.Put(w, "b.go:7", "Open") }))
	orDie(eng.Commit(ctx, func(w *runtime.Writer) error { return definitions.Put(w, "Open", "a.go") }))
	fmt.Print(<-told)
	stop()
	orDie(eng.Close(ctx))
	// Output:
	// b.go:7 uses Open of a.go
}

// A long text that many pass on and few read is a blob; a value names it.
func ExampleWriter_PutBlob() {
	type article struct {
		Title string
		Text  runtime.Blob
	}
	ctx := context.Background()
	eng := opened(runtime.Options{})
	defer eng.Close(ctx)
	articles := runtime.NewPartition[article]("articles")
	orDie(eng.Commit(ctx, func(w *runtime.Writer) error {
		text, err := w.PutBlob([]byte(strings.Repeat("laburnum ", 1000)))
		if err != nil {
			return err
		}
		return articles.Put(w, "1", article{"Trees", text})
	}))
	s := eng.Snapshot()
	defer s.Release()
	list, there, err := articles.GetBatch(s, []string{"1", "2"})
	orDie(err)
	fmt.Println(list[0].Title, there)
	orDie(runtime.ViewBlob(s, list[0].Text, func(text []byte) error { // in place
		fmt.Println(len(text))
		return nil
	}))
	// Output:
	// Trees [true false]
	// 9000
}

// A task knows for whom it works; a watcher works for the one who has committed, on its lane unless
// it was put On another. What a client had going ends when it goes away.
func ExampleEngine_CancelClient() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	notes := runtime.NewPartition[string]("notes")
	told := make(chan bool)
	stop, err := eng.Watch(notes, runtime.All(), func(t *runtime.Task, c runtime.Changes) error {
		defer close(told)
		fmt.Println(c.List[0].Key, "for client", t.Client(), "on lane", t.Lane(), "after a task:", t.Parent() != 0)
		return nil
	}, runtime.On(lane.Idle))
	orDie(err)
	write := func(t *runtime.Task) error {
		return t.Commit(func(w *runtime.Writer) error { return notes.Put(w, "first", "…") })
	}
	orDie(eng.Submit(ctx, lane.RPC2, write, runtime.Client(7)))
	<-told
	h, err := eng.Go(ctx, lane.RPC2, func(t *runtime.Task) error {
		for t.Context().Err() == nil {
			t.Yield() // a long computation
		}
		return context.Cause(t.Context())
	}, runtime.Client(7))
	orDie(err)
	eng.CancelClient(7, errors.New("the editor went away"))
	fmt.Println(h.Wait(ctx))
	orDie(eng.Close(ctx))
	stop()
	// Output:
	// first for client 7 on lane idle after a task: true
	// the editor went away
}

func ExamplePartition_WaitUntil() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	defer eng.Close(ctx)
	replies := runtime.NewPartition[string]("replies")
	_, err := runtime.Evaluate(ctx, eng, lane.Default, func(t *runtime.Task) (string, error) {
		_, text, err := replies.WaitUntil(t, runtime.Prefix("ada/"), time.Now().Add(time.Millisecond))
		return text, err
	})
	fmt.Println(errors.Is(err, runtime.ErrTimeout))
	// Output:
	// true
}

// The whole of a table is a query; its names can be read without the values.
func ExampleTable_Whole() {
	ctx := context.Background()
	eng := opened(runtime.Options{})
	defer eng.Close(ctx)
	menu := runtime.NewTable("menu", 1, func(_ *runtime.Task, day string) (map[string]int, error) {
		return map[string]int{"soup": 4, "stew": len(day)}, nil
	})
	fmt.Println(menu.Ask(ctx, eng, "friday", "stew"))
	all, err := menu.Whole().Ask(ctx, eng, "friday")
	fmt.Println(all, err)
	_, err = runtime.Evaluate(ctx, eng, lane.Default, func(t *runtime.Task) (int, error) {
		names, err := menu.Names(t, "friday")
		fmt.Println(names, err)
		prices, there, err := menu.GetBatch(t, "friday", []string{"soup", "cake"})
		fmt.Println(prices, there, err)
		return 0, err
	})
	orDie(err)
	// Output:
	// 6 true <nil>
	// map[soup:4 stew:6] <nil>
	// [soup stew] <nil>
	// [4 0] [true false] <nil>
}
