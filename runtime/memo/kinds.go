package memo

import "github.com/cytisus/cytisus/mmapcas"

// Kinds of the records of answers; 16 to 31 are reserved for this package.
const (
	KindTrace  mmapcas.Kind = 16 // the traces of a key
	KindParts  mmapcas.Kind = 17 // a result that is a table; see "Parts of an answer"
	KindLedger mmapcas.Kind = 18 // what changed lately
)
