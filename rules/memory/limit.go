package memory

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

// usableLimit returns the container's memory limit, false where there is none, or
// one in which nothing runs: memory-limit-in-millibytes and memory-limit-too-low
// speak of that.
func usableLimit(c *cluster.Cluster, ctr *manifest.Container) (*cluster.Value[resource.Quantity], bool) {
	limit := c.Memory(ctr).Limit
	return limit, limit != nil && limit.V.Value() >= meant
}

// limitRelated points to where the limit is written.
func limitRelated(ctr *manifest.Container, limit *cluster.Value[resource.Quantity]) []rule.Related {
	from := limit.From
	if from.Object == nil {
		return nil
	}
	message := "memory limit " + limit.V.String()
	if from.Object != ctr.Workload.Object {
		message += " from " + from.Object.String()
	}
	return []rule.Related{{Object: from.Object, At: from.Path, Within: from.Within, Message: message}}
}

// size writes bytes as Kubernetes does, in whole Gi or else in Mi.
func size(n uint64) string {
	if n >= 1<<30 && n%(1<<30) == 0 {
		return fmt.Sprintf("%dGi", n>>30)
	}
	return fmt.Sprintf("%dMi", n>>20)
}

// trim writes a percentage without needless digits.
func trim(f float64) string {
	if f >= 99 && f < 100 {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}
