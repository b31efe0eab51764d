// Package lsptest tests a language through the protocol, as an editor would meet it: a server in
// the test's process, a client beside it, and sessions written down as text.
//
// # Archives
//
// [Play] plays txtar archives, each a test of its own. The sections of an archive are the files of
// a directory, which is the session's only folder. A section whose name begins with "@" is a text
// for the steps instead. A mark «name» in a section is taken out of the text; it names the place
// where it stood. The comment before the first section is prose and steps:
//
//	A use leads to its declaration.
//
//	> definition @use
//	    a.conf:1:1-5  «port» = 80
//	> hover a.conf `po|rt`
//	    a.conf:1:1-5  «port» = 80
//	    a number
//
// A line that begins with "> " is a step. Lines under it that are indented by four spaces are the
// answer that is expected; with the flag -update they are written anew. All other lines are for
// readers.
//
// # Places
//
// A step names a place as a mark (@use), as FILE:LINE:COL, or as a file and a piece of its text
// with a | in it, in backquotes. A range is two marks (@from..@to), two places in a file
// (FILE:3:1..3:9), or a file and a text with «…» around a part of it. A text must stand once
// in the file. Lines and columns count from 1, columns in bytes, in steps and answers. Answers
// name files from the folder on.
//
// # Steps
//
// What changes something has no answer:
//
//	open FILE [@SECTION]          as an editor does, with the section's text or that on the disk
//	change FILE @SECTION          gives an open document another text
//	edit FILE `OLD` `NEW`         types: OLD must stand once in the text
//	save FILE, close FILE
//	write FILE @SECTION, rm FILE  changes the disk and reports that
//	settings SECTION JSON         changes the settings of the user
//	apply                         makes the changes that the last answer proposed
//	notify METHOD JSON
//
// Questions:
//
//	definition PLACE, declaration, typeDefinition, implementation, references, highlight
//	hover PLACE, signature PLACE [asked], selection PLACE, linked PLACE, prepareRename PLACE
//	completion PLACE [MAX]        at most MAX items
//	completion PLACE resolve LABEL, completion PLACE accept LABEL
//	rename PLACE NAME
//	codeaction RANGE|PLACE [KIND]
//	codeaction RANGE|PLACE apply TITLE [KIND]
//	format FILE, formatrange RANGE, formatontype PLACE CHARACTER
//	folding FILE, links FILE, lenses FILE, hints FILE, symbols FILE
//	tokens FILE, tokensdelta FILE (since the last), tokensrange RANGE
//	find QUERY                    symbols of the workspace
//	calls in|out PLACE, types super|sub PLACE
//	diagnostics [FILE]            once nothing changes by itself
//	renamefile OLD NEW            what the server wants changed when a file is renamed
//	text FILE                     what the editor shows
//	await METHOD [WORD]           what the server says of its own accord, from the last one on
//	execute COMMAND [JSON]...     a command
//	request METHOD [JSON]         anything
//
// A word with spaces stands in backquotes. In JSON, which may hold anything and goes to the end of
// the line, file(NAME) is the URI of a file and a bare @mark a position. "nothing" is the answer
// null, "none" an empty list, and "refused: …" an error of the server.
package lsptest
