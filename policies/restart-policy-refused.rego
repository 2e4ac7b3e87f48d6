# METADATA
# title: The workload does not allow this restartPolicy
# description: Jobs take Never and OnFailure, which must be written; everything that runs for ever takes Always only.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-template
# custom:
#   id: restart-policy-refused
#   severity: error
#   since: 0.1.0
package policies.restart_policy_refused

import data.crashlint

# pkg/apis/apps/validation/validation.go: ValidatePodTemplateSpecForReplicaSet
# (Deployments, too), ValidateStatefulSetSpec, ValidateDaemonSetSpec;
# pkg/apis/core/validation/validation.go: ValidatePodTemplateSpecForRC.
findings contains {
	"message": sprintf("restartPolicy is %s, but a %s takes Always only: the API server refuses it", [input.pod.restartPolicy, input.kind]),
	"path": path,
	"fix": {
		"message": "remove it: Always is the default",
		"safety": "safe",
		"ops": [{"op": "remove", "path": path}],
	},
} if {
	crashlint.runs_for_ever
	input.pod.restartPolicy in {"OnFailure", "Never"}
	path := crashlint.pod_field("restartPolicy")
}

# pkg/apis/batch/validation/validation.go, validateJobSpec; the default is
# Always (pkg/apis/core/v1/defaults.go, SetDefaults_PodSpec).
findings contains {
	"message": sprintf("%s, but a %s takes Never or OnFailure only: the API server refuses it", [written, input.kind]),
	"path": path,
	"fix": {
		"message": "set restartPolicy Never",
		"safety": "unsafe",
		"ops": [{"op": "set", "path": path, "value": "Never"}],
	},
} if {
	crashlint.runs_to_completion
	input.restartPolicy == "Always"
	path := crashlint.pod_field("restartPolicy")
	written := {true: "restartPolicy is Always", false: "restartPolicy is missing and defaults to Always"}["restartPolicy" in object.keys(input.pod)]
}
