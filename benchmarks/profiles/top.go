package profiles

import (
	"bytes"
	"flag"
	"fmt"
	"io"

	"github.com/google/pprof/driver"
)

// Top is the table of functions of a file with a profile, as go tool pprof makes it. With a base,
// it is of what differs.
func Top(file, base, valueType string, lines int) (string, error) {
	const name = "top" // where the driver is told to write to
	out := &sink{}
	args := []string{"-top", fmt.Sprintf("-nodecount=%d", lines), "-symbolize=none", "-sample_index=" + valueType, "-output=" + name}
	if base != "" {
		args = append(args, "-diff_base="+base)
	}
	err := driver.PProf(&driver.Options{
		Flagset: &flagSet{flag.NewFlagSet("pprof", flag.ContinueOnError), append(args, file)},
		Writer:  out,
		UI:      quiet{},
	})
	if err != nil {
		return "", fmt.Errorf("profiles: table of %s: %w", file, err)
	}
	return out.String(), nil
}

// A sink takes what the driver writes.
type sink struct{ bytes.Buffer }

func (s *sink) Open(string) (io.WriteCloser, error) { return s, nil }

func (s *sink) Close() error { return nil }

// A flagSet gives the driver a command line.
type flagSet struct {
	*flag.FlagSet
	args []string
}

func (f *flagSet) StringList(name, def, usage string) *[]*string {
	list := &[]*string{}
	f.Func(name, usage, func(s string) error {
		*list = append(*list, &s)
		return nil
	})
	return list
}

func (f *flagSet) ExtraUsage() string { return "" }

func (f *flagSet) AddExtraUsage(string) {}

func (f *flagSet) Parse(usage func()) []string {
	f.Usage = usage
	if err := f.FlagSet.Parse(f.args); err != nil {
		return nil
	}
	return f.Args()
}

// quiet is a user that reads nothing.
type quiet struct{}

func (quiet) ReadLine(string) (string, error)     { return "", io.EOF }
func (quiet) Print(...any)                        {}
func (quiet) PrintErr(...any)                     {}
func (quiet) IsTerminal() bool                    { return false }
func (quiet) WantBrowser() bool                   { return false }
func (quiet) SetAutoComplete(func(string) string) {}
