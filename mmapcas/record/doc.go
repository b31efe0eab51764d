// Package record is the layout of records: their names, their headers, and the checks of both.
//
// A record is a kind and a payload, and its name is the hash of both. It lies at a multiple of 32
// bytes; all numbers are little-endian, all checksums CRC-32C:
//
//	 0  stored bytes:32 | kind:8 | flags:8 | magic:16      stored last; 0 means that no record was published here
//	 8  hash: first 16 bytes of BLAKE3-256(kind byte, payload)
//	24  checksum of what is stored and its padding
//	28  checksum of bytes 0 to 28
//	32  what is stored, then zeros up to a multiple of 32
//
// What is stored is the payload or, with flag 1, the payload compressed (stored.go). Flag 2 marks a
// record of the store's own, of kind 0.
//
// The header has a checksum of its own, so that the length in it can be trusted before the payload
// is read. The package knows bytes alone: no file, no segment, no index.
package record
