// Package markers holds a language server against the expectations that gopls states about itself:
// its marker tests, archives of source in which comments mark places and say what is expected
// there.
//
// # Terms
//
//   - An archive is one file of the marker tests, in the txtar format: files of a workspace, golden
//     content, flags and settings. Archives are read out of the module cache; none is kept here.
//   - A marker is one call in a comment that begins with //@. Value markers name something; every
//     other one is a check, and its name is its kind.
//   - A verdict is what became of one check. It passes as gopls itself would have it pass. It
//     passes softly if what differs is a matter of taste, as the words of a message: each judge
//     says what that is for its kind.
//
// # How
//
// Each archive gets a directory of its own and a server process of its own. All its files are
// opened, the end of the first index is waited for, and then the checks are made one after the
// other. Servers of one worker share a store, so that what the archives import is checked once.
// Answers are compared as the documentation of the marker tests says; that is the doc comment of
// the package internal/test/marker in the module golang.org/x/tools/gopls.
//
// # What is not judged
//
// Archives whose flags ask for another version of Go, another system, or cgo where there is no C
// compiler, and those that gopls skips itself, are listed with the reason. Checks of the Model
// Context Protocol (mcptool), and actions that ask back in a way that is gopls' own (answers), are
// left out. A kind that the server does not announce counts as failed, with a count of its own.
//
// The kind extradiag stands for one check of an archive: no diagnostic may be left over that no
// marker expects, unless the archive's flags allow that.
package markers
