//go:build !check

package runtime_test

const checked = false
