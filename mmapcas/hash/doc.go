// Package hash names records by their content.
//
// The name of a record is the first 128 bits of BLAKE3-256 over one kind byte followed by the
// payload. The kind is inside, so that equal bytes of different kinds are different records.
//
// 128 bits leave the odds of an accidental collision among 10^9 records below 10^-20. Against
// somebody who constructs collisions they are 2^64 work: the store is for trusted input and says
// so.
//
// Sum hashes one record, Batch many, and the names are the same.
//
// Within 1 KiB, one chunk, BLAKE3 is serial: no code hashes a single small record much faster than
// another. Batch therefore hashes several records side by side, each in a lane of the vector
// registers: 16 with AVX-512, 8 with AVX2 or where there are no more, sorted by their number of
// blocks. A record of two chunks takes two lanes, and a third for their parent. Larger records,
// batches of very few and processors without these instructions are left to zeebo/blake3, which the
// results always equal. A payload of whole blocks, as most powers of two are, leaves one byte for
// its last block, which then has a shorter way through. CYTISUS_CPU=portable or avx2 switches the
// wider code off (package affinity).
//
// Some processors run 512-bit vectors at a fraction of their speed for some 100 microseconds after
// a millisecond without them. There a lone batch of 16 records of 1 KiB may take longer than with
// avx2, and still less than without lanes; in a stream of batches it takes half as long as with
// avx2.
//
// gen, a module of its own, writes the assembly; go generate runs it.
package hash
