/*
 * The collector: two writers that put, refer and remove, a marker that becomes the sweeper, and the
 * gate between them. See the package comments of runtime/gc (B1 to B3, E1 to E3) and mmapcas (G0 to
 * G6; a put is P1 to P3), and runtime/gc/tricolour, which has the same protocol in Go with leases,
 * traces in memory, recovery, short cycles and such as are given up besides. Object x refers to
 * object x-1.
 *
 * Without macros the store has 0, 1 and 2, and the tree has 2: one writer puts 3 over what its
 * snapshot holds, lets the snapshot go, and commits 3; the other takes away what the tree has.
 * OLD: the store has 0 and 1, which nothing refers to, and one writer puts both again and commits
 * 1; with PAIR another puts 0 again and commits that.
 * HELD: a writer puts 1, which its snapshot holds, once more, and lets go of nothing.
 * CYCLES cycles, one after the other.
 *
 * Shown: what is needed is there in every state (the assertion of watch), and there is no state in
 * which nobody can go on before all cycles are over.
 *
 * Mistakes that must be found:
 *   NO_SESSION     writers do not enter
 *   NO_LOOK        a writer does not look at the phase again (E3)
 *   TURN_FIRST     the gate turns before the cycle is published (B3 before B1)
 *   NO_DRAIN       the roots are taken with writers from before still in
 *   NO_SNAPSHOTS   only the tree is a root
 *   NO_SHADE       who refers to something does not say so
 *   NO_QUEUE       what puts have marked is not followed
 *   TWO_STEPS      a put marks, and queues later (G6)
 *   NO_BLACK       what is put in a cycle is white (G1)
 *   NO_AGAIN       a put that finds its record does not mark it (G1)
 *   PUT_BLIND      a put does not see that its record is condemned (G3)
 *   BLIND_CONDEMN  the sweeper looks, and condemns later (G3)
 *   NO_STALE       a put does not see that its cycle has ended
 */
#ifndef CYCLES
#define CYCLES 1
#endif

#define ABSENT    0
#define WHITE     1
#define MARKED    2
#define YOUNG     3     /* put since the cycle began */
#define CONDEMNED 4

#define OBJECTS 4
#define BIT(x) (1 << (x))
#define REFS(x) (BIT(x) >> 1)
#define BELOW(s) ((s) | ((s) >> 1) | ((s) >> 2) | ((s) >> 3))

byte colour[OBJECTS];
byte copies[OBJECTS];   /* made so far: which one an address leads to */
byte cycle;             /* that is published; 0: none */
byte queued, shaded;    /* sets: what puts have marked, and what writers have referred to */
bool barrier;
byte phase;
byte inside[2];         /* writers, by parity of the phase in which they entered */

byte tree;              /* sets: what the tree has, */
byte snaps[2];          /* what snapshots hold, */
byte put[2];            /* and what sessions have put */
byte writing = 2;
bool over;

#define KEPT(x) (colour[x] == MARKED || colour[x] == YOUNG)
#define THERE(x) ((colour[x] != ABSENT && colour[x] != CONDEMNED) << (x))
#define STORED (THERE(0) | THERE(1) | THERE(2) | THERE(3))
#define LOST (BELOW(tree | snaps[0] | snaps[1] | put[0] | put[1]) & ~STORED)

inline enter()
{
#ifndef NO_SESSION
	do
	:: looked = phase;              /* E1 */
	   inside[looked & 1]++;        /* E2 */
#ifndef NO_LOOK
	   if                           /* E3 */
	   :: atomic { phase != looked -> inside[looked & 1]-- }
	   :: phase == looked -> break
	   fi
#else
	   break
#endif
	od
#endif
	skip
}

inline leave()
{
	atomic {
#ifndef NO_SESSION
		inside[looked & 1]--;
#endif
		put[me] = 0
	}
}

inline shade(set)
{
#ifndef NO_SHADE
	if
	:: atomic { barrier -> shaded = shaded | (set) }
	:: !barrier
	fi
#endif
	skip
}

/* A put of x: at first it looks for x, and then it asks the marks of what it has found. */
inline put_one(x)
{
	found = false;
	do
	:: !found ->
		mine = cycle;                                           /* P1 */
		atomic { saw = colour[x]; copy = copies[x] };           /* P2 */
		fresh = (saw == ABSENT);
		again = false;
		if
		:: saw != ABSENT && mine != 0 -> atomic {               /* P3 */
			gone = (copy != copies[x] || colour[x] == ABSENT || colour[x] == CONDEMNED);
			if
			:: mine != cycle ->
#ifndef NO_STALE
				again = true
#else
				skip
#endif
			:: mine == cycle && gone ->
#ifndef PUT_BLIND
				if
				:: copy == copies[x] -> colour[x] = ABSENT
				:: else
				fi;
				fresh = true
#else
				skip
#endif
			:: mine == cycle && !gone && colour[x] == WHITE ->
#ifndef NO_AGAIN
				colour[x] = MARKED;
#ifdef TWO_STEPS
				late = true
#else
				queued = queued | BIT(x)
#endif
#else
				skip
#endif
			:: else
			fi }
		:: else
		fi;
		if
		:: late -> atomic { queued = queued | BIT(x); late = false }
		:: else
		fi;
		if
		:: again
		:: !again && fresh -> atomic {
			if
			:: colour[x] != ABSENT          /* another put was quicker */
			:: colour[x] == ABSENT ->
				copies[x]++;
#ifdef NO_BLACK
				colour[x] = WHITE;
#else
				colour[x] = (cycle != 0 -> YOUNG : WHITE);
#endif
				found = true; put[me] = put[me] | BIT(x)
			fi }
		:: !again && !fresh -> atomic { found = true; put[me] = put[me] | BIT(x) }
		fi
	:: found -> break
	od;
	shade(REFS(x))
}

