// Package hash names records by their content.
//
// The name of a record is the first 128 bits of BLAKE3-256 over one kind byte followed by the payload. The kind
// is inside, so that equal bytes of different kinds are different records.
//
// 128 bits leave the odds of an accidental collision among 10^9 records below 10^-20. Against somebody who
// constructs collisions they are 2^64 work: the store is for trusted input and says so.
//
// Sum hashes one record, Batch many. Batch is the face that lets records be hashed side by side in SIMD lanes; its
// results are those of Sum, whatever computes them.
package hash
