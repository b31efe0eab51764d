// Package inspect shows people and tools what lies in an engine's store, its partitions, also those
// that the program does not define, their records, and whether everything is whole; and who holds
// the memory of the process.
//
// It reads the newest generation. Its functions are refused inside a query (runtime.ErrInQuery) and
// on an engine that is closed (runtime.ErrClosed), as those of package runtime are.
package inspect