inline commit(x)
{
	shade(BIT(x));
	tree = BIT(x)
}

proctype writer(byte me)
{
	byte looked, mine, saw, copy;
	bool found, fresh, again, gone, late;

#ifdef OLD
	if
	:: me == 0 -> enter(); put_one(0); put_one(1); commit(1); leave()
#ifdef PAIR
	:: me == 1 -> enter(); put_one(0); commit(0); leave()
#endif
	:: else
	fi;
#else
#ifdef HELD
	if
	:: me == 0 -> snaps[0] = tree; enter(); put_one(1); leave(); snaps[0] = 0
	:: else
	fi;
#else
	if
	:: me == 0 ->
		enter();
		snaps[0] = tree;
		if
		:: snaps[0] & BIT(2) -> put_one(3); snaps[0] = 0; commit(3)
		:: else -> snaps[0] = 0
		fi;
		leave()
	:: me == 1 -> tree = 0
	fi;
#endif
#endif
	writing--
}

/* A step of marking, with which record it may be. */
#define STEP(x) \
	:: atomic { grey & BIT(x) -> grey = grey & ~BIT(x); todo = todo | REFS(x) } \
	:: atomic { grey == 0 && (todo & BIT(x)) -> todo = todo & ~BIT(x); \
		if \
		:: colour[x] == WHITE -> colour[x] = MARKED; grey = grey | BIT(x) \
		:: colour[x] == YOUNG -> grey = grey | BIT(x) \
		:: else \
		fi }

proctype collector()
{
	byte grey, todo, next, began;
	bool sweeping, white;

	do
	:: began == CYCLES -> break
	:: began < CYCLES ->
		inside[(phase + 1) & 1] == 0;
#ifdef TURN_FIRST
		phase++;
#endif
		atomic {                                                /* B1 */
			began++; cycle = began; queued = 0; next = 0;
			do
			:: next == OBJECTS -> next = 0; break
			:: next < OBJECTS && colour[next] != ABSENT -> colour[next] = WHITE; next++
			:: next < OBJECTS && colour[next] == ABSENT -> next++
			od
		};
		barrier = true;                                         /* B2 */
#ifndef TURN_FIRST
		phase++;                                                /* B3 */
#endif
#ifndef NO_DRAIN
		inside[(phase + 1) & 1] == 0;
#endif
#ifdef NO_SNAPSHOTS
		todo = tree;
#else
		todo = tree | snaps[0] | snaps[1];
#endif
		sweeping = false;
		do
		STEP(0)
		STEP(1)
		STEP(2)
		STEP(3)
		:: grey == 0 && todo == 0 ->
			atomic { todo = shaded; shaded = 0 };
			atomic {
#ifndef NO_QUEUE
				grey = queued;
#endif
				queued = 0
			};
			if
			:: grey != 0 || todo != 0
			:: grey == 0 && todo == 0 && !sweeping -> sweeping = true
			:: grey == 0 && todo == 0 && sweeping && next == OBJECTS -> break
			:: grey == 0 && todo == 0 && sweeping && next < OBJECTS ->
#ifdef BLIND_CONDEMN
				white = (colour[next] == WHITE);
				if
				:: white -> colour[next] = CONDEMNED
				:: else
				fi;
#else
				atomic {                                        /* G3 */
					white = (colour[next] == WHITE);
					if
					:: white -> colour[next] = CONDEMNED
					:: else
					fi
				};
#endif
				atomic {
					if
					:: colour[next] == CONDEMNED -> colour[next] = ABSENT
					:: else
					fi;
					next++
				}
			fi
		od;
		atomic {
			next = 0; cycle = 0; queued = 0;
			do
			:: next == OBJECTS -> next = 0; break
			:: next < OBJECTS && KEPT(next) -> colour[next] = WHITE; next++
			:: next < OBJECTS && !KEPT(next) -> next++
			od
		};
		atomic { barrier = false; shaded = 0 }
	od;
	writing == 0;
	over = true
}

active proctype watch()
{
	do
	:: atomic { LOST != 0 -> assert(false) }
	:: over -> break
	od
}

init
{
	atomic {
		colour[0] = WHITE; colour[1] = WHITE;
#ifndef OLD
		colour[2] = WHITE; tree = BIT(2);
#endif
		run writer(0); run writer(1); run collector()
	}
}
