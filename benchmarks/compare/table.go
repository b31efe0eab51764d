package compare

import (
	"fmt"
	"io"
)

// Header is the first line of a table.
const Header = "suite\tcase\tours\tpeer-name\tpeer\tunit\tratio"

// WriteRows writes rows as lines of the table. What nothing stood beside is "none" and "-".
func WriteRows(w io.Writer, rows []Row) error {
	for _, r := range rows {
		if r.PeerName == "" {
			_, err := fmt.Fprintf(w, "%s\t%s\t%s\tnone\t-\t%s\t-\n", r.Suite, r.Case, Figure(r.Ours), r.Unit)
			if err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Suite, r.Case, Figure(r.Ours), r.PeerName, Figure(r.Peer), r.Unit, Figure(r.Ratio()))
		if err != nil {
			return err
		}
	}
	return nil
}
