package cluster

import (
	"math/big"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
)

// A ScaledLimit is the range in which a VerticalPodAutoscaler moves the memory
// limit of a container. The autoscaler recommends a request from what it has
// measured, keeps that between minAllowed and maxAllowed, and changes the limit
// in proportion.
type ScaledLimit struct {
	// By is the VerticalPodAutoscaler, Mode its updateMode.
	By   *manifest.Object
	Mode string
	// Policy is the path of the container policy in force, nil for none, and Own
	// is true when it names the container.
	Policy node.Path
	Own    bool
	// Request and Limit are what the container has without the autoscaler.
	Request, Limit *Value[resource.Quantity]
	// Least and Most are the bounds of the limit, in bytes, from the fields that
	// set them; nil where there is none.
	Least, Most *Value[resource.Quantity]
	// OpenLeast and OpenMost are true when the files do not decide a bound.
	OpenLeast, OpenMost bool
}

// Scaled returns the limit that goes with a request of the given bytes: they
// stay in the proportion in which they are written
// (vertical-pod-autoscaler/pkg/utils/vpa/limit_and_request_scaling.go,
// getProportionalResourceLimit).
func (s ScaledLimit) Scaled(request int64) int64 { return s.scale(request, s.Limit, s.Request) }

// Unscaled returns the request that goes with a limit of the given bytes.
func (s ScaledLimit) Unscaled(limit int64) int64 { return s.scale(limit, s.Request, s.Limit) }

func (s ScaledLimit) scale(n int64, numerator, denominator *Value[resource.Quantity]) int64 {
	if s.Request == nil || s.Request.V.Value() == 0 {
		return n
	}
	scaled := new(big.Int).Mul(big.NewInt(n), big.NewInt(numerator.V.Value()))
	scaled.Div(scaled, big.NewInt(denominator.V.Value()))
	if !scaled.IsInt64() {
		return 1<<63 - 1
	}
	return scaled.Int64()
}

// recommendedLeast is the least memory, in bytes, that the recommender asks for
// all containers of a pod together unless it is told otherwise
// (--pod-recommendation-min-memory-mb; pkg/recommender/logic/recommender.go).
const recommendedLeast = 250 << 20

// ScaledLimit returns how a VerticalPodAutoscaler of the files moves the
// container's memory limit, false when none is sure to: it must update pods, leave
// the container, its memory and its limits under control, and be the only one. The
// pods that it measures first have the limit as written.
func (c *Cluster) ScaledLimit(ctr *manifest.Container) (ScaledLimit, bool) {
	found := c.governing(ctr.Workload.Object, c.index.autoscalers[objectKey{ctr.Workload.Kind, ctr.Workload.Name}])
	if len(found) != 1 || ctr.Role != manifest.App || ctr.Partial {
		return ScaledLimit{}, false
	}
	o := found[0]
	written := c.Admitted(ctr, corev1.ResourceMemory)
	s := ScaledLimit{By: o, Mode: "Recreate", Request: written.Request, Limit: written.Limit}
	if s.Limit == nil || s.Limit.V.Value() <= 0 || written.OpenRequest {
		return ScaledLimit{}, false
	}
	// Off without quotes is a boolean, which the API server refuses.
	switch mode, ok := o.Value(node.P("spec", "updatePolicy", "updateMode")); {
	case mode == "Initial", mode == "Recreate", mode == "Auto", mode == "InPlaceOrRecreate", mode == "InPlace":
		s.Mode = mode.(string)
	case ok && mode != nil && mode != "":
		return ScaledLimit{}, false
	}
	policies := node.P("spec", "resourcePolicy", "containerPolicies")
	for i, policy := range list(o, policies) {
		if name := policy["containerName"]; name == ctr.Name || name == "*" && !s.Own {
			s.Policy, s.Own = policies.Append(i), name == ctr.Name
		}
	}
	if s.Policy != nil && !scalesMemoryLimit(o, s.Policy) {
		return ScaledLimit{}, false
	}
	bound := func(field string) (*Value[resource.Quantity], bool) {
		if s.Policy == nil {
			return nil, false
		}
		at := s.Policy.Append(field, string(corev1.ResourceMemory))
		v := quantityAt(o, at)
		switch {
		case v == nil:
			return nil, o.Has(at)
		case v.V.IsZero():
			return nil, false // capping.go, maybeCapToMin: 0 is no bound
		}
		return &Value[resource.Quantity]{V: *resource.NewQuantity(s.Scaled(v.V.Value()), resource.BinarySI), From: v.From}, false
	}
	s.Least, s.OpenLeast = bound("minAllowed")
	s.Most, s.OpenMost = bound("maxAllowed")
	if s.Least == nil && !s.OpenLeast {
		s.Least, s.OpenLeast = c.unaskedLeast(ctr, s)
	}
	return s, true
}

// scalesMemoryLimit reports whether the policy leaves the memory and limits of
// its container under control.
func scalesMemoryLimit(o *manifest.Object, policy node.Path) bool {
	is := func(field, fallback string) bool {
		v, ok := o.Value(policy.Append(field))
		return !ok || v == nil || v == fallback
	}
	if !is("mode", "Auto") || !is("controlledValues", "RequestsAndLimits") {
		return false
	}
	v, _ := o.Value(policy.Append("controlledResources"))
	resources, ok := v.([]any)
	if !ok {
		return v == nil
	}
	for _, r := range resources {
		if r == string(corev1.ResourceMemory) {
			return true
		}
	}
	return false
}

// unaskedLeast is the least limit where no policy sets one: what the recommender
// asks for at the least, or the min of a LimitRange
// (vertical-pod-autoscaler/pkg/utils/vpa/capping.go, getMinAllowedRecommendation).
func (c *Cluster) unaskedLeast(ctr *manifest.Container, s ScaledLimit) (least *Value[resource.Quantity], open bool) {
	if v, ok := s.By.Value(node.P("spec", "recommenders")); ok && v != nil {
		return nil, true // another recommender has its own
	}
	bytes := s.Scaled(recommendedLeast / int64(len(ctr.Workload.Pod.Containers)))
	least = &Value[resource.Quantity]{V: *resource.NewQuantity(bytes, resource.BinarySI), From: Origin{Default: "the recommender's own minimum"}}
	for _, l := range c.LimitRanges(ctr.Workload) {
		for _, item := range l.Items {
			if v := item.Min[corev1.ResourceMemory]; item.Type == corev1.LimitTypeContainer && v != nil && v.V.Cmp(least.V) > 0 {
				least = v
			}
		}
	}
	return least, false
}
