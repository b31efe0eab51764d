package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/runtime"
)

// A partitionStats is one line of db-stats.
type partitionStats struct {
	runtime.PartitionInfo
	Bytes *int64 `json:"bytes,omitempty"` // of the values; only if asked for
}

func (a *app) dbStatsCommand() *cobra.Command {
	var bytes bool
	cmd := &cobra.Command{
		Use:   "db-stats [DIR]",
		Short: "Print the partitions of the store and how many entries they have",
		Long: `db-stats prints the partitions of the store around DIR (default: the current directory) with their tiers, how many entries they have and the
generation in which they changed last, from counters. With --bytes it reads all of them and adds the sizes of their values; what two keys
share counts twice there, and once on disk.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			l, err := a.openStore(dirArg(args), "db-stats")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			st, parts := l.eng.Stats(), []partitionStats{}
			for _, p := range l.eng.Partitions() {
				ps := partitionStats{PartitionInfo: p}
				if bytes {
					n, err := l.eng.RecordBytes(p.Name)
					if err != nil {
						return err
					}
					ps.Bytes = &n
				}
				parts = append(parts, ps)
			}
			if a.flags.json {
				return a.printJSON(struct {
					Store       string           `json:"store"`
					Generation  uint64           `json:"generation"`
					Records     uint64           `json:"records"`
					LiveBytes   int64            `json:"liveBytes"`
					StoredBytes int64            `json:"storedBytes"`
					Partitions  []partitionStats `json:"partitions"`
				}{l.store, st.Generation, uint64(st.Store.Records), st.Store.LiveBytes, st.Store.StoredBytes, parts})
			}
			fmt.Fprintf(a.out, "%s\ngeneration %s; %s records, %s live, %s on disk\n\n", l.store, grouped(st.Generation),
				grouped(int64(st.Store.Records)), bytesText(st.Store.LiveBytes), bytesText(st.Store.StoredBytes))
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
			head := "partition\ttier\tentries\tchanged in\t"
			if bytes {
				head += "bytes\t"
			}
			fmt.Fprintln(tw, head)
			for _, p := range parts {
				tier, changed := p.Tier.String(), grouped(p.LastChanged)
				if p.Own {
					tier, changed = "the engine's", "-"
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t", p.Name, tier, grouped(p.Entries), changed)
				if p.Bytes != nil {
					fmt.Fprintf(tw, "%s\t", bytesText(*p.Bytes))
				}
				fmt.Fprintln(tw)
			}
			return tw.Flush()
		},
	}
	cmd.Flags().BoolVar(&bytes, "bytes", false, "read all values and add up their sizes")
	return cmd
}
