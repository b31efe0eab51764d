package revisions

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// Write prints the rows that differ, or, if all is set, every row, and then how many there are.
func Write(w io.Writer, base, head string, verdicts []Verdict, all bool) error {
	worse, better := 0, 0
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "package\tbenchmark\tunit\t%s\t%s\tchange\tchance\n", base, head)
	for _, v := range verdicts {
		word := ""
		switch {
		case v.Worse():
			worse++
			word = "worse"
		case v.Differs:
			better++
			word = "better"
		case !all:
			continue
		}
		change := fmt.Sprintf("%+.1f %%", 100*v.Change)
		if math.IsInf(v.Change, 0) {
			change = "new"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.4g\t%.4g\t%s\t%.2g %s\n", v.Package, v.Name, v.Unit, v.Base, v.Head, change, v.Probability, word)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d rows: %d worse, %d better, the others alike as far as can be told\n", len(verdicts), worse, better)
	return err
}
