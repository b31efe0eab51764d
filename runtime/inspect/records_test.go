package inspect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

type point struct{ X, Y int }

var (
	points = runtime.NewPartition[point]("points")
	blobs  = runtime.NewPartition[[]byte]("blobs")

	// Two definitions of one name say nothing about how to show a value; so do none.
	_          = runtime.NewPartition[point]("points twice")
	alsoPoints = runtime.NewPartition[point]("points twice")
	_          = runtime.NewPartition[[]byte]("blobs twice")
	alsoBlobs  = runtime.NewPartition[[]byte]("blobs twice")
)

func TestRecordsShowWhatIsThere(t *testing.T) {
	e := open(t, "")
	put(t, e, points, "p", point{1, 2})
	put(t, e, alsoPoints, "p", point{1, 200})
	put(t, e, blobs, "text", []byte("text"))
	put(t, e, blobs, "text\xff", []byte("not \xff text"))
	put(t, e, alsoBlobs, "text", []byte("12"))
	put(t, e, alsoBlobs, "zero", nil)
	put(t, e, alsoBlobs, "not", []byte("\xff\xff"))
	for partition, want := range map[string]string{
		"points":       `p={"X":1,"Y":2}`,
		"points twice": `p="{\"X\": 1, \"Y\": 200}"`,
		"blobs":        `text="text" 0x74657874ff="0x6e6f7420ff2074657874"`,
		"blobs twice":  `not="0xffff" text="12" zero=""`,
	} {
		var got []string
		err := inspect.Records(e, partition, runtime.All(), func(r inspect.Record) error {
			got = append(got, r.Key+"="+string(r.Value))
			return nil
		})
		if g := strings.Join(got, " "); err != nil || g != want {
			t.Errorf("%s: %s, %v; want %s", partition, g, err, want)
		}
	}
	if n, err := inspect.Bytes(e, "blobs twice"); err != nil || n != 4 {
		t.Errorf("%d bytes, %v", n, err)
	}

	enough := errors.New("enough")
	n := 0
	err := inspect.Records(e, "blobs", runtime.All(), func(inspect.Record) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("stopped with %v after %d", err, n)
	}

	var none *inspect.NoPartitionError
	err = inspect.Records(e, "blops", runtime.All(), func(inspect.Record) error { return nil })
	if !errors.As(err, &none) || !errors.Is(err, runtime.ErrNotFound) || !strings.Contains(err.Error(), "blobs, blobs twice, points") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := inspect.Bytes(e, "blops"); !errors.As(err, &none) {
		t.Errorf("an unknown name: %v", err)
	}
	var names []string
	all, err := inspect.Partitions(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		names = append(names, p.Name)
		if strings.HasPrefix(p.Name, "$") != p.Own {
			t.Errorf("%+v", p)
		}
	}
	if strings.Join(names, " ") != "$gc $memo blobs blobs twice points points twice" {
		t.Errorf("partitions %q", names)
	}
}
