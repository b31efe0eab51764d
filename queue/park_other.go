//go:build !linux

package queue

type platformSleeper = chanSleeper
