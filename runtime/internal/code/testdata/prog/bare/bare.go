// Package bare does not give its sources.
package bare

// Number is what others count on.
func Number() int { return 1 }
