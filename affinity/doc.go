// Package affinity knows the processors that this process may use.
package affinity
