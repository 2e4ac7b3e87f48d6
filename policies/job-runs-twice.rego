# METADATA
# title: backoffLimit 0 does not keep OnFailure from running the container again
# description: The kubelet restarts the container before the Job is failed for it.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
# custom:
#   id: job-runs-twice
#   severity: info
#   since: 0.1.0
package policies.job_runs_twice

import data.crashlint

# With OnFailure the Job is failed once a container's restartCount is above 0
# (pkg/controller/job/job_controller.go, pastBackoffLimitOnFailure), that is,
# after the kubelet has started it again; the pod is then deleted.
findings contains {
	"message": "backoffLimit is 0 but restartPolicy is OnFailure: a container that fails is started a second time, then the job fails and its pod is deleted together with the log",
	"path": crashlint.field(crashlint.job_path, "backoffLimit"),
	"related": [{"path": path, "message": "restarts the container"}],
	"fix": {
		"message": "set restartPolicy Never: it runs once, and the failed pod stays to be looked at",
		"safety": "unsafe",
		"ops": [{"op": "set", "path": path, "value": "Never"}],
	},
} if {
	crashlint.runs_to_completion
	crashlint.job.backoffLimit == 0
	input.pod.restartPolicy == "OnFailure"
	path := crashlint.pod_field("restartPolicy")
}
