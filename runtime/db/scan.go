package db

// get returns the record at key.
func get(src loader, n *node, key string) (Hash, bool, error) {
	if n == nil {
		return Hash{}, false, nil
	}
	for !n.leaf() {
		var err error
		if n, err = child(src, n, n.route(key)); err != nil {
			return Hash{}, false, err
		}
	}
	i, found := n.search(key)
	if !found {
		return Hash{}, false, nil
	}
	return n.value(i), true, nil
}

// span returns the positions of n's entries from lo to before hi; an empty hi is no bound. In an inner node they include the
// child that lo falls into.
func (n *node) span(lo, hi string) (from, to int) {
	if n.leaf() {
		from, _ = n.search(lo)
	} else {
		from = n.route(lo)
	}
	to = n.len()
	if hi != "" {
		to, _ = n.search(hi)
	}
	return from, to
}

// scan calls fn for the entries with lo <= key, and key < hi unless hi is empty, until it returns false. It
// reports whether it got to the end.
func scan(src loader, n *node, lo, hi string, reverse bool, fn func(string, Hash) bool) (bool, error) {
	if n == nil || hi != "" && lo >= hi {
		return true, nil
	}
	from, to := n.span(lo, hi)
	if n.leaf() {
		if from >= to {
			return true, nil
		}
		var room [fanMax]string
		for i, keys := 0, n.keys(from, to, room[:0]); i < len(keys); i++ {
			at := i
			if reverse {
				at = len(keys) - 1 - i
			}
			if !fn(keys[at], n.value(from+at)) {
				return false, nil
			}
		}
		return true, nil
	}
	for i := from; i < to; i++ {
		at := i
		if reverse {
			at = from + to - 1 - i
		}
		c, err := child(src, n, at)
		if err != nil {
			return false, err
		}
		if more, err := scan(src, c, lo, hi, reverse, fn); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// count returns the number of entries with lo <= key, and key < hi unless hi is empty. It reads the paths to the two bounds.
func count(src loader, n *node, lo, hi string) (uint64, error) {
	if n == nil || hi != "" && lo >= hi {
		return 0, nil
	}
	from, to := n.span(lo, hi)
	if n.leaf() {
		return uint64(max(to-from, 0)), nil
	}
	var sum uint64
	for i := from; i < to; i++ {
		// Only the first and the last child can lie across a bound.
		if i > from && i < to-1 || i > from && hi == "" {
			sum += n.kids[i].n
			continue
		}
		c, err := child(src, n, i)
		if err != nil {
			return 0, err
		}
		part, err := count(src, c, lo, hi)
		if err != nil {
			return 0, err
		}
		sum += part
	}
	return sum, nil
}

// prefixEnd returns the least string that is greater than every string which begins with p; "" if there is none.
func prefixEnd(p string) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			return p[:i] + string([]byte{p[i] + 1})
		}
	}
	return ""
}
