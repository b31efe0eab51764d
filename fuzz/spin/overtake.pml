/*
 * Overtaking: a lane's ring of two cells, one pusher that pushes ITEMS items one after the other, POPPERS that pop and, when
 * they are denied, may give the ticket up. See "Overtaking" in the package comment of queue. What was given up is pushed again
 * like a new item, without the lock; the overflow list is left out, so the second push may wait for room.
 *
 * With PLAIN the pusher's stores of value and turn go to a store buffer and land in order, at any time; locked instructions
 * wait for it, and the fence of a popper (membarrier) lands all of it.
 *
 * Shown: every item comes out, once and in order; the head stays behind the tail (R1); at rest there is no alarm.
 *
 * Mistakes that must be found:
 *   NO_FENCE     the popper does without the fence (with PLAIN)
 *   FENCE_FIRST  the fence before the alarm (with PLAIN)
 *   DEAF         the pusher does not look at the alarms
 *   LOOK_FIRST   the pusher looks at the alarms before it stores the turn
 *   NO_LOOK      the popper does not look at the turn again
 *   NO_TAIL      the popper does not look whether the ticket is claimed
 *   BLIND_HEAD   the popper stores the head without comparing
 *   FORGET       the alarm does not outlast the decision
 *   NO_LOCK      the pusher looks for its ticket without the lock
 */
#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef POPPERS
#define POPPERS 1
#endif
#ifndef GIVES
#define GIVES 2             /* tickets that may be given up; without a bound there are endless runs */
#endif

#define CELL(t) ((t) & 1)
#define LAP(t)  ((t) - ((t) & 1))

byte head, tail;
byte turn[2], val[2];
byte late[2];               /* by cell: the ticket that was given up, plus 1 */
byte alarms;
bool locked;
byte given;
byte popped;                /* the newest item that came out */
byte popping = POPPERS;
bool pushed;                /* the pusher has returned from its last push */

/* The store buffer of the pusher: at most a value and a turn, of one cell. */
byte buf;                   /* stores that have not landed: 2 value and turn, 1 the turn */
byte bufCell, bufVal, bufTurn;

inline land()
{
	if
	:: buf == 2 -> assert(bufVal == 0 || val[bufCell] == 0); val[bufCell] = bufVal
	:: buf == 1 -> turn[bufCell] = bufTurn
	fi;
	buf--
}

#ifdef PLAIN
/* Both stores enter the buffer together: it lands in any number of steps anyway. */
inline publish(c, v, t)
{
	atomic { buf == 0 -> bufCell = c; bufVal = v; bufTurn = t; buf = 2 }
}
active proctype buffer()
{
	do
	:: atomic { buf > 0 -> land() }
	:: atomic { pushed && buf == 0 -> break }
	od
}
#else
inline publish(c, v, t)
{
	atomic { assert(v == 0 || val[c] == 0); val[c] = v };
	turn[c] = t
}
#endif

inline fence()
{
	atomic {
		do
		:: buf > 0 -> land()
		:: else -> break
		od
	}
}

active proctype push()
{
	byte item = 1, t, a;
	bool again;

	do
	:: item > ITEMS -> break
	:: else ->
		t = tail;                               /* nobody else pushes */
		turn[CELL(t)] == LAP(t);                /* else full: wait */
		atomic { buf == 0 -> tail = t + 1 };    /* T1, a locked instruction */
#ifdef LOOK_FIRST
		a = alarms;
#endif
		publish(CELL(t), item, LAP(t) + 1);
#ifndef LOOK_FIRST
		a = alarms;                             /* T2 */
#endif
		again = false;
#ifndef DEAF
		if
		:: a == 0
		:: else ->                              /* T3 */
#ifndef NO_LOCK
			atomic { buf == 0 && !locked -> locked = true };
#endif
			if
			:: late[CELL(t)] == t + 1 ->
				again = true;
				publish(CELL(t), 0, LAP(t) + 2);
				atomic { buf == 0 -> alarms--; late[CELL(t)] = 0 }
			:: else
			fi;
#ifndef NO_LOCK
			atomic { buf == 0 -> locked = false }
#endif
		fi;
#endif
		if
		:: again
		:: else -> item++
		fi
	od;
	pushed = true
}

active [POPPERS] proctype pop()
{
	byte h, seen;

	do
	:: popped == ITEMS -> break
	:: atomic { popped < ITEMS -> h = head };
		seen = turn[CELL(h)];
		if
		:: seen == LAP(h) + 1 ->
			atomic {
				if
				:: head == h ->
					head = h + 1;
					assert(val[CELL(h)] == popped + 1);
					popped = val[CELL(h)];
					seen = 1
				:: else -> seen = 0
				fi
			};
			if
			:: seen == 1 -> val[CELL(h)] = 0; turn[CELL(h)] = LAP(h) + 2
			:: else
			fi
		:: else ->
			/* Denied; or empty, and then it must not be for good. */
			atomic { head != h || turn[CELL(h)] != LAP(h) || (given < GIVES && !(pushed && head == tail)) || popped == ITEMS };
			if
			:: head != h || turn[CELL(h)] != LAP(h) || given >= GIVES
			:: else ->
#ifdef FENCE_FIRST
				fence();
#endif
				alarms++;                       /* T4 */
#if !defined(NO_FENCE) && !defined(FENCE_FIRST)
				fence();                        /* T5 */
#endif
				atomic { !locked -> locked = true };    /* T6 */
				seen = 1;
#ifndef NO_TAIL
				if
				:: tail == h -> seen = 0
				:: else
				fi;
#endif
#ifndef NO_LOOK
				if
				:: turn[CELL(h)] != LAP(h) -> seen = 0
				:: else
				fi;
#endif
				if
				:: seen == 1 ->
					atomic {
						if
#ifdef BLIND_HEAD
						:: true -> head = h + 1; given++
#else
						:: head == h -> head = h + 1; given++
						:: else -> seen = 0
#endif
						fi
					};
					assert(head <= tail)
				:: else
				fi;
				if
				:: seen == 1 -> late[CELL(h)] = h + 1
#ifdef FORGET
					; alarms--
#endif
				:: else -> alarms--
				fi;
				locked = false
			fi
		fi
	od;
	popping--
}

active proctype ledger()
{
	pushed && popping == 0 && buf == 0;
	assert(alarms == 0 && late[0] == 0 && late[1] == 0 && head == tail)
}
