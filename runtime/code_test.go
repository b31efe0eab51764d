package runtime_test

import (
	"context"
	"embed"
	"fmt"
	"log"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

//go:embed code_test.go
var sources embed.FS

// titles runs again in a program that was built from other code.
var titles = runtime.NewQuery("titles", runtime.Code(sources), func(t *runtime.Task, path string) (string, error) {
	text, err := texts.Get(t, path)
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.ToUpper(first), err
})

// A version that is not raised by hand.
func ExampleCode() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	err = eng.Commit(ctx, func(w *runtime.Writer) error { return texts.Put(w, "a", []byte("a title\nand text")) })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(titles.Ask(ctx, eng, "a"))
	first, again := runtime.Code(sources), runtime.Code(sources)
	fmt.Println(first == again, first > 0)
	// Output:
	// A TITLE <nil>
	// true true
}
