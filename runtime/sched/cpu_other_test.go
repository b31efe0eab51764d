//go:build !linux

package sched

func processCPU() int64 { return 0 }
