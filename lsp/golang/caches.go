package golang

import (
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime/account"
)

// caches are what the language keeps beside the engine, for all engines of the process.
var caches = []account.Cache{
	{
		Name: "golang: syntax trees", Most: syntax.TreesBytes * syntax.TreeWeight,
		Bytes: func() int64 { return syntax.Trees.Held() * syntax.TreeWeight },
		Bound: func(most int64) { syntax.Trees.Bound(int(most / syntax.TreeWeight)) },
	},
	{
		Name: "golang: imported packages", Most: check.WorldsBytes * check.WorldWeight,
		Bytes: func() int64 { return check.Worlds.Held() * check.WorldWeight },
		Bound: func(most int64) { check.Worlds.Bound(int(most / check.WorldWeight)) },
	},
	{
		Name: "golang: texts and indexes", Most: blobsBytes, Bytes: blobs.held, Bound: blobs.bound,
	},
	{
		// A package that has no room here is checked as a whole for each edit, and the garbage of
		// that is more than what is kept.
		Name: "golang: packages that are edited", Most: check.SessionsBytes * check.SessionWeight, Share: 6,
		Bytes: func() int64 { return check.Sessions.Held() * check.SessionWeight },
		Bound: func(most int64) { check.Sessions.Bound(int(most / check.SessionWeight)) },
	},
	{
		Name: "golang: packages that are asked about", Most: check.ViewsBytes * check.ViewWeight,
		Bytes: func() int64 { return check.Views.Held() * check.ViewWeight },
		Bound: func(most int64) { check.Views.Bound(int(most / check.ViewWeight)) },
	},
}
