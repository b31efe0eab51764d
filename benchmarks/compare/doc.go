// Package compare measures ours beside its peers, in turns.
//
// # Terms
//
// A [Suite] is a list of cases. A [Case] is one question ("one producer, one consumer: how long per
// item?"). An [Entrant] is one answer to it: ours, or a peer. An entrant is started once per case
// and then measured once per round; a round visits all entrants, forwards in even rounds and
// backwards in odd ones, so that whatever else the machine does falls on all of them alike. The
// figure of an entrant is the median of its rounds.
//
// # What the table says
//
// One line per case and peer, tab-separated, after a header line:
//
//	suite  case  ours  peer-name  peer  unit  ratio
//
// where ratio is ours divided by peer: below 1 is better when the unit is a time or a size. Where
// no peer takes part the peer's name is "none", and peer and ratio are "-". Everything else
// (machine, progress, spread, who was skipped and why) goes to the log.
//
// # Adding
//
// A peer is one file in the suite's folder that implements the suite's small interface, and one
// line in the suite's list. A suite is one folder with a function that returns a [Suite], and one
// line in cmd/compare.
//
// # Invariants
//
//   - C1: every round of every entrant checks its own answer (a sum, a count, a byte of each
//     value); a wrong one fails the suite. A figure from an entrant that got its answer wrong is
//     never printed.
//   - C2: what a round computes ends up in that check, so the compiler cannot drop the work.
//   - C3: entrants of one case do the same work on the same data, seeded and repeatable; where one
//     gets an easier life (no hash to compute, no log to write), the suite's comment says so.
package compare
