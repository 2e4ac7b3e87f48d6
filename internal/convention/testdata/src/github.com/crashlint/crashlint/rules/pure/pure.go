package pure

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

const timeout = 3 * time.Second

var (
	table   = map[string]int{"a": 1}
	pattern = regexp.MustCompile("a+")
	lazy    = sync.OnceValue(func() int { return 1 })
	counter int
	nested  struct{ list []int }
	mu      sync.Mutex // want `package variable mu is a sync.Mutex: state that outlives a call`
	pointer = new(int)
)

func init() { // want `init runs at every start`
	counter = 1 // want `package variable counter is written to`
}

func reads(s string) (int, bool) {
	n := table[s] + lazy() + counter
	local := map[string]int{}
	local[s] = n
	delete(local, s)
	if local, ok := local[s]; ok {
		local++
		n = local
	}
	return n, pattern.MatchString(strings.ToLower(s)) && timeout > 0
}

func writes(s string) {
	table[s] = 1            // want `package variable table is written to`
	delete(table, s)        // want `package variable table is written to`
	counter++               // want `package variable counter is written to`
	nested.list[0] = 1      // want `package variable nested is written to`
	*pointer = 2            // want `package variable pointer is written to`
	for counter = range 3 { // want `package variable counter is written to`
	}
	for _, counter = range []int{1} { // want `package variable counter is written to`
	}
}

func looks() {
	fmt.Println(time.Now()) // want `fmt.Println writes to standard output` `time.Now looks at the clock`
	println("x")            // want `println writes to standard error`
	_ = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}
