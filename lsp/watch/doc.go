// Package watch tells which files below some directories have changed on the disk, for clients
// that do not tell themselves.
//
// A [Watcher] asks the system to be told (inotify, kqueue, ReadDirectoryChangesW, by way of
// fsnotify). Where the system refuses, since its watches are used up for one, it looks for itself,
// as often as takes a twentieth of a processor, twice a second at most.
//
// # Invariants
//
//   - W1: what changes after a tree was reported for the first time is reported. The watch of a
//     directory is set before its entries are listed, so a file that is made in between is listed,
//     or told of, or both.
//   - W2: what changed before may have been missed, so a tree's directory is itself reported once
//     its watches are set: its listener looks at all of it.
//   - W3: when the system has lost events, all trees are reported, and their watches set again.
//   - W4: a report comes once nothing has changed for [Options].Quiet, or after
//     [Options].Longest while things go on changing. It may name a file that is as it was: who
//     listens compares.
//   - W5: one goroutine owns all of it. It calls Changed, and no more once Close has returned.
//
// A directory that is not there is waited for: its nearest parent that exists is watched. That a
// directory above a tree gets another name is told only where its parent happens to be watched.
package watch
