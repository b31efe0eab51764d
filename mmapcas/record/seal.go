package record

import "github.com/cytisus/cytisus/arena"

// The payload of a record that is written lies in its place, and what is left is the header: two
// checksums and five words. For most records that takes longer than copying the payload, so on
// amd64 it is one piece of assembly (seal_amd64.s).

// sealBytesMax is up to which extent a record is sealed in one piece. For larger ones the standard
// library's checksum, which works on three parts side by side, is quicker.
const sealBytesMax = HeaderBytes + 512

// seal writes the header of the record that is all of b, whose payload lies there already. Its
// first word, which publishes the record on disk, is stored after all other bytes. scratch avoids
// an allocation.
func seal(b []byte, word uint64, h Hash, scratch *[HeaderBytes]byte) {
	if len(b) <= sealBytesMax && len(b)%arena.Unit == 0 && sealInPlace(b, word, h) {
		return
	}
	putHeader(scratch, word, h, Checksum(b[HeaderBytes:]))
	publish(b, word, scratch)
}

// publish stores a header, its first word last.
func publish(b []byte, word uint64, header *[HeaderBytes]byte) {
	copy(b[HashAt:HeaderBytes], header[HashAt:])
	arena.StoreWord(b, word)
}
