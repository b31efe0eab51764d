//go:build !race

package main

const raceFactor = 1

const agreeEditsLeast = 300

var raceFlags []string
