module github.com/cytisus/cytisus/benchmarks

go 1.26.0

require (
	github.com/Workiva/go-datastructures v1.1.7
	github.com/cytisus/cytisus v0.0.0
	github.com/klauspost/cpuid/v2 v2.4.2
	github.com/puzpuzpuz/xsync/v3 v3.5.1
	github.com/puzpuzpuz/xsync/v4 v4.5.0
)

require (
	github.com/stretchr/testify v1.11.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/cytisus/cytisus => ../
