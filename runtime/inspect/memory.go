package inspect

import (
	"context"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/internal/inside"
)

// Memory says who holds the memory of the process: the engine by query and by partition, the
// segments that are mapped, the tables beside them, Go's runtime, and the program. It goes through
// the keys and nodes in memory, and asks the system about each segment, so it takes milliseconds.
//
// The account is of the process. What other engines of it have, or the program itself, is part of
// "heap", and no part of that.
func Memory(e *runtime.Engine) (account.Account, error) {
	in := inside.Of(e)
	if err := in.Admit(context.Background(), "inspect.Memory"); err != nil {
		return account.Account{}, err
	}
	return in.Account(), nil
}
