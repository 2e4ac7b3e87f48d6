# METADATA
# title: revisionHistoryLimit 0 leaves no revision to roll back to
# description: Old revisions are deleted as soon as they run no pods.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#clean-up-policy
# custom:
#   id: rollback-disabled
#   severity: info
#   since: 0.1.0
package policies.rollback_disabled

# A Deployment keeps old ReplicaSets (pkg/controller/deployment/sync.go,
# cleanupDeployment), the other two ControllerRevisions
# (pkg/controller/daemon/update.go, cleanupHistory;
# pkg/controller/statefulset/stateful_set_control.go, truncateHistory).
findings contains {
	"message": "revisionHistoryLimit is 0: no old revision is kept, and a release that crash-loops cannot be undone with kubectl rollout undo",
	"path": path,
	"fix": {
		"message": "remove it: Kubernetes keeps 10 revisions by default",
		"safety": "safe",
		"ops": [{"op": "remove", "path": path}],
	},
} if {
	not input.custom
	input.kind in {"Deployment", "StatefulSet", "DaemonSet"}
	input.object.spec.revisionHistoryLimit == 0
	path := ["spec", "revisionHistoryLimit"]
}
