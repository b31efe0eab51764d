// Package golang is the Go front end: it answers questions about Go source, and diagnoses it, with
// queries of package runtime.
//
// # Rooms
//
// What can be said without the engine is said in rooms of their own, which import upwards only:
//
//	syntax    one text: tree, outline, header, face text
//	flow      one text: where keywords lead, what belongs together
//	index     bytes: what names what, which symbols there are
//	metadata  packages, their files, and what their imports mean
//	check     types: faces, checks, views; with the rooms that ask it, it alone imports go/types
//	relations from types: what has which methods, which calls may mean which functions
//	refactor  changes of code, from the types of one package
//	lint      from types: what compiles and is most likely wrong
//	describe  from types: what a reader is told
//	gofmt     one text: its layout
//	links     one text: what leads out of it
//	gomod     one go.mod or go.work file: what it says, and edits of it
//	tokens    what the names of a file are, for editors that colour them
//	hints     what a file leaves out
//	lenses    one text: what can be run of it
//	complete  what could stand at a place, from the types of check
//	disk      files, the environment, the go command
//	load      which packages there are, from files alone
//
// This package is what is left: the inputs, the queries, which call the rooms, and the workspace,
// which brings inputs in and answers. The files of the answers (answer.go and those it uses) know
// neither tasks nor disks: they ask a source. The query of the metadata (listing.go) is the only
// one that runs a command.
//
// # Data flow
//
// Inputs are records: the text of every file, unsaved texts, which files a build has, the build
// environment. prepare and changeDisk compare them with the disk, by stat, and commit what differs.
// Everything else is computed by queries:
//
//	content   of a file: which bytes are its text
//	header    of a file: what the go command looks at
//	files     of a build: its own and those nearby
//	headers   of a build: those of all files, gathered
//	layout    of a build: its files and headers, and which are unsaved
//	metadata  of a build: its packages and all they import, asked of go list
//	packages  of a build: the packages of the metadata, a table that is read by ID
//	shape     of a file, from one parse: outline, symbols, syntax errors, face text
//	surface   of a package: what a check of its declarations gives: face, and, if it is not of the
//	          workspace, table of methods
//	face      of a package: its export data, checked from the face texts of its files and the faces of its imports
//	methods   of a package: its table of methods, from its check or its surface
//	method-tables  of a build: the tables of methods of all packages, gathered
//	names     of a package: what importers can see of it, a table of digests that is read by name
//	check     of a package: diagnostics, index and table of methods, from its files and the faces of
//	          its imports; of these it depends on the names that it looked at
//	findings  of a package: the diagnostics of its check; while it is edited, of the bodies that an
//	          edit touched
//	stray-findings  of a file that the build leaves out: what a check finds in it that looks at its
//	          bodies, and at what the other files of its package declare
//	problems  of a package: what its check found, and what the go command has against it
//	wrong     of a build: which files have problems, gathered, with digests
//	report    of a file: everything wrong with it, as it is shown
//	doubts    of a package: what syntax errors leave open about its declarations; a check with
//	          errors reads those of what it imports, and drops the errors that follow
//
// What is gathered (gathering.go) is put together by a tree of queries over groups of files or
// packages, so that an edit asks its own group and the way to the top, in a workspace of any size.
//
// A face text is what other packages can see the effect of. An edit in a body or a comment leaves
// it as it is, so that it ends at the package's own check; an edit of a declaration makes a new
// face, and if the export data comes out the same it ends there. Export data is position-free (it
// is written over an empty file set) and deep (it describes all that it mentions), so a check reads
// the faces of its direct imports and nothing else: a change two imports away is looked at only if
// it shows through. It reads them unrecorded (runtime.Task.Unrecorded). What it records is the
// names that it looked at (checks.go, check K8), in the tables of names of packages of the
// workspace; on others, which do not change, it depends as a whole. So a declaration that is added
// checks nobody else, unless it was looked for.
//
// An index (package index) is the answer to "what is this name" for every identifier of a package.
// Things declared in the package are known by their place, things of other packages by path and
// object path (package check). A definition is two look-ups; references are a binary search in
// every index whose package can reach the thing, and a scan of those that name it.
//
// # While a package is edited
//
// Package check keeps a session of a package that an editor has a file of. With one, the
// diagnostics are known when the bodies that an edit touched are checked, and what stands in one
// file (file-index) is put together of the parts of that file: neither waits for the index of the
// package. That follows on the lowest lane, and finds nothing left to check. Without a session the
// check gives all of it at once. Which way is taken depends on what is there, the answers do not
// (edited.go).
//
// What a session holds is not looked at again either: the tree of a file whose text is the same, by
// its name in the store, is that which the session or a view has (treeMemory).
//
// The session is made ahead of the first edit: when a file is opened, and after each check of a
// whole package, a task beside indexing has the package checked if it must be, and its faces. It
// leaves out what was closed meanwhile, and packages for which there is no room without forgetting
// others (ahead.go).
//
//   - P0: one task at a time checks a package that is edited; the others wait without a worker. The
//     index is made when the session has been given back, so that no edit waits for that of
//     another.
//
// # How diagnostics are published
//
// A change of inputs is followed by a refresh (publish.go), in the newest generation; a newer one
// takes over. It asks for the reports of the open files that changed, then for those of the other
// open files, and has each published as soon as it is known. Then come files that changed and are
// not open. Only then it looks at all others: it compares which files have problems with the
// saying, the state that all published diagnostics followed from before, and asks about those that
// differ. Without a saying, as after the start, and when the builds are others, it asks about all
// that have problems or were published with some.
//
//   - P1: when a saying is set, the published diagnostics of each file follow from it. So what
//     differs from it is all there is to publish, beside what waves have published since. A file
//     that a wave may have published stays touched, or is open, until a saying is set after it.
//   - P2: a publication that began from one saying is made while that is still the newest, or
//     begins again from the newer one.
//   - P3: nothing is published over a newer saying.
//   - P4: what is open goes first. Its lanes are above that of indexing and below those of requests
//     that somebody waits for, but for the file being typed in; all others' are below indexing. An
//     index asks about open files before it checks a package.
//   - P5: what is published of an open file is about the text that it has at that moment. If a task
//     knows an older one, the refresh that follows the newer one publishes.
//   - P6: what the own package of an edited file finds is published before the variant with tests
//     is checked, unless that had something else to say of the file the last time.
//
// # What is no error
//
// If that is asked for, analyzers look at the packages of open files (linting.go, package lint)
// when all else has been published, and what they find is published then. Behind an edit, what they
// said before stands until they have looked again, but for the lines that the edit changed. Nobody
// waits for them but who asks about a file for the first time. They have views of their own, and
// end when an edit comes. More urgent work goes before each analyzer, and beside one that runs: it
// is a piece (runtime.Task.Piece), as the check of a package is and the making of a face. What
// they note about one package for those that import it is an answer like any other (golang/notes):
// it names the facts about all that the package is made of, so it reads its direct imports' only,
// and an edit that changes no fact ends there. One that fails is named in the log, once.
//
// # First answers
//
// While a workspace is indexed that no store knows, a question about what stands at a place of one
// file waits for no input (firstanswers.go, F1 to F4): package load finds the packages that the
// file's package imports, check.Sources checks them from their texts, and the answer is made as
// from the queries. It takes some hundred milliseconds where the inputs of a large module take
// seconds.
//
// # Builds
//
// A folder that an editor opens need not be a module. What one question to the go command is about
// is a build (build.go): one module, all modules that a go.work file uses, or the files outside of
// modules. A workspace consists of
//
//   - the build around its folder: of the go.work file or the module that the folder lies in, the
//     whole of it;
//   - those of modules below a folder that lies in none;
//   - those of folders and open files that belong to a module of their own, such as one nested in
//     the folder's.
//
// A file outside of the folder goes to a build that reads it, such as one whose go.mod replaces a
// module by its directory, or else to a build of its own module. One in no module has a build of
// its directory, without those below it: they may be all of a home. Every build is a root in the
// engine, so that two of them may know one package in two versions. When a file changes that
// decides which builds there are, they are defined anew and those concerned are prepared again
// (follow.go).
//
// Files nearby are those of directories that a build's packages come from and that are not its own,
// but may change: replaced modules. Their headers are part of the layout, and clients are asked to
// report them.
//
// The go command reads the disk as it is, the inputs are what events told of it. Where its answer
// shows another state (a file that no event has told of, another header, another go.mod), the
// answer is not kept and these files are looked at: metadata never outlives what it was computed
// from.
//
// # Terms
//
// A package is known by its ID, as go list prints it; several IDs can share a path, since a package
// with its tests is compiled apart. A package belongs to the workspace if it lies in a module of
// one of its builds; others are read as far as those need it. The owners of a file are the packages
// that it is compiled in.
//
// # Invariants
//
//   - G1: the import graph of metadata is acyclic; edges of a cycle are cut and say so. A check
//     reads the faces behind cut edges, too: no face reads a check. What those faces lack is
//     unknown to it, and errors that follow from that are dropped (package check).
//   - G2: no syntax tree and no type crosses the boundary of a query, and no position enters a
//     face.
//   - G3: equal face texts, imported faces, language version and architecture give equal export
//     data, byte for byte.
//   - G4: an index is written in one order only: equal contents give equal bytes.
//   - G5: a types.Package that is checked has one user at a time; what it imports may have many
//     (package check, K1).
//   - G6: a stat record is committed together with the text that was read under it, and is
//     distrusted while the file is young.
//   - G7: a panic in go/types costs the package that it happened in, and is a diagnostic there.
//   - G8: a question commits nothing. What it lacks the workspace brings in, in the background and
//     once for all who ask (chores.go); the question waits, and asks in the state that follows. So
//     one that is given up leaves nothing half done.
//   - G9: not known yet is not wrong. Where the metadata names files that have not been brought in,
//     as those of a package that an edit imports, a question that takes types has them brought in
//     first (asking.go), and so does a refresh before it publishes (follow.go).
//
// # Files of the module cache and of the Go tree
//
// Most files of a build are of others: of versions of modules, in the module cache, and of the Go
// tree of a release. The go command takes them for what they were, and so does an index, at first.
// It has questions answered as soon as all else is compared with the disk, and looks at these files
// behind that, one by one and on its own lane (settled.go, S1 to S3). A file that has been changed
// there all the same, with the cache writable or not, the index finds and diagnoses before it ends.
//
// So nothing but time is won by it, and no stamp of a directory has to be believed: a file written
// in place leaves that of its directory as it was. Looked at first is what may change by right:
// directories that a go.mod file replaces modules by, vendor directories, modules of a workspace,
// a Go tree under development, and all files where the build needs others than it did, or where
// their texts may have been dropped. Without an index, as when the shell asks one question, all
// files are looked at first.
//
// # The go command
//
// Package disk runs it, within bounds. When it gives no answer the workspace is read without it,
// and its go.mod carries a diagnostic with the cause. It is asked again by the next Index; until
// then by nothing, so that a go command that hangs is not waited for with every edit.
//
// # What cannot be read
//
// A file or directory that the system does not let be read is left out, carries a diagnostic, and
// is named in lsp.Summary.Missing, as is a go command that gave no answer. What is left out by a
// rule (too large, no UTF-8 in its name, no regular file) has a diagnostic alone. To run out of
// descriptors or memory is an error of the whole index: it is no property of the file at hand.
//
// # Files
//
// Each rests on those before it, but for a few names (fuzz/layout counts them):
//
//	words       settings.go language.go activity.go chores.go
//	inputs      blobs.go inputs.go
//	queries     shapes.go gathering.go buildfiles.go listing.go strayid.go packages.go stray.go doubts.go
//	            knowntrees.go checks.go edited.go embed.go modulediagnostics.go diagnose.go
//	answers     answer.go search.go source.go view.go importable.go lint.go link.go modulefile.go
//	            assemblyuses.go assembly.go jump.go hover.go
//	workspace   caches.go workspace.go build.go firstanswers.go
//	disk        look.go watch.go settled.go prepare.go askagain.go adopt.go follow.go
//	publishing  linting.go ahead.go publish.go mend.go
//	edits       texts.go
//	questions   asking.go questions.go highlight.go typedefinition.go explain.go
//	texts       lintall.go configure.go format.go outlook.go tokenized.go hinted.go lensed.go
//	relations   methodtables.go implementation.go declaration.go references.go typehierarchy.go
//	            callhierarchy.go
//	completing  viewdraft.go modulecompletion.go completion.go signature.go
//	names       renaming.go renamecoupled.go renameedits.go renamecheck.go renamepackage.go
//	            renameharmless.go rename.go resign.go renameasked.go
//	changes     moduleactions.go fixall.go inlinecall.go actions.go
//	opening     indexing.go open.go
//
// # What the empty answer means
//
// A query about a file or package that is not there gives the zero value, not an error: it may have
// gone since the question was thought of. Questions of users get lsp.ErrUnknownFile and
// lsp.ErrNoSymbol.
//
// # Limits
//
// Of the errors of a package 500 are told, of the syntax errors of a file 100; a diagnostic with
// the last of them says that there are more. A //go:build line that cannot be read is a syntax
// error, and else as if it were not there: go list, which gives up the file or its package for one,
// is shown the file without it.
//
// A file with more than 4 MiB of code, not counting comments, is not type-checked: it carries a
// diagnostic, has an outline and no index, and no error elsewhere follows from what it declares. Of
// a package 32 MiB of text are parsed (checks.go). A check cannot be cancelled, so its cost is
// bounded before it begins.
//
// Package C is opaque: what cgo names refer to is not known, and errors that follow from that are
// dropped. A file that the build leaves out is answered about (stray.go), and diagnosed while it is
// asked about if it is for another platform or a program by itself, but a search that starts
// elsewhere does not look into it. Of the modules below a folder that lies in none, 64 are read
// before a file of theirs is opened. Of the folder itself those levels of directories are read that
// have, together, no more than 50,000 directories and 10,000 Go files, and 32 levels at most
// (package disk). Where that is not the whole, the folder carries a diagnostic and is named in
// lsp.Summary.Missing, and a file that lies deeper is read with its directory when it is opened.
package golang
