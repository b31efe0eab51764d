/*
 * The occupancy word: one lane, its bit, PUSHERS that push once each, POPPERS that pop until all is pushed and the bit is
 * clear. See "Occupancy" in the package comment of queue. The ring is its two counters and a flag for each place: a push
 * claims its place, and fills it later; a pop finds nothing while the oldest claimed place is not filled.
 *
 * Shown: every item comes out (the assertion of ledger), once and in the order of the claims (that of pop); when no push is under
 * way and no pop is between clearing and looking again, a lane that is not empty has its bit set (O5).
 *
 * Mistakes that must be found:
 *   NO_RECHECK  the popper clears the bit and does not look again (O4 left out)
 *   LOOK_FIRST  the popper looks again before it clears (O4 before O3)
 *   SIGN_FIRST  the pusher sees to the bit before it claims (O2 before O1)
 */
#ifndef PUSHERS
#define PUSHERS 3
#endif
#ifndef POPPERS
#define POPPERS 2
#endif

byte head, tail;        /* popped, claimed */
bool filled[PUSHERS];
bool mark;
byte pushing = PUSHERS; /* pushes that have not returned */
byte between;           /* pops between O3 and O4 */
byte popping = POPPERS;

#define EMPTY (head == tail)

inline claim_and_fill()
{
	atomic { mine = tail; tail++ }  /* O1 */
	filled[mine] = true
}

inline sign()
{
	if                              /* O2 */
	:: mark
	:: !mark -> mark = true
	fi
}

active [PUSHERS] proctype push()
{
	byte mine;

#ifdef SIGN_FIRST
	sign();
	claim_and_fill();
#else
	claim_and_fill();
	sign();
#endif
	pushing--
}

/* One TryPop: a claim with the value it guards, since the ring is not what is examined here. */
inline take()
{
	atomic {
		if
		:: head < tail && filled[head] -> filled[head] = false; head++; got = true
		:: else -> got = false
		fi
	}
}

active [POPPERS] proctype pop()
{
	bool got, again;

	do
	:: atomic { pushing == 0 && !mark -> break }
	:: mark ->
		take();
		if
		:: got -> goto next
		:: else
		fi;
#ifdef LOOK_FIRST
		again = !EMPTY;
		if
		:: again -> goto next
		:: else
		fi;
#endif
		atomic { mark = false; between++ }       /* O3 */
#if defined(NO_RECHECK) || defined(LOOK_FIRST)
		again = false;
#else
		again = !EMPTY;                         /* O4 */
#endif
		if
		:: again -> atomic { mark = true; between-- }; take()
		:: else -> between--
		fi;
next:
		skip
	od;
	popping--
}

active proctype ledger()
{
	popping == 0;
	assert(head == PUSHERS && tail == PUSHERS)
}

/* O5, looked at in every state. */
active proctype watch()
{
	do
	:: atomic { pushing == 0 && between == 0 && !EMPTY && !mark -> assert(false) }
	:: popping == 0 -> break
	od
}
