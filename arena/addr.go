package arena

// Unit is the alignment of everything in an arena and the unit that addresses count, in bytes.
const Unit = 32

// AddrBits is the width of an address: 2^36 units are 2 TiB. Who keeps addresses has the other bits
// of a word for something else.
const AddrBits = 36

// An Addr is a place in an arena, in units from its start. It means something only to the arena
// that gave it out, and only while the segment there is not retired.
type Addr uint64

// Nil is the address of nothing.
const Nil Addr = 0

// RoundUp returns n rounded up to whole units.
func RoundUp(n int64) int64 { return (n + Unit - 1) &^ (Unit - 1) }
