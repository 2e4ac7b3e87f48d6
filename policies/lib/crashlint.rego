# METADATA
# title: crashlint's library for policies
# description: import data.crashlint
package crashlint

# The kinds whose pods must run for ever and those whose pods must end, as
# Kubernetes knows them: a custom resource may have a kind of the same name.
runs_for_ever if {
	not input.custom
	input.kind in {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"}
}

runs_to_completion if {
	not input.custom
	input.kind in {"Job", "CronJob"}
}

# The specification of a Job, or of the Jobs that a CronJob makes, and its path.
job := input.object.spec if input.kind == "Job"

job := input.object.spec.jobTemplate.spec if input.kind == "CronJob"

job_path := ["spec"] if input.kind == "Job"

job_path := ["spec", "jobTemplate", "spec"] if input.kind == "CronJob"

# pod_field is the path of a field of the pod.
pod_field(name) := array.concat(input.podPath, [name])

# field is the path of a field below another path.
field(path, name) := array.concat(path, [name])

# tag is the tag of an image reference, "latest" where it names none; undefined
# for one with a digest.
tag(image) := "latest" if {
	not contains(image, "@")
	not contains(last_part(image), ":")
}

tag(image) := split(last_part(image), ":")[1] if not contains(image, "@")

last_part(image) := parts[count(parts) - 1] if parts := split(image, "/")
