package discovery

import (
	"cmp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	group = "discovery.mesh.gloo.solo.io"
	// own is the namespace of Gloo Mesh, where everything discovered stands.
	own = "gloo-mesh"
	// ownerLabel is on what discovery looks after; what people register by hand
	// does not carry it.
	ownerLabel   = "owner." + group
	clusterLabel = "cluster." + group
)

// A Cluster is what runs in a workload cluster under its registered name.
type Cluster struct {
	Name        string
	Namespaces  []*corev1.Namespace
	Services    []*corev1.Service
	Deployments []*appsv1.Deployment
}

// Objects are what Gloo Mesh discovers in a cluster: a Workload for every
// Deployment whose pods are in the mesh, and a Destination for every Service
// that selects such pods. A Service without them (that of a virtual machine) is
// not discovered, but registered by hand.
func Objects(c Cluster) []*unstructured.Unstructured {
	injected := map[string]bool{}
	for _, n := range c.Namespaces {
		injected[n.Name] = n.Labels["istio-injection"] == "enabled" || n.Labels["istio.io/rev"] != ""
	}
	var in []*appsv1.Deployment
	var out []*unstructured.Unstructured
	for _, d := range c.Deployments {
		if d.DeletionTimestamp == nil && inMesh(d, injected[d.Namespace]) {
			in = append(in, d)
			out = append(out, c.workload(d))
		}
	}
	for _, s := range c.Services {
		behind := slices.DeleteFunc(slices.Clone(in), func(d *appsv1.Deployment) bool { return !selects(s, d) })
		if s.DeletionTimestamp == nil && len(behind) > 0 {
			out = append(out, c.destination(s, behind))
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int { return cmp.Compare(key(a), key(b)) })
	return out
}

// inMesh tells whether a Deployment's pods have a proxy: of their own, as a
// gateway has, or a sidecar that Istio puts in.
func inMesh(d *appsv1.Deployment, injected bool) bool {
	pod := d.Spec.Template
	if slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return strings.Contains(c.Image, "istio/proxyv2") }) {
		return true
	}
	for _, said := range []map[string]string{pod.Labels, pod.Annotations} {
		switch said["sidecar.istio.io/inject"] {
		case "true":
			return true
		case "false":
			return false
		}
	}
	return injected
}

func selects(s *corev1.Service, d *appsv1.Deployment) bool {
	return s.Namespace == d.Namespace && len(s.Spec.Selector) > 0 &&
		labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels))
}

func (c Cluster) workload(d *appsv1.Deployment) *unstructured.Unstructured {
	account := d.Spec.Template.Spec.ServiceAccountName
	return c.object("Workload", d.Name+"-"+d.Namespace+"-"+c.Name+"-deployment", map[string]any{
		"kubernetes": map[string]any{
			"controller":         c.ref(d),
			"podLabels":          texts(d.Spec.Template.Labels),
			"serviceAccountName": cmp.Or(account, "default"),
		},
	})
}

func (c Cluster) destination(s *corev1.Service, behind []*appsv1.Deployment) *unstructured.Unstructured {
	service := map[string]any{
		"ref":                    c.ref(s),
		"workloadSelectorLabels": texts(s.Spec.Selector),
		"serviceType":            serviceTypes[s.Spec.Type],
		"ports":                  ports(s),
	}
	if len(s.Labels) > 0 {
		service["labels"] = texts(s.Labels)
	}
	if subsets := subsets(behind); len(subsets) > 0 {
		service["subsets"] = subsets
	}
	var addresses []any
	for _, at := range s.Status.LoadBalancer.Ingress {
		if at.Hostname != "" {
			addresses = append(addresses, map[string]any{"dnsName": at.Hostname})
		} else {
			addresses = append(addresses, map[string]any{"ip": at.IP})
		}
	}
	if len(addresses) > 0 {
		service["externalAddresses"] = addresses
	}
	return c.object("Destination", s.Name+"-"+s.Namespace+"-"+c.Name, map[string]any{"kubeService": service})
}

var serviceTypes = map[corev1.ServiceType]string{
	corev1.ServiceTypeClusterIP: "CLUSTER_IP", corev1.ServiceTypeNodePort: "NODE_PORT",
	corev1.ServiceTypeLoadBalancer: "LOAD_BALANCER", corev1.ServiceTypeExternalName: "EXTERNAL_NAME",
}

func ports(s *corev1.Service) []any {
	var all []any
	for _, p := range s.Spec.Ports {
		port := map[string]any{"port": int64(p.Port), "protocol": string(p.Protocol)}
		if p.Name != "" {
			port["name"] = p.Name
		}
		if p.AppProtocol != nil {
			port["appProtocol"] = *p.AppProtocol
		}
		if p.NodePort != 0 {
			port["nodePort"] = int64(p.NodePort)
		}
		if p.TargetPort.Type == intstr.String {
			port["targetPortName"] = p.TargetPort.StrVal
		} else {
			port["targetPortNumber"] = int64(p.TargetPort.IntVal)
		}
		all = append(all, port)
	}
	return all
}

// subsets are the labels of which the pods behind a Service have more than one
// value: what traffic can be divided by.
func subsets(behind []*appsv1.Deployment) map[string]any {
	values := map[string][]string{}
	for _, d := range behind {
		for k, v := range d.Spec.Template.Labels {
			if !slices.Contains(values[k], v) {
				values[k] = append(values[k], v)
			}
		}
	}
	all := map[string]any{}
	for k, v := range values {
		if len(v) > 1 {
			slices.Sort(v)
			list := make([]any, len(v))
			for i := range v {
				list[i] = v[i]
			}
			all[k] = map[string]any{"values": list}
		}
	}
	return all
}

// object is a discovered object of the cluster's mesh.
func (c Cluster) object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	spec["mesh"] = map[string]any{"name": "istiod-istio-system-" + c.Name, "namespace": own}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1",
		"kind":       kind,
		"metadata": map[string]any{
			"name": name, "namespace": own,
			"labels": map[string]any{clusterLabel: c.Name, "cluster.multicluster.solo.io": "", ownerLabel: own},
		},
		"spec": spec,
	}}
}

func (c Cluster) ref(o metav1.Object) map[string]any {
	return map[string]any{"clusterName": c.Name, "namespace": o.GetNamespace(), "name": o.GetName()}
}

func texts(m map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func key(u *unstructured.Unstructured) string { return u.GetKind() + " " + u.GetName() }
