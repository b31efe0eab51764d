package inspect

import (
	"context"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/internal/inside"
)

// AnswersOf describes the answers of a query: keys with what their runs read, and results.
type AnswersOf struct {
	Query    string `json:"query"`
	InMemory int64  `json:"inMemory"` // keys
	Heap     int64  `json:"heap"`     // bytes of these, and of decoded results
	InStore  int64  `json:"inStore"`  // keys
	Stored   int64  `json:"stored"`   // bytes of their records, without padding, each counted once
}

// Answers says what the answers of each query take, by name. What is not stored yet it has written
// first, and it reads all that is.
func Answers(e *runtime.Engine) ([]AnswersOf, error) {
	in := inside.Of(e)
	if err := in.Admit(context.Background(), "inspect.Answers"); err != nil {
		return nil, err
	}
	in.Flush(context.Background())
	all, err := in.Answers()
	if err != nil {
		return nil, inside.Public(err)
	}
	out := make([]AnswersOf, len(all))
	for i, a := range all {
		out[i] = AnswersOf(a)
	}
	return out, nil
}
