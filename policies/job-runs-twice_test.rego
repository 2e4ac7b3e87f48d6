package policies.job_runs_twice_test

import data.policies.job_runs_twice

test_finds_zero_with_on_failure if {
	some f in job_runs_twice.findings with input as job({"backoffLimit": 0}, "OnFailure")
	f.path == ["spec", "backoffLimit"]
	f.related[0].path == ["spec", "template", "spec", "restartPolicy"]
}

test_silent_with_retries if {
	every spec in [{}, {"backoffLimit": 1}] {
		count(job_runs_twice.findings) == 0 with input as job(spec, "OnFailure")
	}
}

test_silent_with_never if {
	count(job_runs_twice.findings) == 0 with input as job({"backoffLimit": 0}, "Never")
}

job(spec, policy) := {
	"kind": "Job", "custom": false, "object": {"kind": "Job", "spec": spec},
	"pod": {"restartPolicy": policy}, "podPath": ["spec", "template", "spec"],
}
