//go:build !check

package sched

// Without the check tag the checks are empty and cost nothing.

const checking = false

type checkOwner struct{}

func (*checkOwner) set() {}

func (t *Task) mustBeOwner() {}
