// Package queue provides bounded lock-free rings, the set of 31 priority lanes, and the parking of idle workers.
package queue
