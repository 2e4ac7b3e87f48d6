package cluster

import "sync"

// Memo returns what compute returned when it was first called for the key on
// this cluster. Several goroutines may ask at once: one computes, the others
// wait. The result lives as long as the cluster. Keys of different users must
// differ: use a type of your own.
func Memo[T any](c *Cluster, key any, compute func() T) T {
	once, ok := c.memo.Load(key)
	if !ok {
		once, _ = c.memo.LoadOrStore(key, sync.OnceValue(compute))
	}
	return once.(func() T)()
}
