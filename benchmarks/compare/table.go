package compare

import (
	"fmt"
	"io"
)

// Header is the first line of a table.
const Header = "suite\tcase\tours\tpeer-name\tpeer\tunit\tratio"

// WriteRows writes rows as lines of the table.
func WriteRows(w io.Writer, rows []Row) error {
	for _, r := range rows {
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Suite, r.Case, Figure(r.Ours), r.PeerName, Figure(r.Peer), r.Unit, Figure(r.Ratio()))
		if err != nil {
			return err
		}
	}
	return nil
}
