package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/inspect"
)

func (a *app) recordsCommand() *cobra.Command {
	var p server.QueryRecordsParams
	cmd := &cobra.Command{
		Use:   "query-records PARTITION [DIR]",
		Short: "Print what a partition of the store holds",
		Long: `query-records prints the entries of one partition of the store around DIR (default: the current directory), in the order of their keys: key, size of the
value, value. cytisus db-stats lists the partitions. If another process serves the store, it is asked.

With --latest it reads from the greatest key down, and prints one entry unless --limit says how many.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return &usageError{fmt.Errorf("query-records takes the name of a partition (cytisus db-stats lists them) and perhaps a directory, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if p.Limit < 0 {
				return &usageError{fmt.Errorf("--limit is %d, want 0 (no limit) or more", p.Limit)}
			}
			in, _, err := a.openInspector(cmd.Context(), dirArg(args[1:]), "query-records")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, in.close()) }()
			if p.Partition = args[0]; p.Latest && !cmd.Flags().Changed("limit") {
				p.Limit = 1
			}
			records := []inspect.Record{}
			err = in.records(cmd.Context(), p, func(r inspect.Record) error {
				if a.flags.json {
					records = append(records, r)
					return nil
				}
				_, err := fmt.Fprintf(a.out, "%s\t%s\t%s\n", printable(r.Key), bytesText(int64(r.Bytes)), oneLine(r))
				return err
			})
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.printJSON(records)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&p.Prefix, "prefix", "", "only keys that begin with this")
	cmd.Flags().IntVar(&p.Limit, "limit", 0, "print no more than this many (0: all)")
	cmd.Flags().BoolVar(&p.Latest, "latest", false, "from the greatest key down; one, unless --limit says more")
	return cmd
}

// printable returns a key as it is if it shows, else quoted.
func printable(key string) string {
	if strings.IndexFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return strconv.Quote(key)
	}
	return key
}

// valueBytesMax bounds what is printed of a value for people; --json prints all of it.
const valueBytesMax = 200

// oneLine returns the value of a record on one line.
func oneLine(r inspect.Record) string {
	if r.Error != "" {
		return "! " + r.Error
	}
	var b bytes.Buffer
	if err := json.Compact(&b, r.Value); err != nil {
		return string(r.Value)
	}
	if b.Len() > valueBytesMax {
		return string(bytes.ToValidUTF8(b.Bytes()[:valueBytesMax], nil)) + "…"
	}
	return b.String()
}
