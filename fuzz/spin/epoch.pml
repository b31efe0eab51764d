/*
 * Epochs: two readers, one with a slot that exists from the start and one that chains a slot on (a guard's overflow slot, or a
 * participant that registers), a writer that unlinks and retires one object, two advancers that scan and advance, twice each,
 * and a collector that frees as soon as it may. See "Safety" in the package comment of epoch.
 *
 * Shown: the object is not freed while a reader that found it is inside, nor found once it is freed; the epoch never goes back (E0).
 *
 * Mistakes that must be found:
 *   STAMP_FIRST    the writer takes the stamp before it unlinks (W2 before W1)
 *   LOAD_FIRST     the reader loads the shared pointer before it pins (E2 before E1)
 *   ONE_EPOCH      freed one epoch after the stamp
 *   BLIND_ADVANCE  the advance is a store and no compare-and-swap
 *   LIST_FIRST     the scan looks which slots there are before it loads the epoch
 *   LATE_CHAIN     the new slot is chained on after its reader has loaded the shared pointer
 *   SKIP_SCAN      the scan leaves out the last slot
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
	slot[0] = e;            /* E1 */
#else
	slot[0] = e;            /* E1 */
	find();                 /* E2 */
#endif
	leave(0)
}

active proctype newcomer()
{
	byte e;
	bool found;

	e = global;
	slot[1] = e;            /* E1, nobody can see it yet */
#ifdef LATE_CHAIN
	find();
	chained = true;
#else
	chained = true;
	find();                 /* E2 */
#endif
	leave(1)
}

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

	do
	:: rounds == 2 -> break
	:: rounds < 2 -> rounds++;
#ifdef LIST_FIRST
		both = chained;
		g = global;
#else
		g = global;     /* W3 */
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
