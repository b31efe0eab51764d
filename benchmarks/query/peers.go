package query

import (
	"context"
	"time"
)

// recompute computes everything from a map of texts.
type recompute struct {
	shape
	texts map[string]string
}

func newRecompute(_ context.Context, _ string, s shape) (contender, error) {
	r := &recompute{s, make(map[string]string, s.files)}
	for i := range s.files {
		r.texts[key(i)] = "text"
	}
	r.texts["shared"] = "text"
	return r, nil
}

func (r *recompute) set(_ context.Context, key, text string) error {
	r.texts[key] = text
	return nil
}

func (r *recompute) ask(context.Context) (sum int, took time.Duration, err error) {
	began := time.Now()
	for i := range r.files {
		sum += r.own(i)
	}
	return sum, time.Since(began), nil
}

func (r *recompute) one(context.Context) (length int, took time.Duration, err error) {
	began := time.Now()
	length = len(r.texts[key(0)])
	return length, time.Since(began), nil
}

func (r *recompute) close() error { return nil }

// own is the answer about the file i.
func (r *recompute) own(i int) int {
	own := len(r.texts[key(i)])
	if r.shared {
		own += len(r.texts["shared"])
	}
	return own
}

// byHand keeps the sums of the tree and knows which of them a file is in.
type byHand struct {
	recompute
	levels [][]int // the first are the files' own
	at     map[string]int
	dirty  []int
	joint  bool // the shared text changed
}

func newByHand(ctx context.Context, dir string, s shape) (contender, error) {
	c, err := newRecompute(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	h := &byHand{recompute: *c.(*recompute), at: make(map[string]int, s.files), joint: true}
	for i := range s.files {
		h.at[key(i)] = i
	}
	for n := s.files; ; n = (n + 9) / 10 {
		h.levels = append(h.levels, make([]int, n))
		if n == 1 {
			break
		}
	}
	return h, nil
}

func (h *byHand) set(_ context.Context, key, text string) error {
	h.texts[key] = text
	if i, ok := h.at[key]; ok {
		h.dirty = append(h.dirty, i)
	}
	h.joint = h.joint || h.shared && key == "shared"
	return nil
}

// ask adds up once more what has changed.
func (h *byHand) ask(context.Context) (sum int, took time.Duration, err error) {
	began := time.Now()
	if h.joint { // or at first
		h.joint, h.dirty = false, h.dirty[:0]
		for i := range h.files {
			h.dirty = append(h.dirty, i)
		}
	}
	for _, i := range h.dirty {
		more := h.own(i) - h.levels[0][i]
		for _, level := range h.levels {
			level[i] += more
			i /= 10
		}
	}
	h.dirty = h.dirty[:0]
	return h.levels[len(h.levels)-1][0], time.Since(began), nil
}
