// Package layout states the order of the module's packages as data and checks it.
package layout
