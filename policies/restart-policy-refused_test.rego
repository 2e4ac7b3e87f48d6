package policies.restart_policy_refused_test

import data.policies.restart_policy_refused

test_finds_never_where_pods_run_for_ever if {
	every kind in ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"] {
		every policy in ["Never", "OnFailure"] {
			some f in restart_policy_refused.findings with input as workload(kind, policy, {"restartPolicy": policy})
			f.path == ["spec", "template", "spec", "restartPolicy"]
		}
	}
}

test_finds_always_and_nothing_in_jobs if {
	every kind in ["Job", "CronJob"] {
		every pod in [{}, {"restartPolicy": "Always"}] {
			count(restart_policy_refused.findings) == 1 with input as workload(kind, "Always", pod)
		}
	}
}

test_says_that_it_is_missing if {
	some f in restart_policy_refused.findings with input as workload("Job", "Always", {})
	startswith(f.message, "restartPolicy is missing")
}

test_silent_on_what_is_allowed if {
	count(restart_policy_refused.findings) == 0 with input as workload("Deployment", "Always", {})
	count(restart_policy_refused.findings) == 0 with input as workload("Job", "Never", {"restartPolicy": "Never"})
	count(restart_policy_refused.findings) == 0 with input as workload("Pod", "Never", {"restartPolicy": "Never"})
}

test_silent_on_custom_resources if {
	count(restart_policy_refused.findings) == 0 with input as object.union(workload("Job", "Always", {}), {"custom": true})
}

workload(kind, policy, pod) := {
	"kind": kind, "custom": false, "restartPolicy": policy,
	"pod": pod, "podPath": ["spec", "template", "spec"],
}
