// Package vfs is the little that a store needs of a file system, behind an interface, so that tests
// can cut its power and fail each of its steps.
//
// # Implementations
//
//   - OS: the real one.
//   - Mem: in memory, with the promises of a journalling file system and no more. Mem.CrashClone is
//     the file system after a power cut: what was synced is there; of what was not, a random part
//     is. Mem.Clone is the file system after the process was killed: everything is there.
//   - FailNth: passes everything on and makes the n-th step fail.
//
// # What survives a power cut
//
// A file's bytes and size survive once its Sync returned; before, each 512-byte sector is the old
// or the new one, independently, and so is the size. A created, renamed or removed name survives
// once SyncDir of its directory returned; before, a prefix of the changes in that directory does.
// Bytes stored through a mapping are covered by Sync like bytes written.
//
// # Mapping
//
// Files are mapped through arena: File.Source. A mapped file may grow by Allocate, it is never
// shortened while it is mapped.
package vfs
