# METADATA
# title: A restart may run another image
# description: The image has the tag latest, or none, and is pulled at every start of the container.
# related_resources:
# - ref: https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
# - ref: https://kubernetes.io/docs/concepts/configuration/overview/
# custom:
#   id: mutable-tag-drift
#   severity: info
#   since: 0.1.0
package policies.mutable_tag_drift

import data.crashlint

# imagePullPolicy defaults to Always for the tag latest and for none
# (pkg/apis/core/v1/defaults.go, SetDefaults_Container); the kubelet then asks
# the registry at every start of the container (pkg/kubelet/images/image_manager.go,
# EnsureImageExists).
findings contains {
	"message": sprintf("container %q: image %q %s and is looked up in the registry at every start: a restart may run another version than the one that worked", [container.name, image, named]),
	"path": crashlint.field(container.path, "image"),
	"needs": [crashlint.field(container.path, "imagePullPolicy")],
	"fix": {"message": "name the version, or pin the digest (image@sha256:…)", "safety": "display"},
} if {
	some container in input.containers
	image := container.spec.image
	crashlint.tag(image) == "latest"
	object.get(container.spec, "imagePullPolicy", "Always") == "Always"
	named := tagged[endswith(image, ":latest")]
}

tagged := {true: "has the tag latest", false: "has no tag, which means latest,"}
