package db

// build makes nodes of sorted items and returns the entries for the level above. Items that fit into one node make one; more are spread
// evenly over as few as possible, unless long keys ask for more.
func (a *applier) build(level int, items []item, out []item) []item {
	for len(items) > 0 {
		nodes := (len(items) + a.fan - 1) / a.fan
		each := (len(items) + nodes - 1) / nodes
		take, text := 0, 0
		for take < each {
			text += len(items[take].key)
			if text > textMax && take >= 2 {
				break
			}
			take++
		}
		n := newNode(level, items[:take])
		out = append(out, item{key: items[0].key, child: n, n: n.count(), fresh: true})
		items = items[take:]
	}
	return out
}
