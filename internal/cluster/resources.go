package cluster

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/manifest"
)

// A Resource is what a container asks for and may use at most, in effect; nil
// where nothing sets it.
type Resource struct {
	Request, Limit *Value[resource.Quantity]
}

// Memory returns the container's effective memory request and limit, in bytes.
func (c *Cluster) Memory(ctr *manifest.Container) Resource { return Resource{} }

// CPU returns the container's effective CPU request and limit.
func (c *Cluster) CPU(ctr *manifest.Container) Resource { return Resource{} }
