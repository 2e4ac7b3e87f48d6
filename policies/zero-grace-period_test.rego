package policies.zero_grace_period_test

import data.policies.zero_grace_period

test_info_for_what_keeps_nothing if {
	some f in zero_grace_period.findings with input as workload("Deployment", {}, {"terminationGracePeriodSeconds": 0})
	f.severity == "info"
	f.path == ["spec", "template", "spec", "terminationGracePeriodSeconds"]
}

test_warning_for_a_database if {
	some f in zero_grace_period.findings with input as workload("StatefulSet", {"volumeClaimTemplates": [{}]}, {"terminationGracePeriodSeconds": 0})
	f.severity == "warning"
	contains(f.message, "db-0")
}

test_silent_by_default_and_above_zero if {
	every pod in [{}, {"terminationGracePeriodSeconds": 1}] {
		count(zero_grace_period.findings) == 0 with input as workload("StatefulSet", {"volumeClaimTemplates": [{}]}, pod)
	}
}

workload(kind, spec, pod) := {
	"kind": kind, "name": "db", "custom": false, "object": {"kind": kind, "spec": spec},
	"pod": pod, "podPath": ["spec", "template", "spec"],
}
