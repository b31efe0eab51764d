//go:build !check

package arena

func poison(*Segment) {}

func checkZero([]byte) {}
