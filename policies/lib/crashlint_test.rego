package crashlint_test

import data.crashlint

test_tag if {
	crashlint.tag("nginx") == "latest"
	crashlint.tag("host:5000/a/b") == "latest"
	crashlint.tag("host:5000/a/b:v2") == "v2"
	not crashlint.tag("nginx:1@sha256:0")
}

test_paths if {
	crashlint.field(["a", 0], "b") == ["a", 0, "b"]
	crashlint.pod_field("volumes") == ["spec", "volumes"] with input as {"podPath": ["spec"]}
}
