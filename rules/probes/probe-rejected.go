package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/node"
	"github.com/crashlint/crashlint/internal/rule"
)

var probeRejected = &rule.Rule{
	ID:       "probe-rejected",
	Title:    "A probe that the API server refuses",
	Since:    "0.1.0",
	Severity: diag.Error,
	Workload: func(p *rule.Pass, w *manifest.Workload) {
		if w.Custom || cluster.IsPart(w) { // the whole may differ
			return
		}
		for _, ctr := range w.Containers {
			if ctr.Role == manifest.Init {
				forbidden(p, ctr)
			}
		}
		eachProbe(p, w, subject.rejected)
	},
}

// forbidden reports what an init container that runs to its end may not have
// (pkg/apis/core/validation/validation.go, validateInitContainers).
func forbidden(p *rule.Pass, ctr *manifest.Container) {
	if policy := ctr.RestartPolicy; policy != nil &&
		!slices.Contains([]corev1.ContainerRestartPolicy{corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure}, *policy) {
		return // to be replaced: ${RESTART_POLICY}
	}
	report := func(field string) {
		p.Report(rule.Finding{
			Object: ctr.Workload.Object, At: ctr.At(field), Target: node.KeyOf,
			Message: fmt.Sprintf("init container %q has a %s, which only containers that go on running may have: the API server refuses the pod", ctr.Name, field),
			Needs:   []node.Path{ctr.At("restartPolicy")},
			Fixes: []rule.Fix{{Message: "remove " + field + ": an init container is done when it exits", Safety: diag.Unsafe,
				Ops: []node.Op{{Kind: node.Remove, Path: ctr.At(field)}}}},
		})
	}
	if ctr.Lifecycle != nil {
		report("lifecycle")
	}
	for _, field := range []string{liveness, readiness, startup} {
		if ctr.Probe(field) != nil {
			report(field)
		}
	}
}

// rejected reports the fields of a probe that the API server refuses
// (validateLivenessProbe, validateReadinessProbe, validateStartupProbe and what
// they call), after the defaults, which replace 0.
func (s subject) rejected() {
	s.numbers()
	handlers := s.handlers()
	switch {
	case len(handlers) > 1:
		s.refuse(s.at(handlers[1]), node.KeyOf, "has "+strings.Join(handlers, " and ")+", and a probe takes one of them")
	case len(handlers) == 0 && s.complete():
		s.refuse(s.at(), node.KeyOf, "has none of exec, httpGet, tcpSocket and grpc")
	}
	switch {
	case s.probe.Exec != nil:
		if len(s.probe.Exec.Command) == 0 {
			s.refuse(s.at("exec", "command"), node.Value, "has no command")
		}
	case s.probe.HTTPGet != nil:
		s.portNumberOrName(s.probe.HTTPGet.Port, "httpGet")
		if scheme := s.probe.HTTPGet.Scheme; !slices.Contains([]corev1.URIScheme{"", corev1.URISchemeHTTP, corev1.URISchemeHTTPS}, scheme) {
			s.refuse(s.at("httpGet", "scheme"), node.Value, fmt.Sprintf("has the scheme %q, and knows HTTP and HTTPS only", scheme))
		}
		for i, h := range s.probe.HTTPGet.HTTPHeaders {
			if len(validation.IsHTTPHeaderName(h.Name)) > 0 {
				s.refuse(s.at("httpGet", "httpHeaders", i, "name"), node.Value, fmt.Sprintf("sends %q, which is no name of a header", h.Name))
			}
		}
	case s.probe.TCPSocket != nil:
		s.portNumberOrName(s.probe.TCPSocket.Port, "tcpSocket")
	case s.probe.GRPC != nil:
		s.portNumberOrName(intstr.FromInt32(s.probe.GRPC.Port), "grpc")
	}
}

func (s subject) refuse(at node.Path, target node.Target, fault string) {
	s.report(rule.Finding{At: at, Target: target}, "its %s %s: the API server refuses the pod", s.field, fault)
}

// numbers checks the numbers of the probe.
func (s subject) numbers() {
	for _, n := range []struct {
		field string
		value int32
	}{
		{"initialDelaySeconds", s.probe.InitialDelaySeconds}, {"timeoutSeconds", s.probe.TimeoutSeconds},
		{"periodSeconds", s.probe.PeriodSeconds}, {"failureThreshold", s.probe.FailureThreshold},
		{"successThreshold", s.probe.SuccessThreshold},
	} {
		switch at := s.at(n.field); {
		case n.value < 0:
			s.refuse(at, node.Value, fmt.Sprintf("has %s %d", n.field, n.value))
		case n.field == "successThreshold" && n.value > 1 && s.field != readiness:
			s.refuse(at, node.Value, fmt.Sprintf("has successThreshold %d, which must be 1 but for readiness", n.value))
		}
	}
	grace := s.probe.TerminationGracePeriodSeconds
	at := s.at("terminationGracePeriodSeconds")
	switch {
	case grace == nil:
	case s.field == readiness:
		s.refuse(at, node.KeyOf, "has terminationGracePeriodSeconds, and readiness ends nothing")
	case *grace <= 0:
		s.refuse(at, node.Value, fmt.Sprintf("has terminationGracePeriodSeconds %d, which must be above 0", *grace))
	}
}

// handlers are the handlers that the probe has.
func (s subject) handlers() []string {
	var found []string
	for name, set := range map[string]bool{
		"exec": s.probe.Exec != nil, "httpGet": s.probe.HTTPGet != nil, "tcpSocket": s.probe.TCPSocket != nil, "grpc": s.probe.GRPC != nil,
	} {
		if set {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// complete reports whether all that stands in the probe was understood: a
// handler that is misspelt is told of as an unknown field.
func (s subject) complete() bool {
	v, _ := s.ctr.Workload.Value(s.at())
	fields, ok := v.(map[string]any)
	for name := range fields {
		ok = ok && (strings.HasSuffix(name, "Seconds") || strings.HasSuffix(name, "Threshold"))
	}
	return ok
}

// portNumberOrName checks a port as ValidatePortNumOrName does. A text of
// digits alone is no name of a port.
func (s subject) portNumberOrName(port intstr.IntOrString, handler string) {
	at := s.at(handler, "port")
	switch {
	case !s.ctr.Workload.Has(at):
		s.refuse(s.at(handler), node.KeyOf, "names no port")
	case port.Type == intstr.Int:
		if len(validation.IsValidPortNum(port.IntValue())) > 0 {
			s.refuse(at, node.Value, fmt.Sprintf("asks port %d, which is not within 1 to 65535", port.IntVal))
		}
	default:
		problems := validation.IsValidPortName(port.StrVal)
		if len(problems) == 0 {
			return
		}
		f := rule.Finding{At: at}
		if number, err := strconv.ParseUint(port.StrVal, 10, 16); err == nil {
			f.Fixes = portFix(at, int64(number), "write the number without quotes")
		}
		s.report(f, "its %s asks the port named %q: a name %s: the API server refuses the pod", s.field, port.StrVal, problems[0])
	}
}
