package index

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// What most reads are: the record is in memory, in the first bucket, whole, small and where it can
// be read in place. Glance answers those, on amd64 in one piece of assembly (glance_amd64.s), and
// says about all others that it does not know, or where to look. What it says not to be there is
// not there. For everything else there is Find.

// glanceBytesMax is up to which size a payload's checksum is computed at once. For larger ones the
// standard library's, which works on three parts side by side, is quicker.
const glanceBytesMax = 512

// Absent is what Glance gives in place of an address. It is no place of a record.
const Absent = arena.Addr(1)

// The layout of records, for assembly.
const (
	headerBytes  = record.HeaderBytes
	recordMagic  = record.Magic
	hashAt       = record.HashAt
	payloadSumAt = record.PayloadSumAt
	selfSumAt    = record.SelfSumAt
)
