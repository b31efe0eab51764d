package main

import "context"

func (a *app) openAsker(ctx context.Context, from string) (asker, error) {
	return a.openLocal(ctx, from, "ask")
}
