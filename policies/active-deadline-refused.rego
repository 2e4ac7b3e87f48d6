# METADATA
# title: Only Jobs and Pods may have activeDeadlineSeconds
# description: The API server refuses it in the pod template of anything that runs for ever.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
# custom:
#   id: active-deadline-refused
#   severity: error
#   since: 0.1.0
package policies.active_deadline_refused

import data.crashlint

# pkg/apis/apps/validation/validation.go: ValidatePodTemplateSpecForReplicaSet
# (Deployments, too), ValidateStatefulSetSpec, ValidateDaemonSetSpec;
# pkg/apis/core/validation/validation.go: ValidatePodTemplateSpecForRC.
findings contains {
	"message": sprintf("activeDeadlineSeconds is not allowed in the pods of a %s: the API server refuses it", [input.kind]),
	"path": path,
	"fix": {
		"message": "remove it",
		"safety": "safe",
		"ops": [{"op": "remove", "path": path}],
	},
} if {
	crashlint.runs_for_ever
	is_number(input.pod.activeDeadlineSeconds)
	path := crashlint.pod_field("activeDeadlineSeconds")
}
