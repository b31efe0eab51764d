package golang

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/cytisus/cytisus/runtime"
)

// A gathering puts together what the items of a build come to, such as the headers of its files, by
// a tree of queries. The items of a build are dealt into groups by hash. A leaf of the tree is what
// the items of one group come to, a blob, and what stands above it names the blobs below. So a
// change of one item costs its group and the way from there to the top, however many items there
// are, and two states differ in the groups whose blobs do.
type gathering struct {
	groups *runtime.Table[string, []string] // of a root: the items of each group, and gatheringDepth
	nodes  *runtime.Query[gatheringKey, []gathered]
}

// A gatheringKey names a node of the tree: that of all groups whose names begin with At.
type gatheringKey struct {
	Root  string
	Depth int // of the tree: the digits in the name of a group
	At    string
}

// A gathered is what a group comes to, if it comes to anything.
type gathered struct {
	At string // the name of the group
	Of runtime.Blob
}

const (
	gatheringFan   = 16      // groups are named by hexadecimal digits
	gatheringMost  = 32      // items of a group, on average: more make the tree deeper
	gatheringDepth = "depth" // the name, in the table of groups, of how deep the tree is
)

// An item of a build, and what decides its group: items that have the same are in one group.
type gatheringItem struct{ name, by string }

// newGathering makes the queries of a gathering. What group gives for the items of a group is what
// they come to; nothing at all is left out.
func newGathering(
	name string, n int, items func(t *runtime.Task, root string) ([]gatheringItem, error), group func(t *runtime.Task, root string, items []string) ([]byte, error),
) *gathering {
	g := &gathering{}
	g.groups = runtime.NewTable(name+"-groups", version(n), func(t *runtime.Task, root string) (map[string][]string, error) {
		all, err := items(t, root)
		if err != nil {
			return nil, err
		}
		depth := 0
		for most := gatheringMost; len(all) > most; most *= gatheringFan {
			depth++
		}
		groups := map[string][]string{gatheringDepth: {strconv.Itoa(depth)}}
		for _, it := range all {
			sum := sha256.Sum256([]byte(it.by))
			at := hex.EncodeToString(sum[:])[:depth]
			groups[at] = append(groups[at], it.name)
		}
		return groups, nil
	})
	g.nodes = runtime.NewQuery(name, version(n), func(t *runtime.Task, k gatheringKey) ([]gathered, error) {
		if len(k.At) == k.Depth {
			return g.leaf(t, k, group)
		}
		below := make([]gatheringKey, gatheringFan)
		for i := range below {
			below[i] = gatheringKey{k.Root, k.Depth, k.At + strconv.FormatInt(int64(i), gatheringFan)}
		}
		parts, err := g.nodes.All(t, below)
		if err != nil {
			return nil, err
		}
		var out []gathered
		for _, part := range parts {
			out = append(out, part...)
		}
		return out, nil
	})
	return g
}

func (g *gathering) leaf(t *runtime.Task, k gatheringKey, group func(t *runtime.Task, root string, items []string) ([]byte, error)) ([]gathered, error) {
	items, _, err := g.groups.Get(t, k.Root, k.At)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	text, err := group(t, k.Root, items)
	if err != nil || len(text) == 0 {
		return nil, err
	}
	blob, err := t.PutBlob(text)
	return []gathered{{k.At, blob}}, err
}

// all returns what the groups of a build come to, in the order of their names.
func (g *gathering) all(t *runtime.Task, root string) ([]gathered, error) {
	depth, _, err := g.groups.Get(t, root, gatheringDepth)
	if err != nil || len(depth) == 0 {
		return nil, err
	}
	n, err := strconv.Atoi(depth[0])
	if err != nil {
		return nil, err
	}
	return g.nodes.Get(t, gatheringKey{Root: root, Depth: n})
}
