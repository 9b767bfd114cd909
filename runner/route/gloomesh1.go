package route

// The dialect gloo-mesh-1: Gloo Mesh 1.x.
const (
	glooPolicies   = "networking.mesh.gloo.solo.io"
	glooEnterprise = "networking.enterprise.mesh.gloo.solo.io"
)

// trafficShift reads spec.policy.trafficShift.destinations of a TrafficPolicy.
// A destination that is not a Kubernetes Service comes without a name.
func trafficShift(object map[string]any) (Split, bool) {
	destinations := list(object, "spec", "policy", "trafficShift", "destinations")
	if len(destinations) == 0 {
		return Split{}, false
	}
	s := Split{Conditional: len(list(object, "spec", "httpRequestMatchers")) > 0}
	for _, d := range destinations {
		service := at(d, "kubeService")
		weight, _ := number(d, "weight")
		s.Targets = append(s.Targets, Target{
			Cluster:   text(service, "clusterName"),
			Namespace: text(service, "namespace"),
			Name:      text(service, "name"),
			Subset:    labels(at(service, "subset")),
			Weight:    weight,
		})
	}
	return s, true
}

func labels(v any) map[string]string {
	m, _ := v.(map[string]any)
	if len(m) == 0 {
		return nil
	}
	l := make(map[string]string, len(m))
	for k, v := range m {
		l[k], _ = v.(string)
	}
	return l
}
