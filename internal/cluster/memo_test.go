package cluster

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestMemoComputesOnceForEachKeyAndCluster(t *testing.T) {
	type key int
	var computed atomic.Int32
	clusters := []*Cluster{New(nil, Options{}), New(nil, Options{})}
	var wg sync.WaitGroup
	for range 20 {
		for _, c := range clusters {
			for k := range key(3) {
				wg.Go(func() {
					if got := Memo(c, k, func() int { computed.Add(1); return int(k) * 10 }); got != int(k)*10 {
						t.Errorf("key %d gives %d", k, got)
					}
				})
			}
		}
	}
	wg.Wait()
	if n := computed.Load(); n != 6 {
		t.Errorf("computed %d times, want once for each of 3 keys and 2 clusters", n)
	}
}
