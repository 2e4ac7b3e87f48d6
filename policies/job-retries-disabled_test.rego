package policies.job_retries_disabled_test

import data.policies.job_retries_disabled

test_finds_zero_in_a_job if {
	some f in job_retries_disabled.findings with input as job({"backoffLimit": 0}, "Never")
	f.path == ["spec", "backoffLimit"]
}

test_finds_zero_in_a_cronjob if {
	some f in job_retries_disabled.findings with input as {
		"kind": "CronJob", "custom": false, "pod": {"restartPolicy": "Never"},
		"object": {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"backoffLimit": 0}}}},
	}
	f.path == ["spec", "jobTemplate", "spec", "backoffLimit"]
}

test_silent_with_retries_or_a_policy if {
	every spec in [{}, {"backoffLimit": 1}, {"backoffLimit": 0, "podFailurePolicy": {"rules": []}}, {"backoffLimit": 0, "backoffLimitPerIndex": 1}] {
		count(job_retries_disabled.findings) == 0 with input as job(spec, "Never")
	}
}

test_silent_with_on_failure if {
	count(job_retries_disabled.findings) == 0 with input as job({"backoffLimit": 0}, "OnFailure")
}

job(spec, policy) := {"kind": "Job", "custom": false, "object": {"kind": "Job", "spec": spec}, "pod": {"restartPolicy": policy}}
