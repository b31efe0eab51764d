//go:build race

package main

// raceFactor is how much more memory a program may take under the race detector, which keeps
// notes of its own about each word: 5 to 10 times as much, its documentation says.
const raceFactor = 4

// agreeEditsLeast is fewer than without the race detector, with which it takes four times as long;
// make test runs both.
const agreeEditsLeast = 60

// raceFlags are for commands that run in the process of the tests, which may have more in memory
// than the default limit, with what the race detector has for all tests.
var raceFlags = []string{"--memory-limit", "16GiB"}
