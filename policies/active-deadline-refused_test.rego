package policies.active_deadline_refused_test

import data.policies.active_deadline_refused

test_finds_it_where_pods_run_for_ever if {
	every kind in ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"] {
		some f in active_deadline_refused.findings with input as workload(kind, {"activeDeadlineSeconds": 600})
		f.path == ["spec", "template", "spec", "activeDeadlineSeconds"]
	}
}

test_silent_where_it_is_allowed_or_absent if {
	count(active_deadline_refused.findings) == 0 with input as workload("Job", {"activeDeadlineSeconds": 600})
	count(active_deadline_refused.findings) == 0 with input as workload("Deployment", {})
}

workload(kind, pod) := {"kind": kind, "custom": false, "pod": pod, "podPath": ["spec", "template", "spec"]}
