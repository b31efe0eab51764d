package memo

import "unsafe"

// transient returns bytes as a string without a copy. It is valid as long as the bytes are not
// changed: what keeps it clones it. Nothing here compares or hashes a string later than the call
// that it was given to.
func transient(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
