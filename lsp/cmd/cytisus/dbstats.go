package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/server"
)

func (a *app) dbStatsCommand() *cobra.Command {
	var p server.DBStatsParams
	cmd := &cobra.Command{
		Use:   "db-stats [DIR]",
		Short: "Print the partitions of the store and how many entries they have",
		Long: `db-stats prints the partitions of the store around DIR (default: the current directory) with their durability, how many entries they have and the
generation in which they changed last, from counters. With --bytes it reads all of them and adds the sizes of their values; what two keys
share counts twice there, and once on disk. With --queries it reads all answers, and adds what those of each query take, in the store and in the
memory of the process that has it open. If another process serves the store, it is asked.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in, store, err := a.openInspector(cmd.Context(), dirArg(args), "db-stats")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, in.close()) }()
			st, err := in.dbStats(cmd.Context(), p)
			if err != nil {
				return err
			}
			st.Store = store
			if a.flags.json {
				return a.printJSON(st)
			}
			fmt.Fprintf(a.out, "%s\ngeneration %s; %s records, %s live, %s on disk\n\n", st.Store, grouped(st.Generation),
				grouped(int64(st.Records)), bytesText(st.LiveBytes), bytesText(st.StoredBytes))
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
			head := "partition\tdurability\tentries\tchanged in\t"
			if p.Bytes {
				head += "bytes\t"
			}
			fmt.Fprintln(tw, head)
			for _, p := range st.Partitions {
				durability, changed := p.Durability.String(), grouped(p.LastChanged)
				if p.Own {
					durability, changed = "the engine's", "-"
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t", p.Name, durability, grouped(p.Entries), changed)
				if p.Bytes != nil {
					fmt.Fprintf(tw, "%s\t", bytesText(*p.Bytes))
				}
				fmt.Fprintln(tw)
			}
			if err := tw.Flush(); err != nil || !p.Queries {
				return err
			}
			fmt.Fprintln(a.out)
			fmt.Fprintln(tw, "query\tanswers in the store\tbytes\teach\tin memory\tbytes\teach\t")
			for _, q := range st.Queries {
				fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t\n", q.Query, grouped(q.InStore), bytesText(q.Stored), q.Stored/max(q.InStore, 1),
					grouped(q.InMemory), bytesText(q.Heap), q.Heap/max(q.InMemory, 1))
			}
			return tw.Flush()
		},
	}
	cmd.Flags().BoolVar(&p.Bytes, "bytes", false, "read all values and add up their sizes")
	cmd.Flags().BoolVar(&p.Queries, "queries", false, "read all answers and say what those of each query take")
	return cmd
}
