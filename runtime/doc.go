// Package runtime is an embeddable engine for incremental computation: inputs, memoised queries
// over them and watchers, kept up to date in parallel, on disk, across restarts.
//
// # In one breath
//
// A Partition is a named, ordered map from keys to values. A Commit changes any number of
// partitions at once and makes a new generation; a Snapshot reads one generation for as long as it
// is held. A Query is a named pure function: what it reads, through the Task it is given, is
// recorded, and it runs again only when one of these reads has changed. A watcher runs a task when
// keys change. Tasks run on a few workers, by priority (see package lane). They may wait without
// holding a thread, and those that wait in crowds without a stack either (Engine.GoRestartable);
// where one computes for long, another thread stands in for the one that it holds.
//
//	var files = runtime.NewPartition[[]byte]("files")
//
//	var lines = runtime.NewQuery("lines", 1, func(t *runtime.Task, path string) (int, error) {
//		text, err := files.Get(t, path)
//		return bytes.Count(text, []byte("\n")), err
//	})
//
//	eng, err := runtime.Open(dir, runtime.Options{})
//	err = eng.Commit(ctx, func(w *runtime.Writer) error { return files.Put(w, "a.txt", text) })
//	n, err := lines.Ask(ctx, eng, "a.txt")
//
// Partitions and queries are values, usually package variables; an engine learns of them at first
// use. Two of one name that differ in type or version are an error that names both places.
//
// # What values may be
//
// A value comes back from the store equal to what went in, or it is refused. This holds for what a
// partition holds, for the results of queries and for their keys.
//
// []byte and string are stored as they are. A type with UnmarshalBinary and AppendBinary or
// MarshalBinary is stored as these say, and answers for it. All else becomes deterministic CBOR:
// bools, integers, floats, strings, time.Time, big.Int, and slices, arrays, maps, structs and
// pointers of what may be a value; what an any may hold is listed below. A field with a form of its
// own needs MarshalBinary, or MarshalCBOR and UnmarshalCBOR. Tags (cbor, or json) name fields. A
// value says each name once, however many structs it holds, and is read by name: a field that was
// added since is zero, one that was removed is passed over. What has 512 bytes or more is
// compressed in a store on disk if that saves an eighth.
//
// Equal means reflect.DeepEqual, and more: strings that are no UTF-8, nil and empty slices and
// maps, -0 and the bits of a NaN are kept apart. There are these exceptions:
//   - A time.Time is an instant and a distance from UTC. It comes back in UTC or in a zone without
//     a name, without monotonic reading; a result is handed out so before it was stored, too.
//   - A big.Int is a number: a zero that was computed comes back as one that was not.
//   - Pointers to one place come back as pointers to equal places.
//   - Fields named _ are not stored.
//
// These types are refused when an engine first meets their partition or query, with an ErrBadValue
// that says where it was named and which part of the type it is:
//   - structs with unexported fields, unless they have a form of their own;
//   - half a form, such as MarshalBinary without UnmarshalBinary, and one that an embedded field
//     lends to a struct with other fields;
//   - interfaces other than any, funcs, channels, complex numbers, uintptr, unsafe.Pointer;
//   - fields that a tag leaves out, and two that are stored under one name, as may be with
//     embedding;
//   - embedded pointers to unexported structs, or to structs of which nothing is always stored;
//   - maps with keys that hold pointers, interfaces or times.
//
// These values are refused by Put, or fail their query, with an ErrBadValue that says which part of
// the value it is:
//   - one that is nested more than 10,000 levels deep, or holds itself;
//   - one of a type that holds itself and of more than 16,777,216 parts, which sharing soon makes;
//   - a pointer to a nil pointer, slice, map or interface, or to the zero time;
//   - in an any, all but nil, bool, int64, float64, string, []byte, []any and map[string]any;
//   - a time in a struct, slice or map outside of the years 0 to 9999, or in a zone with seconds;
//   - a NaN, or what a form of its own gives back as another key, as the key of a map;
//   - a url.URL that its text does not mean;
//   - what omitempty or omitzero leaves out though it is not zero, such as an empty slice.
//
// Keys of package keyed are bytes in the end: a nil []byte in one is an empty one.
//
// # Reading
//
// A partition is read by key (Get, Has, GetBatch), by Pattern (Keys, Scan, Count), forward or
// Backward, up to a Limit, or in pages with a Cursor; Wait waits for a key that matches. What a
// query reads is recorded as exactly as it was asked: the keys behind a Limit, those that a glob
// does not match, or the values where only the keys were asked for, may change without another run.
// Package keyed gives keys a type with an order and prefixes, and entries that are read without the
// values. A large Scan is shared among workers while that is measured to pay.
//
// # Tables
//
// A Table is a query that gives many values by name, such as the declarations of a package, to
// others that each need a few. What reads one name (Get, GetBatch) runs again when the value of
// this name differs, appears or goes. It does not when the table was computed again for another
// name's sake. The set of names (Names) and the whole (Whole) can be read as well, and each is a
// read of its own. Prefer a Table to a query for each name where the names are computed together,
// as by one parse, and to one large result where readers look at a small part of it.
//
// Where a query works on a whole table, or another large answer, and depends on a few names of it
// that it knows when it is done, as a compiler does that reads the declarations of an import, it
// reads the whole within Task.Unrecorded, and then the names.
//
// # Reading in a commit
//
// A Writer does not read: what a commit function has read elsewhere may have changed when the
// commit is applied. Partition.Update is for what depends on the value there. Its function is
// computed from the newest generation, outside of the commit turn; in the turn each key is compared
// with what the function saw, and if one differs, all are computed again. Equal means equal by
// hash, so a value that changed and changed back is as good as one that did not.
//
// # Durability
//
// A partition says with its Durability how long what it holds lasts. Queries that rest on
// Dependency and Frozen partitions alone are known to hold after any number of commits to others;
// Volatile ones are empty when the store is opened, and never in its log.
//
// # Watchers
//
// Watch runs a function as a task after commits that change what it watches, in batches and in the
// order of generations, on the lane and for the client of the commit. Partition.Watch adds a
// condition on the values before and after; Task.Again has a run repeated when something is there
// that it looked for in vain. Watchers that set each other off without end are stopped and named in
// the log.
//
// # How watchers are told
//
// The database numbers generations in the commit turn and tells their order before it answers a
// committer (observed). Each committer then hands its commit in (dispatch). What comes too early
// waits for those before it, and one committer at a time delivers what is next, also for the
// others.
//
//   - W1: commits are delivered whole, one after the other, in the order of generations.
//   - W2: all that a commit has for a watcher becomes pending at once, under the watcher's lock,
//     after every condition was asked; a run takes all that is pending, under the same lock. So a
//     run that is told of a generation is told of everything in it, and of everything before it
//     that was not told yet.
//   - W3: what is pending of one key is the value before the first commit and the one after the
//     last. If they are equal there is nothing to tell.
//   - W4: a watcher has one task at most. A delivery makes pending first and then looks whether
//     there is a task; a task that ends says so first and then looks whether something is pending.
//     So one of them sees the other, and nothing pending is left without a task.
//   - W5: what a run was told that was cancelled is pending again.
//   - W6: a change knows its way: the watchers, each set off by the one before, through which it
//     came from a commit from elsewhere, which has no way itself. What came on several ways counts
//     as the shortest, and so does a run with all that it is told, and what it commits. What is
//     pending is dropped when every way is 64 long. So nothing that rests on a commit from
//     elsewhere in the last 64 rounds is dropped, and watchers that set each other off come to an
//     end 64 rounds after the last such commit.
//
// A watcher is not told of the deletion of a key that damage has made unknown, and what is put
// there is told as new: what was there is not known (package runtime/db, D4).
//
// # How watched answers are told
//
// Query.Watch asks again when a commit may have changed the answer. One task looks at all watched
// answers after a commit, or after several; an answer that has to be found out gets a task of its
// own.
//
//   - A1: a commit becomes due after its generation can be seen. The task that looks takes that
//     back before it looks up the newest generation, and looks again when it has ended and a commit
//     is due.
//   - A2: a watch with a task is not looked at, it becomes due. Its task takes that back before it
//     takes its snapshot, and another begins when it has ended and the watch is due.
//   - A3: a watch without a task is passed over if its answer is known in the newest generation and
//     is the one that was told last. Else it becomes due and gets a task.
//   - A4: an answer counts as told when its function is called; if that run is cancelled it does
//     not, and the watch is due.
//
// So after the last commit either the answer told last is that of a generation that sees the
// commit, or a task begins that will see it. By W6 watches that set each other off come to an end:
// an answer that is due because of several commits came on the shortest of their ways.
//
// # Asking from outside
//
// Query.Ask takes no task where the answer is known to hold in the generation that it asks about:
// nothing that it rests on was marked since. Then it costs a few lookups on the calling goroutine
// and no memory, whatever the workers do. What has to be verified or computed is left to a task.
// Query.Peek is for what can be shown before that.
//
// # What must be pure
//
// A query function may read through its Task, compute, and wait for other queries. It must not
// commit, read clocks, files or globals that change, or keep what it was given to change it later:
// values are shared by all who ask. Where the outside world must be asked (a compiler, the file
// system), make its state an input: a record with a hash of what the answer depends on, read before
// asking.
//
// # Trust
//
// An engine looks whether queries are pure. Of the answers that are reused it has some computed
// again (Options.AuditShare), on the idle lane and within a share of the CPU (Options.AuditCPU),
// and compares. Such a run is no more than a call of the function: nothing of it is kept, and no
// question waits for it. What came out differently is told in the log and in Stats.Impure: the
// query, the key, the first read that differs, both results, and what is likely the cause. A
// function is called for an audit at any time, also long after its answer was given, so what it
// does besides computing an answer it does once more. In the tests of a program let AuditShare and
// AuditCPU be 1.
//
// Prove says which changes a run is due to, and has replayed it: with these undone the run before
// would have been reused, with all but one of them not.
//
// # Inside a query
//
// What a query needs it reads through the Task that it was given. Everything else that asks or
// changes an engine is refused there, with an error that matches ErrInQuery and names it: Ask, Go,
// Submit, Commit, Bulk, Watch, Snapshot and SnapshotAt, Explain, GraphAround, Checkpoint, Collect,
// Tidy, Close, and all of package inspect; reading through a Snapshot, or through a Task that
// another function was given; writing to a Writer; waiting for a key or for a task; Spawn, Again,
// Prove and Intact. Stats, which returns no error, are empty. The generation, lane, client and
// parent of the task may be asked for, but then the result is not kept.
//
// It is refused by whoever asks: on the query's goroutine and in Task.Blocking, with whatever
// context, and on every other goroutine by a context that came from the query's Task, also after
// the query has returned. What cannot be known is a goroutine that a query starts and gives another
// context or none, and what a query reads from a global. CancelClient, Profiling, Handle.Cancel and
// the end of a watch are not refused: they give a query nothing to know.
//
// # Inside a task
//
// A task that is not in a query may call the engine as others do. Submit, Ask and Handle.Wait wait
// as Join does, so that one worker is enough, and Go does not wait for room in a lane. Close would
// wait for the task itself: by a task, in Blocking, and with a task's context it is ErrInTask. What
// a task of a watcher commits by way of the engine counts as a round of that watcher, but is
// committed for no client.
//
// # Closing
//
// Close first refuses what is new (ErrClosed), then lets tasks come to their end, cancels those
// that its context leaves no time for, and then ends reading, too. From then on every read through
// a snapshot that is still held is ErrClosed. An error with which a task ends that was cancelled by
// this matches ErrClosed, whatever its function made of it. Release, Stats and the like go on
// working.
//
// # Errors
//
// An error from a query function, or a panic, which names the query and its key, goes to the tasks
// that ask at the time and is not kept. Nor is an answer that a query gives in spite of an error of
// a read, or of another query: it is computed again for each question of a task. ErrNotFound is no
// such error. A failure that is an answer ("this file does not parse") belongs in the value, or is
// of a type that KeepErrors names: then it is kept, and an equal one changes nothing above.
//
// # Policies
//
// What is true of a query wherever it is asked is said once, where it is made (QueryOption):
//   - KeepErrors: errors of a type are answers.
//   - Fixpoint: its keys may need each other, and have the least values that agree.
//   - MemoryOnly: its answers are not stored. KeepRuns: how many are kept for a key.
//   - Cheap: they are not stored as long as computing is measured to be quicker than loading.
//
// Without Fixpoint a query that needs its own result fails with a CycleError, which names each
// query on the way and where it is made. A cycle is one of fixpoints only if all its queries say
// so.
//
// # When nothing can be stored
//
// On a disk that is full, or that fails, a commit is refused with the reason, and nothing of it is
// seen. Queries go on: an answer that cannot be stored is given all the same and kept in memory,
// within the bounds of Options.CacheBytes and Options.TraceBytes, and is stored once there is room.
// A partition that the store has never met is the exception: to be met is to be stored.
//
// # Limits
//
// Options.MemoryLimit bounds what the process has in memory. It is the process' and not the
// engine's part of it, since what a query function allocates cannot be told from what its program
// does: a program that needs memory for itself adds that to the limit. One goroutine, the governor,
// looks fifty times a second, and ten times while no more than half of the limit is held.
//
//   - M1: what is held is what the system says is resident: Go's heap with what is garbage and what
//     is free, tables, pages of mapped files, the program. Where the system does not say, it is
//     what Go's runtime and the tables have, and mapped pages, which such a system takes back by
//     itself, do not count.
//   - M2: at 12/16 of the limit it is near, and stays near until 10/16. If all of the store's
//     records, looked at in place, would bring it near, the store is frugal (package mmapcas,
//     "Reading"): who reads copies, which brings in no pages, and who writes gives back those
//     behind it, but for a 32nd of the limit. So no reader can exceed the limit between two looks,
//     however quick it is and however late they are. The store is opened so, and until all fits
//     below 10/16 it stays so. While the limit is near, pages of segments are given back whenever a
//     64th of it has come in of files all the same. Looks see to that, and who looks at many
//     records in a moment: a collection after each slice, a commit that has assisted it, a bulk
//     after each 256 KiB, a piece when it begins and ends. With segments' pages go those of the
//     program, once a second: most of them were needed to begin and never again. From 15/16 of the
//     limit on each look gives back all. If that is not enough there is a round.
//   - M3: a round halves what the caches may have, and no more: those of Engine.AddCache, decoded
//     results, keys and traces, clean nodes of trees, whose leaves are read in place then. What was
//     not used since a cache's hand came by goes first. A hit is what it always is: no lock, no
//     list. Nothing that is not in the store leaves memory. A large result with a method Weak()
//     func() any, for which see memo.Sharer, is not decoded beside one that is held. Once the limit
//     is not near any more the caches grow again, by a 64th of their size at each look.
//   - M4: while the limit is near, tasks of background lanes (lane.Default and below) that were
//     submitted from outside of tasks wait at a gate before they begin, and one is let in at a
//     time. Those that a task submits begin at once, as the task may wait for them. However far the
//     limit is, no more are inside than it has 64 MiB: as many large pieces could begin in one
//     moment as there are workers.
//   - M5: what is held beyond the limit after a round that began while none was inside the gate,
//     and none is now, will not become less by waiting, unless urgent tasks from outside are under
//     way, which take memory, too, and end: while they are, up to 18/16 of the limit is borne. Go
//     has collected before that is found, and pages of files do not count. From then on, until
//     the limit is not near, tasks from outside, commits, and what is put into a bulk are refused
//     with a *LimitError that says who holds what; so are those that wait at the gate. Answers that
//     are known are given, tasks that have begun go on, and what frees memory is never refused:
//     Collect, Tidy, Checkpoint, Close. Whatever the cause, the first look in a row that finds more
//     held than the limit says so in the log, and who holds it.
//   - M6: with Options.LimitGo the limit of Go's runtime is 14/16 of MemoryLimit less what is held
//     outside of it, pages of files being an eighth of the limit at least, as they come back sooner
//     than garbage goes; and at least a quarter. So garbage fills what is free, Go collects before
//     the engine has to do without, and a piece that needs more has the rest for it.
//   - M7: what account.Reserve reserves for child processes counts like what is held, up to half of
//     the limit, and Go's free heap goes back for it, but nothing is refused for it: it is gone in
//     a moment.
//   - M8: with Options.LimitGo what is garbage or free of Go's heap goes back to the system after
//     three seconds in which less than an eighth as much was allocated, if it is 16 MiB and a
//     quarter of what is live. After that it takes as much to be allocated before it goes back
//     again. For a minute at most it waits for three seconds in which no urgent task begins.
//   - M9: what needs much memory that nobody can take from it, such as a check of a large package
//     or a child process, is a piece (Task.Piece). Pieces begin beside others only if all that
//     they need fits below 14/16 of the limit with what is held; else each waits until none is
//     under way. Go collects before one that would not fit otherwise. A piece waits for no query
//     while it is under way, so it ends.
//
// It comes to an end: a look does a bounded number of things; each round makes bounds smaller, to
// no less than a 64th, and rounds that do not help come less and less often, up to two seconds
// apart. Nobody waits for good: the gate lets one in whenever none is inside, or refuses.
//
// A function that allocates more in one go than the limit leaves is not stopped: the engine cannot.
// Then more is held than the limit, and M5 says so.
//
// Options.DiskLimit bounds the bytes of the store's files, as they are long or were given space:
// segments, saved index, log of segments, and the reserve.
//
//   - L1: a file that would grow beyond the limit does not: to the store the disk is full. So all
//     that is said of a full disk holds ("When nothing can be stored"), and of the reserve, which
//     counts: what deletes and what collects has room left.
//   - L2: from three quarters of the limit on a collection is due for a 64th of the limit that may
//     be needless, and at once when something was refused; it runs on lane.Default. One that comes
//     for what was refused is not repeated before something was committed, as it would find the
//     same.
//   - L3: a commit, a bulk or a checkpoint that is refused says so with a *LimitError, which
//     matches ErrNoSpace, too, and says what the bytes are: records, of them garbage, and the rest.
//   - L4: a store that has more than the limit when it is opened is read as ever, and may shrink.
//
// # Concurrency
//
// All methods of Engine, Partition, Query and Snapshot may be called from any goroutine. A Task and
// a Writer belong to the function that they were given to.
//
// This package shadows the standard package of the same name; import that one as goruntime where
// both are needed.
package runtime
