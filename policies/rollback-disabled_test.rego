package policies.rollback_disabled_test

import data.policies.rollback_disabled

test_finds_zero if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		some f in rollback_disabled.findings with input as workload(kind, {"revisionHistoryLimit": 0})
		f.path == ["spec", "revisionHistoryLimit"]
	}
}

test_silent_without_it_or_above_zero if {
	every spec in [{}, {"revisionHistoryLimit": 1}] {
		count(rollback_disabled.findings) == 0 with input as workload("Deployment", spec)
	}
}

test_silent_on_kinds_without_history if {
	count(rollback_disabled.findings) == 0 with input as workload("Job", {"revisionHistoryLimit": 0})
}

workload(kind, spec) := {"kind": kind, "custom": false, "object": {"kind": kind, "spec": spec}}
