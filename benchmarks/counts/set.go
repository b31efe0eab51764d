package counts

// A Benchmark is one that is counted.
type Benchmark struct {
	Package string // its directory, below the module's root
	Name    string // as go test prints it, without "Benchmark" and the processors
	Times   int    // how often the operation runs
}

// Set is what is counted. What an operation takes must be the same each time: waits between two
// threads have no part in it, nor has what follows a commit in the background while it is counted,
// nor what depends on the texts of Go's library. Answers about Go code are counted whole, by make
// bytes.
var Set = []Benchmark{
	{"queue", "Ring/shape=pair/queue=MPMC", 100_000},
	{"queue", "Ring/shape=pair/queue=SPSC", 100_000},
	{"queue", "Lanes/op=push-pop/overtake=false", 100_000},
	{"queue", "Lanes/op=push-pop/overtake=true", 100_000},
	{"queue", "Park/wait=token/parker=Parker", 100_000},
	{"epoch", "Pin/by=participant", 100_000},
	{"epoch", "Pin/by=guard/threads=1", 100_000},
	{"epoch", "Retire", 100_000},
	{"arena", "Confine", 100_000},
	{"arena", "Append", 100_000},
	{"mmapcas", "Put/form=memory/bytes=128", 20_000},
	{"mmapcas", "Put/form=files/bytes=128", 20_000},
	{"mmapcas", "PutAgain/records=16/elder=false/threads=1", 20_000},
	{"mmapcas", "Commit/sync=none", 20},
	{"mmapcas/hash", "Sum/bytes=1024", 20_000},
	{"runtime/sched", "Submit/by=Submit/workers=1", 20_000},
	{"runtime/sched", "Submit/by=Go/workers=1", 20_000},
	{"runtime/sched", "Spawn/by=Spawn/workers=1", 20_000},
	{"runtime/sched", "Await/tasks=2", 20_000},
	{"runtime/sched", "Yield", 20_000},
	{"runtime/memo", "Reuse/reads=100", 20_000},
	{"runtime/memo", "Ask/reads=100/changed=nothing", 5000},
	{"runtime/memo", "Ask/reads=100/changed=unread", 5000},
	{"runtime/memo", "Ask/reads=100/changed=read", 2000},
	{"runtime", "QueryHit", 20_000},
	{"runtime", "AskKnown", 20_000},
	{"runtime", "Peek", 20_000},
	{"runtime", "Update/together=1", 5000},
	{"runtime", "Scan/n=2000/workers=1", 50},
	{"runtime/keyed", "Covering/read=entries", 500},
	{"lsp/document", "Change/lines=500/changes=100", 500},
	{"lsp/position", "Mapper/op=new", 20},
	{"lsp/dispatch", "RoundTrip", 5000},
	{"lsp/server", "Hover", 5000},
	{"lsp/server", "Keystroke", 5000},
}
