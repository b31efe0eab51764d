/*
 * Epochs: two readers, one with a slot that exists from the start and one that chains a slot on (a guard's overflow slot, or a
 * participant that registers), a writer that unlinks and retires one object, two advancers that scan and advance, twice each,
 * and a collector that frees as soon as it may. See "Safety" in the package comment of epoch.
 *
 * PLAIN is the variant of amd64 under Linux: the resident enters by a plain store once the flag remote is set, so that what it
 * stores stays in its buffer for a while; a scan that finds the flag set has every buffer drained (membarrier). The newcomer
 * stays away then, to keep the search short.
 *
 * Shown: the object is not freed while a reader that found it is inside, nor found once it is freed; the epoch never goes back (E0).
 *
 * Mistakes that must be found:
 *   STAMP_FIRST    the writer takes the stamp before it unlinks (W2 before W1)
 *   LOAD_FIRST     the reader loads the shared pointer before it pins (R2 before R1)
 *   ONE_EPOCH      freed one epoch after the stamp
 *   BLIND_ADVANCE  the advance is a store and no compare-and-swap
 *   LIST_FIRST     the scan looks which slots there are before it loads the epoch
 *   LATE_CHAIN     the new slot is chained on after its reader has loaded the shared pointer
 *   SKIP_SCAN      the scan leaves out the last slot
 *   NO_FENCE       with PLAIN: nothing drains the buffers
 *   FENCE_FIRST    with PLAIN: they are drained before the epoch is loaded
 *   FLAG_FIRST     with PLAIN: remote is loaded before the epoch
 */
#define FIRST 2
#ifdef ONE_EPOCH
#define WAIT 1
#else
#define WAIT 2
#endif

byte global = FIRST;
byte slot[2];           /* 0 outside, else the epoch */
bool chained;           /* slot 1 is in the list */
bool linked = true;     /* the object can be found */
byte stamp;             /* 0: not retired */
bool freed;
byte holding;           /* readers inside that have found it */

#ifdef PLAIN
bool remote;
byte pin;               /* the resident's buffer: a pin, */
bool unpin;             /* and behind it a leaving store */

inline drain()
{
	d_step {
		if
		:: pin -> slot[0] = pin; pin = 0
		:: else
		fi;
		if
		:: unpin -> slot[0] = 0; unpin = false
		:: else
		fi
	}
}

active proctype buffer()
{
end:	do
	:: d_step { pin != 0 -> slot[0] = pin; pin = 0 }
	:: d_step { pin == 0 && unpin -> slot[0] = 0; unpin = false }
	od
}

active proctype flip()
{
	remote = true
}

inline enter(e)
{
	if
	:: remote -> pin = e
	:: else -> slot[0] = e
	fi
}

inline fence()
{
#ifndef NO_FENCE
	if
	:: fences -> drain()
	:: else
	fi
#else
	skip
#endif
}
#else
inline enter(e)
{
	slot[0] = e
}
#endif

inline find()
{
	atomic { found = linked; holding = holding + found; assert(!found || !freed) }
}

inline leave(i)
{
	atomic { holding = holding - found; found = false; slot[i] = 0 }
}

active proctype resident()
{
	byte e;
	bool found;

	e = global;
#ifdef LOAD_FIRST
	find();
	enter(e);               /* R1 */
#else
	enter(e);               /* R1 */
	find();                 /* R2 */
#endif
#ifdef PLAIN
	atomic { holding = holding - found; found = false; unpin = true }
#else
	leave(0)
#endif
}

#ifndef PLAIN
active proctype newcomer()
{
	byte e;
	bool found;

	e = global;
	slot[1] = e;            /* R1, nobody can see it yet */
#ifdef LATE_CHAIN
	find();
	chained = true;
#else
	chained = true;
	find();                 /* R2 */
#endif
	leave(1)
}
#endif

active proctype writer()
{
#ifdef STAMP_FIRST
	byte s;

	s = global;
	linked = false;
	stamp = s
#else
	linked = false;         /* W1 */
	stamp = global          /* W2 */
#endif
}

active [2] proctype advancer()
{
	byte g, w, rounds;
	bool both;
#ifdef PLAIN
	bool fences;
#endif

	do
	:: rounds == 2 -> break
	:: rounds < 2 -> rounds++;
#if defined(FLAG_FIRST) || defined(FENCE_FIRST)
		fences = remote;
#endif
#ifdef FENCE_FIRST
		fence();
#endif
#ifdef LIST_FIRST
		both = chained;
		g = global;
#else
		g = global;     /* W3 */
#if defined(PLAIN) && !defined(FENCE_FIRST)
#ifndef FLAG_FIRST
		fences = remote;
#endif
		fence();
#endif
		both = chained;
#endif
		w = slot[0];
		if
		:: w != 0 && w != g -> goto refused
		:: else
		fi;
#ifndef SKIP_SCAN
		if
		:: both ->
			w = slot[1];
			if
			:: w != 0 && w != g -> goto refused
			:: else
			fi
		:: else
		fi;
#endif
#ifdef BLIND_ADVANCE
		atomic { assert(global <= g + 1); global = g + 1 }
#else
		atomic {
			if
			:: global == g -> global = g + 1
			:: else
			fi
		}
#endif
refused:
		skip
	od
}

active proctype collector()
{
end:	atomic {
		stamp != 0 && global >= stamp + WAIT -> freed = true;
		assert(holding == 0)
	}
}
