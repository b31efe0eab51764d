//go:build !linux

package arena

// No other system says cheaply what of a process is in memory, nor gives back the pages of a shared
// mapping at once when asked: MADV_DONTNEED is a hint on darwin.

func readResidence() (Residence, bool) { return Residence{}, false }

func dropProgram() (int64, bool) { return 0, false }

func residentIn([]byte) (int64, bool) { return 0, false }

func (file) drop([]byte) bool { return false }
