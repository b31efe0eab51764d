// Package lsp compares language servers as an editor sees them: two processes, the same questions.
//
// # Terms
//
//   - A ground is the code that is open (package ground): small, std or large. Cases are named
//     GROUND-ROW.
//   - A kind is a request of the protocol as one row of a table (kinds.go): its method, how its
//     places are drawn, its parameters, and how its answer is checked. A kind is asked of files as
//     they lie on the disk, or right behind an edit of the file.
//   - A script is what is asked of a ground: files to open, places, names, edits. It is drawn from
//     the source with go/parser, by seed, before any server is started. All servers get the same.
//   - A round asks all questions of one kind of one server; servers take turns by rounds.
//
// # Cases
//
//	cold        the server's process starts with no store and no cache. A file is opened, and its
//	            outline, a hover and a definition are asked for at once: seconds from the start of the
//	            process to each answer; to everything being checked and indexed; processor time and
//	            peak memory until then; and bytes of store for each byte of source
//	analysis    the process starts with nothing, and files are opened, each with a mistake that an
//	            analyzer finds: until the first is told, and until all are, with what else is found
//	            in their packages. Analyzers of staticcheck are off; processor time and peak memory
//	staticcheck the same with all analyzers of staticcheck
//	warm        the process starts with what an earlier one has left: to the first outline and hover
//	outline ... each kind, p50 and the longest of a round
//	open-*      the same of a file that is opened just before, and closed behind it
//	edit-*      the same right behind an edit in the body of a function above
//	type-error  a type error is typed; until it is published
//	renamed     an exported function is renamed in one open file; until another one of another
//	            package, which uses it, is told
//	memory      what the process that took the edits holds after them
//	pull-error  type-error, asked for by the client (textDocument/diagnostic) as soon as it is typed
//
// Edits are unsaved texts. After each the client waits until its error has been shown, undoes it,
// and waits until the error is gone; so no question competes with what the edit before it caused,
// except where a server puts work off. That work falls on whatever comes then. Questions that no
// edit precedes are asked of a process of their own, once it has told that all is checked.
//
// # What is checked
//
// An outline must name all functions of the file, the asked one in its line. A hover must name what
// it is about. A definition must lead to a line with the name. References must have the place that
// was asked about among them, and so must highlights. A symbol must be found by its name, a
// completion at the end of a called name must offer it, help in its call must have its signature,
// and a rename must write the new name. Tokens, folding and hints must be there; implementations,
// actions and formatting may rightly be none. Behind an edit the places are those of the edited
// text, two lines further down, so that an answer about the text before it is wrong.
//
// Help is asked for where the name of a function ends, in what the syntax shows to be a call of
// one: a conversion has no signature, and behind the parenthesis the first operand may be what help
// is about.
//
// What a name stands for is not known when it is drawn, and there are some about which a server has
// nothing to tell (a function whose body is in assembly). A wrong answer, an error among them, is a
// line in the log and no figure. More than one of ten in a round fail the run; every one of the
// first answers, diagnostics and renamed functions must be right.
//
// "Everything" is complete when the server says so (the end of its first index, or of the
// diagnostics of its first load), and has then answered for one symbol and all references to an
// exported function.
//
// # Entrants
//
//	cytisus  cytisus serve, as built from this tree, with a store of its own
//	gopls    at the version in gopls.go, built by go install through the module proxy into the user's
//	         cache directory; GOPLSCACHE is a directory of its own. All settings are defaults, except
//	         that it has semantic tokens, that both have the same inlay hints, that it tells of the
//	         end of its first diagnostics where that is waited for, and announces pull diagnostics
//	         for pull-error.
//
// # Caveats
//
// Both servers of a ground run at the same time, and one may work in the background while the
// other is asked. Memory is the resident set of the server's process, mapped files included; the go
// command's processes are in the processor time only. Figures of memory and processor time exist on
// Linux only. The go command's caches are warm for both.
package lsp
