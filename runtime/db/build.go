package db

// build makes nodes of sorted items and appends the entries for the level above to out. Items that
// fit into one node make one; more are spread evenly over as few as possible, unless long keys ask
// for more.
func (a *applier) build(level int, items, out []item) []item {
	for len(items) > 0 {
		nodes := (len(items) + a.fan - 1) / a.fan
		each := (len(items) + nodes - 1) / nodes
		take, text := 0, 0
		for take < each {
			text += items[take].keyLen()
			if text > textMax && take >= 2 {
				break
			}
			take++
		}
		l := newNode(level, items[:take])
		if level == 0 {
			a.made += int64(len(l.node.Load().raw))
		}
		out = append(out, item{from: l.node.Load(), link: l, fresh: true})
		items = items[take:]
	}
	return out
}
