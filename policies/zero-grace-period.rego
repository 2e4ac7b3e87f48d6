# METADATA
# title: terminationGracePeriodSeconds 0 leaves no time to shut down
# description: The process is killed seconds after SIGTERM, and the pod is deleted before it is gone.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#limitations
# - ref: https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/
# custom:
#   id: zero-grace-period
#   severity: info
#   since: 0.1.0
package policies.zero_grace_period

import data.crashlint

# With a period of 0 the API server removes the pod at once instead of waiting
# for the kubelet (pkg/registry/core/pod/strategy.go, CheckGracefulDelete, and
# apiserver's pkg/registry/rest/delete.go, BeforeDelete). The kubelet kills 2
# seconds after SIGTERM (pkg/kubelet/kuberuntime/kuberuntime_container.go,
# killContainer, minimumGracePeriodInSeconds).
findings contains {
	"message": sprintf("terminationGracePeriodSeconds is 0: the process is killed 2 s after SIGTERM, whatever it is writing%s", [consequence]),
	"path": path,
	"severity": severity,
	"fix": {
		"message": "remove it: the default is 30 s",
		"safety": "unsafe",
		"ops": [{"op": "remove", "path": path}],
	},
} if {
	input.pod.terminationGracePeriodSeconds == 0
	path := crashlint.pod_field("terminationGracePeriodSeconds")
}

default severity := "info"

severity := "warning" if stateful

default consequence := ""

consequence := sprintf(", and the pod is deleted before it is gone: the next %s-0 may start on the same volume beside it", [input.name]) if stateful

stateful if {
	input.kind == "StatefulSet"
	not input.custom
	count(input.object.spec.volumeClaimTemplates) > 0
}
