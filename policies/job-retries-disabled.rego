# METADATA
# title: A Job without retries fails when its node is drained
# description: backoffLimit 0 counts evictions and drained nodes as failures, too.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
# custom:
#   id: job-retries-disabled
#   severity: info
#   since: 0.1.0
package policies.job_retries_disabled

import data.crashlint

# A pod that is evicted, preempted or drained counts against backoffLimit unless
# podFailurePolicy ignores DisruptionTarget (pkg/controller/job/job_controller.go,
# syncJob; pod_failure_policy.go, matchPodFailurePolicy).
findings contains {
	"message": "backoffLimit is 0: the job fails for good with its first pod, even when that was only evicted or its node drained",
	"path": crashlint.field(crashlint.job_path, "backoffLimit"),
	"needs": [crashlint.field(crashlint.job_path, "podFailurePolicy")],
	"fix": {
		"message": "do not count disruptions: podFailurePolicy with action Ignore for DisruptionTarget",
		"safety": "unsafe",
		"ops": [{
			"op": "set",
			"path": crashlint.field(crashlint.job_path, "podFailurePolicy"),
			"value": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]},
		}],
	},
} if {
	crashlint.runs_to_completion
	crashlint.job.backoffLimit == 0
	not crashlint.job.podFailurePolicy
	not crashlint.job.backoffLimitPerIndex
	input.pod.restartPolicy == "Never"
}
