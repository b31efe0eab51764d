//go:build !check

package db

func checkTree(*link) {}

func checkPoint(*DB, *tree, string, Hash) {}
