// Package sched runs tasks on a fixed set of workers, by lane, and lets tasks wait without holding
// a thread.
//
// # Terms
//
// A [Pool] has workers, each driven by a thread: a goroutine, which is locked to its OS thread only
// where workers are bound to processors. A [Task] is one function on one lane; a [Handle] is its
// outside view. To start is to call the function, to wait is to give the thread up in the middle of
// it, to resume is to go on. An [Event] is what tasks wait for. A task ends once: completed,
// failed, panicked or cancelled; a cancelled task may have ended without ever starting.
//
// # Tasks that wait
//
// Go cannot move a running function to another stack, so the worker's loop itself runs inside an
// iter.Pull coroutine and calls task functions directly: a task that never waits costs a call. When
// a task waits, the whole coroutine is parked with the task's frames on it, and the thread's root
// function continues with another loop coroutine from its free list:
//
//	root ──next──> loop 1: start A, start B … B waits ──yield──> root
//	root ──next──> loop 2: start C, B may resume: put loop 2 on the free list ──yield──> root
//	root ──next──> loop 1: B goes on, ends; loop 1 is the worker's loop now: start D …
//
// A coroutine that was made on a locked thread may only be switched on that thread, with the same
// lock count, and one that was not, only where there is no lock; anything else is a fatal error of
// the Go runtime. A task that has started belongs to its worker for good, and a wake is directed to
// that worker, whichever thread drives it. A task must not change the lock count of its thread with
// LockOSThread or UnlockOSThread across a wait or its end. One that does fails with
// [ErrThreadLocked], and the count is restored, where it can be read (locks.go); elsewhere the
// fatal error stays. [Task.Blocking] runs such code, cgo and blocking I/O on an ordinary goroutine.
//
// # A task's states
//
//	state     meaning                                  next
//	queued    in a lane, with a handle                 running (its worker), done (whoever cancels it)
//	running   its function is on a thread              waiting, resuming (the task itself), woken (a waker), done
//	woken     running, and a wake came meanwhile       running (the task itself, instead of waiting), done
//	waiting   its coroutine is parked, or will be      resuming (a waker)
//	resuming  in its worker's list of ready tasks      running (its worker)
//	done      ended
//
// A waker first makes its condition true (an event fired, a cause set) and then calls wake; a task
// first becomes the waker's business (it joins the event's waiters, it is enlisted for
// cancellation), then looks at the condition, then moves from running to waiting. All of these are
// atomic or under one lock, so in any order either the task sees the condition or the waker sees
// the task:
//
//   - the waker finds running: it leaves woken behind, and the task's move to waiting fails. It
//     looks again.
//   - the waker finds waiting: it alone moves the task to resuming and appends it to the worker's
//     resume list. The coroutine may not have reached its yield yet; that is harmless, because only
//     its own thread takes from that list.
//   - the waker finds resuming: the task becomes running before it looks, hence sees the condition.
//
// A task that was submitted with Go has no handle, so nobody can end it while it is queued. It is
// running from the beginning, which saves the worker the move.
//
// A wake is a hint: a task that wakes up looks at what it waits for and may wait again. So wakes
// that come late, twice or for an earlier wait do no harm.
//
// # Events
//
// Most events have one waiter or none, so the word that says whether an event has fired holds the
// first waiter as well, and nobody takes the lock for it:
//
//		state     meaning                                     next
//		nil       nobody waits                                a task (V1), fired (V2), watched (V6)
//		a task    it alone waits                              fired (V2), nil (V4: it gives up), watched (V6)
//		watched   waiters are in the list, a channel exists   fired (V3, under the lock)
//		fired     final
//
//	  - V1: a task that waits alone puts itself there.
//	  - V2: who fires a quiet event, or one with a single waiter, moves it by one compare-and-swap
//	    and wakes that waiter, by which time the waiter may be elsewhere: the wake touches its
//	    state only, and is a hint.
//	  - V3: in a watched event firing and the list are under the lock. A waiter is told after it was unlinked.
//	  - V4: a waiter that is still there can leave by itself.
//	  - V5: a waiter whose event has fired, and that is not linked, is not known to the event:
//	    only a waiter whose task was in the state is linked by another thread, under the lock,
//	    which firing from watched needs, too.
//	  - V6: who makes an event watched holds the lock, and links the task that it found in the state
//	    before giving it back. That task cannot leave meanwhile: it finds watched, and wants the
//	    lock.
//
// # Who wakes whom
//
// A start can be done by any worker: who pushes to a lane calls Idle.Notify, which wakes at most
// one sleeper, and none while some worker searches. A resume can be done by one worker only: who
// pushes to its resume list calls Idle.Wake for it. Before a worker sleeps it publishes that it
// will, and then looks at the lanes, its resume list and the shutdown flag once more; see package
// queue.
//
// # Order
//
// A worker takes the most urgent of what waits in the lanes and what is ready to resume; on a tie
// it alternates. Three rules keep everything moving:
//
//   - Share: every 61st pick goes to the lowest occupied lane that has not had such a pick in this
//     round; a round ends when all occupied lanes have had one.
//   - Ageing: the four RPC rings are renamed, not moved. Ring (n + rotation) mod 4 serves RPC lane
//     n; once per age step, while requests wait and the ring of RPC 0 is empty, the rotation grows
//     by one and every waiting request is one lane higher. While the ring of RPC 0 does not run
//     empty, each age step sends one pick to the lowest lane instead. A push that reads the
//     rotation just before it changes lands one lane off, which ageing repairs.
//   - A pool with one worker has no other to share with. What its tasks spawn goes to queues of the
//     worker's own, one for each lane, and what lies in a ring is moved there 32 at a time; both
//     without the cost of handing over between threads. A task in its own queue of a lane is as
//     urgent as one in the ring of that lane: it may run before the lanes only if nothing more
//     urgent is in a ring or ready to resume, and no share is due. With every share the worker also
//     fetches from the ring behind its own queue. Requests stay in the rings, where they age.
//   - Admission: a worker that has as many waiting tasks as it may have starts nothing new as long
//     as something may resume; after a pause it starts one task anyway, because what everybody
//     waits for may be in a lane.
//
// A thread that is stopped inside a push hides what is behind it in that lane (package queue, "A
// stopped thread"), in the sync, input and request lanes for microseconds only ("Overtaking"). A
// pick passes over such a lane. A worker that finds tasks nowhere else looks again a few times, and
// then gives its processor away between looks; it does not sleep, because there is work.
//
// With several workers everything that can be started lies in the shared lanes. A slot for the last
// task spawned, or a private batch of low tasks, would be cheaper, and was left out: while its
// owner is busy with one long task, others who have nothing to do, or something less urgent, would
// not see what lies there.
//
// # Stand-ins
//
// A task may hold its thread: it computes for long, or calls what blocks without [Task.Blocking].
// Within 20 ms another thread stands in. It takes the whole worker: its lanes' starts, what lies in
// its own queues, its waiting tasks and its sleeper. The held task is put on a siding: a worker of
// no use but for that task and the thread that it holds. So the number of threads that drive
// workers stays the same, and it is the held one that leaves: when its task ends, or when its task
// waits or yields, which takes the task home, into the resume list of the worker that it came from.
//
// For that a coroutine has to move to another thread, which it can if it was made on one that is
// not locked. Workers that are bound to processors need locked threads; a task that waits on one
// whose thread is held cannot go on anywhere else. So bound workers have no stand-ins, and workers
// are bound only where that is asked for ([Options.Affinity]).
//
// While its own code runs, a task touches nothing of its worker's. It does so between enter and
// exit, where loop.user is even; it is odd otherwise. loop.claim says that a thread is about to
// stand in, or has, and loop.w where the task is. The lookout, one goroutine of the pool's, looks
// every 3 ms at what each worker runs. If it has seen the same odd number for 6 ms, it tries to
// have a thread stand in:
//
//	task, at each call                         lookout, holding its mutex
//	G1  make user even                         H1  set claim
//	G2  load claim; if set, wait for the       H2  make all threads pass a fence
//	    mutex                                  H3  load user; if it has changed, clear claim: no stand-in
//	G3  load w, and use that worker            H4  set w to a siding, give it what is the task's: its
//	                                               epoch participant and its thread; start another
//	                                               thread on the worker
//
// So the worker is never in two hands:
//
//   - Either H3 sees G1, and the lookout lets go, or G2 sees H1 and waits until w is right. From G1
//     to exit the worker is the task's, from H3 to H4 the lookout's, afterwards the new thread's.
//     G1 is a plain store on amd64, before G2 only by H2's fence (package epoch has the same under
//     "Fences"). Where there is no such fence it is a locked instruction.
//   - claim stays set until the task is home, so each call of a task on a siding takes the mutex
//     once. Only the task's own wait or yield changes w back.
//   - Going home: B1 the task gives its thread up to the thread's root, as in a wait; B2 the root
//     sets w and clears claim; B3 it appends the task to the worker's resume list. Before B1 nobody
//     may resume the task, as it is still running; after B3 the root touches nothing of it. A task
//     waits only at its worker, so a waker that finds it waiting finds w right.
//   - A siding is one of a fixed number. The first half is for whatever holds a thread; the second
//     only where something waits that is more urgent than the holder, so that long work on a low
//     lane leaves some for requests. When all are taken, tasks wait for one that comes back: then
//     the lookout looks at once. The watchdog tells of a holder when it has lasted as long as
//     anything else that it tells of; [Stats] counts them.
//   - Epochs: the pin of a held task is its own and stays where it was; the worker gets a new
//     participant.
//   - Closing: a held task has not ended, so the pool is not over, and its thread is waited for.
//   - It terminates: the lookout waits for nobody while it holds the mutex; a task waits for that
//     only.
//
// The lookout sleeps after 18 ms in which all workers were at rest, and the first of them that
// finds something to do wakes it: it writes that it is busy before it looks whether the lookout
// sleeps, and the lookout writes that it sleeps before it looks at the workers once more.
//
// With stand-ins, a single worker does not keep its tasks from running at the same time.
//
// # Stretches
//
// Code that will compute for long says so: it is called in a stretch ([Task.Stretch]). When
// something more urgent has no worker, another thread stands in for one that a stretch holds, at
// once. It takes up nothing but what is more urgent, and gives the worker back when nothing such is
// left. So what computes is never more than there are workers, beside what is more urgent. Only
// after 100 ms has a stretch a stand-in as any other code that holds its thread.
//
// What is more urgent comes in one of two ways. It is pushed to a lane, which any worker can take
// up; a stand-in comes if no worker is at rest. Or a task of a stretching worker is woken, which
// only that one can resume. Whoever does either presses: it looks for a stretch that is in the way,
// and has the stand-in come itself. What a task spawns in its own stretch, on the only worker of a
// pool and not as a request, is not seen before its end.
//
//	task                                      pusher, or waker
//	T1  count the stretch                     P1  push, or append to the resume list; wake a sleeper
//	T2  press                                 P2  load the count; if it is not 0, press
//
//	worker coming from a rest                 stand-in, giving back
//	Q1  set busy                              K1  take the lookout's mutex
//	Q2  load the count; if it is not 0,       K2  load user; if it is even, or the task has left the
//	    press                                     siding, go on as any stand-in
//	                                          K3  give the worker what H4 took; set w; clear claim
//	                                          K4  press, and end
//
// No wait is missed:
//
//   - Either P2 sees T1, or T2 sees P1. A task that begins a stretch has looked before, and let go
//     first what waited, so T2 finds only what came since.
//   - A press leaves what is pushed to a worker at rest, if there is one. That worker takes it up,
//     or something else, and then Q2 presses: its look comes after Q1.
//   - A press sees the stand-in's work, and no stretch, where P1 comes before K3; then K4 sees P1.
//   - A press that finds the task in a call (user is even) has the lookout look, which presses as
//     often as it looks. A wait in a stretch ends in such a call, so what came meanwhile may wait
//     for a look.
//   - A press of something that no stand-in could take up (the worker has too many waiting tasks)
//     has none come: it would give the worker back and press again.
//
// Giving back needs no fence: as claim is set, a task that calls takes the mutex in G2. If it was
// first, K2 sees G1; if not, it goes on behind K3, and G3 finds the worker.
//
// # Sleeping
//
// A worker without work looks for some a while before it sleeps. Each sleep that a wake ends halves
// that while, down to a sixteenth, and each find restores it: a stream of tasks finds the worker
// awake, and an idle process spends nothing. The only worker of a pool looks at the occupancy word
// alone, so that submitters are not disturbed; several use Idle.Rest, which bounds how many look at
// the same time.
//
// # What lies in a lane
//
// A job: a task that has been made, or, for a task without handle, client and context of its own,
// its function and its name. The worker that takes such a job makes the task out of its stock. A
// submitter then writes no task's memory, which would have to come from the worker's cache and go
// back there.
//
// # Counting
//
// A worker's counters, and the pointer to the task it runs, are written by it alone and read by
// anybody, so on amd64 they are written without a locked instruction (tally_tso.go). Others may see
// them a moment late, but in the order they were written: a task's submission before its end. What
// needs more than that has a fence of its own:
//
//   - A task's end is counted before its done event fires, by an atomic operation: who sees the
//     event sees the count.
//   - Who ends a task looks whether the pool is draining, who drains looks at the counts: each
//     writes before it looks. For a task with a handle the event is the fence between the count and
//     the look. A worker that ends a task without one looks when it has run out of work, after an
//     atomic count of that; before, the pool is not over anyway.
//   - Tasks without a handle are used again. See recycler for the fence between them and those who
//     look at what runs.
//
// # Timing
//
// Of tasks that are timed (timing.go) three spans are counted by lane: from the submission to the
// start, from the start to the end less the time that the task was parked, and that time. Timed are
// the tasks that come from outside for a client, and of the others one in 256 of those that one
// worker, or everybody outside, submits to a lane. A submitter writes the time into the task; from
// the start on the task's loop keeps it. The others pay for a test of a byte that is in the cache.
//
// # Cancellation
//
// A task is cancelled when it is cancelled itself, when an ancestor is, when its client is, when
// its context ends, or when the pool is closed at once. A cancelled task that is queued ends
// without starting; one that waits returns from the wait with the cause; one that runs sees it in
// [Task.Err] and [Task.Context]. Ending is not cancelling: when a task ends, its children go on and
// belong to its nearest ancestor that has not ended.
//
// A cause is set first; then everybody who may have to notice is told: cancelling one task wakes
// that task, and cancelling a family or a client looks through the tasks that are enlisted at the
// workers, which are those that have waited or have asked for their context. A task enlists before
// it looks for a cause (see "A task's states"). Looking costs a few loads: the outermost ancestor
// knows whether anything under it was ever cancelled, and only then does a task ask its ancestors.
// That flag is set after the cause and before the search.
//
// A task that computes for others puts all this off with [Task.Shield], as long as one of them
// wants the result. Only the closing of the pool reaches through. A shield gives in at a moment
// when the task is cancelled and no other wants it; that is looked at when the task looks, when it
// is told that it is cancelled, and when the last of the others leaves ([Shield.Look]), each under
// the shield's mutex, so whichever of the two comes last sees both. The end of a context that the
// task was submitted with is seen by the task's own looks and waits, as without a shield. A shield
// has no context of its own before something asks for one: a context of the task, or a child, whose
// context it is. Then the task enlists, the end of the context that it was submitted with has the
// shield look, and the shield looks itself. It may be opened again when it was closed, also while a
// late Look is under way, which decides about what it finds open.
//
// # Who calls
//
// What must not be done by a task, or is done in another way there, has to know who calls. A
// goroutine has no name in Go, but what the Go runtime keeps of it has an address, which the
// registers of amd64 and arm64 give; elsewhere its number is printed and read (self). A table tells
// which goroutines are coroutines of workers, and which run a blocking call: each enters itself
// when it begins and leaves before it ends, so what it finds under its own number is never
// another's. [Current] and [Caller] ask there, and [Handle.Wait] and [Pool.Close] make use of it. A
// task's context has the task, for goroutines that a task has given it to.
//
// # Restartable tasks
//
// A stack for each of many tasks that wait at the same time costs 2.5 KiB and time of the
// collector. A [Restartable] waits without one: its function returns [ErrPending], and is called
// again when what it waits for has happened. Each call is a task as any other, so all of the above
// holds for it; between two calls there is no task, only an entry at the event and one in the
// pool's list of those that pend. Suspending and waking it are under its own lock, so that one wake
// at most ends a wait and a late one is told by its event.
//
// # Shutdown
//
// [Pool.Close] stops admission, waits until every task has ended, and stops the workers; each ends
// its coroutines on its own thread. When Close's context ends first, all tasks are cancelled with
// [ErrClosed]: the first wait of a task that meets this returns the error, so that it can clean up;
// a further one unwinds the task, running its deferred functions.
//
// # What is warned of
//
// A task may compute or wait for as long as it takes; a warning is for what somebody should act on.
// After [Options.StallAfter] the watchdog warns that tasks are queued and no worker has started,
// resumed or ended any; that a task holds its worker while others wait to go on there (so there was
// no stand-in to be had); that tasks wait for each other in a circle; that a reader holds back
// memory that is to be freed. What merely takes long it tells at level debug.
//
// # Panics and Goexit
//
// A panic in a task ends that task, with a [PanicError]. Goexit (such as t.FailNow) ends the
// coroutine and reaches the worker's root, which cannot refuse it. If nothing waits on the worker,
// a new goroutine takes its place; otherwise the root goes on from a deferred function, because the
// parked coroutines need its thread.
//
// # Simulation
//
// A deterministic pool ([Options.Deterministic]) is for tests, of this package and of those above.
// Its workers have no threads: whoever calls [Handle.Wait], [Pool.Close] or [Pool.Simulate] moves
// them, one step at a time, on one goroutine, and a seed decides each time which worker, which
// blocking call, or which timer goes next. A task can be interrupted where it calls the scheduler:
// at the start of a wait, at a yield, after a spawn, and where it wakes another task, that is where
// it fires an event or cancels; it stays on its worker, while others go on. Picking, states, resume
// lists, cancellation, ageing and coroutines are the same code as elsewhere; threads, sleeping, the
// watchdog and the lookout are not there (package queue explores its sleeping protocol on its own),
// and a full lane makes nobody wait. A stand-in is one more choice: a worker with an interrupted
// task may put it on a siding, and take up something else; nobody presses.
//
// Time is the pool's ([Pool.Now]) and goes on when nothing can move at the present time, and now
// and then before: a timeout is never long enough. A seed repeats a run if everything that the
// tasks do depends on nothing else, such as goroutines of their own or the usual time; the
// deadlines of tasks are in the pool's time, and contexts do not show them. A function given to
// Blocking runs as a step of its own, so it must not wait for a task.
//
// # Invariants
//
//   - S1: a task's function is called at most once (that of a Restartable: once for each of its
//     tasks), and its done event fires exactly once.
//   - S2: at most one thread runs a task at a time, and at most one is in a worker.
//   - S3: a wake is never lost: after it, the task looks at its condition at least once.
//   - S4: a task is in at most one list: one lane, one resume list, one ready list, one queue of a
//     worker's own, or one lot of ended tasks; link next belongs to that list.
//   - S5: a waiting task holds no epoch pin.
//   - S6: coroutines are made, switched and ended only by the thread that drives their worker, or
//     their siding.
//   - S7: a pool is over only when as many tasks have ended as were submitted, and no more can
//     come.
//   - S8: a task is used again only if it has ended and nobody can reach it but by a late wake,
//     which touches its state only.
//
// # Locks
//
// A Restartable's comes before an event's and that of the list of those that pend; a shield's comes
// before a worker's enlisted tasks. Otherwise all are leaves: an event's mutex, a worker's enlisted
// tasks, the supersede keys, the lookout's, that list. None is held while a task is woken or while
// foreign code runs.
package sched
