//go:build check

package runtime_test

// checked: this build panics where its own invariants do not hold. What another program writes into
// the mapped end of an open segment looks like that.
const checked = true
