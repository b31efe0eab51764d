// Package keyed gives the keys of partitions a type with an order.
//
// A Partition has keys that are structs, numbers or text in the place of strings: what is said of a
// file by a producer is read by both, or by the file alone, without a separator that neither may
// hold. A Covering has an entry beside each value, which lies in the index and is read without the
// value: an outline shows a name and a kind, and the declaration is read for one symbol only.
//
// Both are runtime.Partitions of the same name underneath, changed in the same commits and seen
// through the same snapshots. Untyped is that partition, for what takes one, such as a watch.
//
// # Keys
//
// A key is a string or []byte, an integer, a bool, an array of bytes, or a struct of these and of
// such structs, with exported fields only. Keys are ordered by their fields, the first one first:
// text as bytes, numbers as numbers, false before true. The form in which keys are stored is fixed
// for each type, and a change of the type makes keys that are stored unreadable: a partition whose
// keys change their type takes another name.
package keyed
