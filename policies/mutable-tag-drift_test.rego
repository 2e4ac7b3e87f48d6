package policies.mutable_tag_drift_test

import data.policies.mutable_tag_drift

test_finds_latest_and_no_tag if {
	every image in ["nginx", "nginx:latest", "registry.example:5000/team/app", "registry.example:5000/team/app:latest"] {
		some f in mutable_tag_drift.findings with input as pod({"image": image})
		f.path == ["spec", "containers", 0, "image"]
	}
}

test_finds_explicit_always if {
	count(mutable_tag_drift.findings) == 1 with input as pod({"image": "nginx", "imagePullPolicy": "Always"})
}

test_silent_on_versions_and_digests if {
	every image in ["nginx:1.29", "registry.example:5000/app:v1", "nginx@sha256:0123", "nginx:latest@sha256:0123"] {
		count(mutable_tag_drift.findings) == 0 with input as pod({"image": image})
	}
}

test_silent_when_the_node_keeps_the_image if {
	every policy in ["IfNotPresent", "Never"] {
		count(mutable_tag_drift.findings) == 0 with input as pod({"image": "nginx", "imagePullPolicy": policy})
	}
}

test_silent_on_a_patch if {
	count(mutable_tag_drift.findings) == 0 with input as pod({})
}

pod(spec) := {"containers": [{"name": "app", "path": ["spec", "containers", 0], "spec": spec}]}
