//go:build !unix

package files

// A name is looked at before it is opened, and on these systems no name of a regular file waits.
const openFlags = 0
