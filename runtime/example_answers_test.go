package runtime_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"sync"

	"github.com/cytisus/cytisus/runtime"
)

// A window shows what is known of a text at once, and the rest when it was found out.
func ExampleQuery_Peek() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	err = eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "a", []byte("to be or not to be")) })
	if err != nil {
		log.Fatal(err)
	}
	show := func() {
		s := eng.Snapshot()
		defer s.Release()
		n, known, err := words.Peek(s, "a")
		fmt.Println(len(n), known, err)
	}
	show()
	if _, err := words.Ask(ctx, eng, "a"); err != nil {
		log.Fatal(err)
	}
	show()
	// Output:
	// 0 false <nil>
	// 4 true <nil>
}

// Visits by page. Update counts right however many count at once.
var visits = runtime.NewPartition[int]("visits")

func ExamplePartition_Update() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	visit := func(page string) error {
		return eng.Commit(ctx, func(w *runtime.Writer) error {
			return visits.Update(w, page, func(old *int) (*int, error) {
				n := 1
				if old != nil {
					n += *old
				}
				return &n, nil
			})
		})
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := visit("index"); err != nil {
				log.Print(err)
			}
		})
	}
	wg.Wait()
	s := eng.Snapshot()
	defer s.Release()
	n, err := visits.Get(s, "index")
	fmt.Println(n, err)
	// Output: 10 <nil>
}

// A window is told when the number of words differs, and not of every edit.
func ExampleQuery_Watch() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	write := func(text string) {
		err := eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "a", []byte(text)) })
		if err != nil {
			log.Fatal(err)
		}
	}
	write("to be or not to be")
	shown := make(chan struct{})
	stop, err := words.Watch(ctx, eng, "a", func(_ *runtime.Task, old, now *runtime.Answer[map[string]int]) error {
		if old == nil {
			fmt.Println("at first:", len(now.Value), "words")
		} else {
			fmt.Println("then:", len(now.Value)-len(old.Value), "more")
		}
		shown <- struct{}{}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	<-shown
	write("or to be not  to be") // the same words
	write("to be or not to be, that is the question")
	<-shown
	// Output:
	// at first: 4 words
	// then: 5 more
}

// functions are what a text of "name parameters" lines declares, by name.
var functions = runtime.NewTable("functions", 1, func(t *runtime.Task, path string) (map[string]string, error) {
	text, err := texts.Get(t, path)
	if err != nil {
		return nil, err
	}
	table := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
		table[name] = parameters
	}
	return table, nil
})

// usage says how a function is called. It runs again when that one is declared otherwise.
var usage = runtime.NewQuery("usage", 1, func(t *runtime.Task, name string) (string, error) {
	parameters, there, err := functions.Get(t, "lib", name)
	if err != nil || !there {
		return "there is no " + name, err
	}
	return name + "(" + parameters + ")", nil
})

func ExampleTable() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	for _, lib := range []string{"open path\nclose", "open path\nclose file", "open path mode\nclose file"} {
		err := eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "lib", []byte(lib)) })
		if err != nil {
			log.Fatal(err)
		}
		s, err := usage.Ask(ctx, eng, "open")
		fmt.Println(s, err, "runs of usage so far:", eng.Stats().Queries["usage"].Ran)
	}
	// Output:
	// open(path) <nil> runs of usage so far: 1
	// open(path) <nil> runs of usage so far: 1
	// open(path mode) <nil> runs of usage so far: 2
}
