package istio

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// readServices joins Services with the ready endpoints of their slices and
// the labels of the pods behind them; by NAME.NS.
func readServices(services []*corev1.Service, slices []*discoveryv1.EndpointSlice, pods []*corev1.Pod) map[string]service {
	labels := map[string]map[string]string{} // of pods, by namespace/name
	for _, p := range pods {
		labels[p.Namespace+"/"+p.Name] = p.Labels
	}
	of := map[string][]*discoveryv1.EndpointSlice{}
	for _, s := range slices {
		key := s.Labels[discoveryv1.LabelServiceName] + "." + s.Namespace
		of[key] = append(of[key], s)
	}
	out := map[string]service{}
	for _, s := range services {
		key := s.Name + "." + s.Namespace
		read := service{namespace: s.Namespace, name: s.Name, selector: s.Spec.Selector}
		for _, p := range s.Spec.Ports {
			to := port{number: int64(p.Port), name: p.Name}
			if p.TargetPort.Type == intstr.String {
				to.targetBy = p.TargetPort.StrVal
			} else if to.target = int64(p.TargetPort.IntVal); to.target == 0 {
				to.target = to.number
			}
			for _, slice := range of[key] {
				to.endpoints = append(to.endpoints, ready(slice, p.Name, labels)...)
			}
			read.ports = append(read.ports, to)
		}
		out[key] = read
	}
	return out
}

// ready gives the endpoints of a slice that are ready to answer at the port
// of that name.
func ready(slice *discoveryv1.EndpointSlice, name string, labels map[string]map[string]string) []endpoint {
	var out []endpoint
	for _, p := range slice.Ports {
		if p.Port == nil || (p.Name == nil && name != "") || (p.Name != nil && *p.Name != name) {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			var of map[string]string
			if e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
				of = labels[slice.Namespace+"/"+e.TargetRef.Name]
			}
			for _, address := range e.Addresses {
				out = append(out, endpoint{join(address, int64(*p.Port)), of})
			}
		}
	}
	return out
}
