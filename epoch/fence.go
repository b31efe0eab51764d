package epoch

import "sync/atomic"

// remote says that participants may enter without a fence of their own, because whoever advances makes all threads of the
// process pass one. It turns from false to true at most once. See "Fences" in the package comment.
var remote atomic.Bool
