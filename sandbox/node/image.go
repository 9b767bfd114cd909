package node

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshassay/assay/sandbox/workload"
)

// placeholders are the images of the parts that the sandbox itself stands in
// for. Their pods run and do nothing, so that a reader finds them where the
// real mesh has them. Registry, tag and digest do not matter.
var placeholders = []string{"pilot", "proxyv2", "enterprise-networking", "pause"}

func isPlaceholder(image string) bool {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndexByte(image, '/')+1:]
	image, _, _ = strings.Cut(image, ":")
	return slices.Contains(placeholders, image)
}

// refused says what is wrong with a pod that the node will not run, or nil.
func refused(pod *corev1.Pod) *obstacle {
	for _, c := range pod.Spec.Containers {
		if workload.Runs(c.Image) || isPlaceholder(c.Image) {
			continue
		}
		return &obstacle{
			container: c.Name,
			waiting:   "ErrImagePull",
			event:     "Failed",
			message: fmt.Sprintf("failed to pull image %q: the sandbox has no container runtime, it can only run %s (any registry and tag)",
				c.Image, strings.Join(workload.Images(), ", ")),
		}
	}
	for _, v := range pod.Spec.Volumes {
		if v.EmptyDir == nil && v.ConfigMap == nil && v.Secret == nil && v.Projected == nil && v.DownwardAPI == nil {
			return &obstacle{
				waiting: "ContainerCreating",
				event:   "FailedMount",
				message: fmt.Sprintf("volume %q: the sandbox has no disks, only configMap, secret, projected, downwardAPI and emptyDir", v.Name),
			}
		}
	}
	return nil
}

// completes tells whether the pod is a Job's, which ends successfully whatever
// its image.
func completes(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "Job"
}

// ended tells whether the pod has run to its end.
func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
