// Package links finds what leads out of a text: imports and required modules, which have
// documentation, and addresses in comments and strings. It knows one text, and of others what it is
// told.
package links
