package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
)

// adviceLimit bounds the look at what there is in the place of what is missing.
const adviceLimit = 10 * time.Second

// withoutAddress says what to do about a gateway that has not got an address.
func (r *Run) withoutAddress(ctx context.Context, g environment.Gateway) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adviceLimit)
	defer cancel()
	c := r.clusters[g.Cluster]
	o, err := serviceOf(ctx, c, g)
	switch {
	case err != nil:
		return "see: " + kubectl(c, g, "get service")
	case o == nil:
		return r.otherServices(ctx, c, g)
	}
	return "nothing gives this cluster's load balancers their addresses, or not yet; see: " + kubectl(c, g, "describe service") +
		"\n  on minikube: minikube tunnel; on kind: cloud-provider-kind; on bare metal: MetalLB; or give the gateway by url"
}

// notBalanced says why a Service will never have an address, and what would do.
func notBalanced(c *kube.Cluster, g environment.Gateway, service *kube.Object, kind string) string {
	if kind == "" {
		kind = "ClusterIP" // the API's default
	}
	text := fmt.Sprintf("service %s of cluster %s is of type %s, which gets no address of its own: ", g.Service, c.Name, kind)
	namespace, name, _ := strings.Cut(g.Service, "/")
	if port := nodePort(service, g.Port); port != 0 {
		return text + fmt.Sprintf("give the gateway by the address of one of its nodes, url: http://NODE:%d (kubectl --context %s get nodes -o wide shows them), "+
			"or make the service one of type LoadBalancer", port, c.Context)
	}
	return text + fmt.Sprintf("make it one of type LoadBalancer, or give the gateway by url (such as http://127.0.0.1:8080, while kubectl --context %s -n %s port-forward service/%s 8080:%s runs)",
		c.Context, namespace, name, g.Port)
}

// nodePort is the port at which every node listens for a port of a Service.
func nodePort(service *kube.Object, wanted string) int64 {
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	for _, p := range ports {
		p, _ := p.(map[string]any)
		name, _ := p["name"].(string)
		number, _ := p["port"].(int64)
		if name == wanted || fmt.Sprint(number) == wanted {
			at, _ := p["nodePort"].(int64)
			return at
		}
	}
	return 0
}

// otherServices says which Services there are in the place of one that is not.
func (r *Run) otherServices(ctx context.Context, c *kube.Cluster, g environment.Gateway) string {
	all, err := c.List(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Service"}, "", nil)
	if err != nil {
		return "see: kubectl --context " + c.Context + " get services -A"
	}
	var balanced []string
	for _, o := range all {
		if kind, _, _ := unstructured.NestedString(o.Object, "spec", "type"); kind == "LoadBalancer" {
			balanced = append(balanced, o.GetNamespace()+"/"+o.GetName())
		}
	}
	slices.Sort(balanced)
	if len(balanced) == 0 {
		return "this cluster has no service of type LoadBalancer: is the mesh's ingress gateway installed? see: kubectl --context " + c.Context + " get services -A"
	}
	return "services of type LoadBalancer that it has: " + strings.Join(balanced, ", ") + "; name one of them as the gateway's service"
}

func kubectl(c *kube.Cluster, g environment.Gateway, verb string) string {
	namespace, name, _ := strings.Cut(g.Service, "/")
	return fmt.Sprintf("kubectl --context %s -n %s %s %s", c.Context, namespace, verb, name)
}
