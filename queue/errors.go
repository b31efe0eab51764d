package queue

import "errors"

var (
	// ErrLane says that a lane number is outside [0, LaneCount). The item was not added anywhere.
	ErrLane = errors.New("queue: no such lane")

	// ErrFull says that a bounded push found no room in its lane. The item was not added anywhere.
	ErrFull = errors.New("queue: lane is full")
)
