//go:build !race

package mmapcas

const raceEnabled = false
