/*
 * The parker: one owner that sleeps, POSTERS others that each write something and then unpark it. See "Parker" in the
 * package comment of queue; the moves are those of parkerCore.park and unpark over a futex.
 *
 * Shown: the owner never sleeps for good while something is written that it has not seen (no invalid end state); it
 * takes no token that was not posted (P1, P2).
 *
 * DEADLINE lets the owner give up at any moment. It is a variant that must hold, and hides lost wake-ups; so both are run.
 *
 * Mistakes that must be found:
 *   BLIND_SLEEP  the kernel sleeps without comparing the word
 *   BLIND_WAKE   the poster wakes before it changes the word
 *   OVERWRITE    the owner stores asleep without looking for a token
 *   KEEP_TOKEN   with DEADLINE: the owner gives up without looking whether a token came after all
 */
#ifndef POSTERS
#define POSTERS 3
#endif

#define RUNNING 0
#define TOKEN   1
#define ASLEEP  2

byte word = RUNNING;
bool queued;    /* the owner lies in the kernel's queue */
byte written;   /* what posters did before they unparked */
byte posted;    /* tokens that were put where there was none */
byte taken;

active proctype owner()
{
	byte seen;

look:
	seen = written;
	if
	:: seen == POSTERS -> goto done
	:: else
	fi;

#ifdef OVERWRITE
	word = ASLEEP;
#else
	atomic {                        /* compare and swap running -> asleep */
		if
		:: word == RUNNING -> word = ASLEEP
		:: else -> goto take
		fi
	}
#endif
again:
	if
	:: word != ASLEEP -> goto take
	:: else
	fi;
	if
	:: skip                         /* futex wait: compare and sleep, in one step */
#ifdef DEADLINE
	:: goto late
#endif
	fi;
#ifdef BLIND_SLEEP
	queued = true;
#else
	atomic {
		if
		:: word == ASLEEP -> queued = true
		:: else
		fi
	}
#endif
	if
	:: !queued
#ifdef DEADLINE
	:: atomic { queued -> queued = false }
#endif
	fi;
	goto again;

#ifdef DEADLINE
late:
#ifdef KEEP_TOKEN
	word = RUNNING;
	goto look;
#else
	atomic {                        /* compare and swap asleep -> running */
		if
		:: word == ASLEEP -> word = RUNNING; goto look
		:: else                 /* a token has come after all */
		fi
	}
#endif
#endif

take:
	atomic {                        /* swap running in */
		assert(word == TOKEN);
		word = RUNNING;
		taken++;
		assert(taken <= posted)
	}
	goto look;

done:
	skip
}

active [POSTERS] proctype poster()
{
	byte old;

	written++;
#ifdef BLIND_WAKE
	if
	:: word == ASLEEP -> queued = false
	:: else
	fi;
#endif
	atomic {                        /* swap token in */
		old = word;
		word = TOKEN;
		if
		:: old != TOKEN -> posted++
		:: else
		fi
	}
#ifndef BLIND_WAKE
	if
	:: old == ASLEEP -> queued = false
	:: else
	fi
#endif
}

/* A token that is left over at the end ends the next Park at once: allowed. A token that is lost is not. */
active proctype ledger()
{
	timeout;
	assert(queued == false);
	assert(posted == taken || (posted == taken + 1 && word == TOKEN))
}
