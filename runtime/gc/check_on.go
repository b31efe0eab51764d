//go:build check

package gc

// checked: each phase of each cycle ends with a walk over all that is needed.
const checked = true
