//go:build !check

package gc

const checked = false
