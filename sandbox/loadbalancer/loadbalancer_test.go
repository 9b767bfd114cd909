package loadbalancer_test

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/meshassay/assay/sandbox/loadbalancer"
)

func service(kind corev1.ServiceType, selects string, ports ...int32) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "istio-ingressgateway"},
		Spec:       corev1.ServiceSpec{Type: kind, Selector: map[string]string{"istio": selects}},
	}
	for _, p := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Port: p, Protocol: corev1.ProtocolTCP})
	}
	return s
}

// at is where the gateway answers.
var at = netip.MustParseAddrPort("127.0.0.2:18001")

func TestStatusFor(t *testing.T) {
	for _, c := range []struct {
		name      string
		service   *corev1.Service
		ip        string           // empty: no address
		errors    map[int32]string // by port
		complaint string           // a part of it
	}{
		{name: "the gateway's Service", service: service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 18001), ip: "127.0.0.2"},
		{name: "with a port that nothing answers at", service: service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 15021, 18001),
			ip: "127.0.0.2", errors: map[int32]string{15021: "sandbox.assay/NotServed"}, complaint: "nothing answers at port 15021"},
		{name: "with other ports only", service: service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 80), complaint: "no port is 18001"},
		{name: "of another selector", service: service(corev1.ServiceTypeLoadBalancer, "egressgateway", 18001), complaint: "istio: ingressgateway"},
		{name: "of another type", service: service(corev1.ServiceTypeClusterIP, "ingressgateway", 18001)},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, complaint := loadbalancer.StatusFor(c.service, at)
			if c.complaint == "" && complaint != "" || !strings.Contains(complaint, c.complaint) {
				t.Errorf("complaint: got %q, want %q", complaint, c.complaint)
			}
			if c.ip == "" {
				if len(status.Ingress) != 0 {
					t.Errorf("got %+v, want no address", status.Ingress)
				}
				return
			}
			if len(status.Ingress) != 1 || status.Ingress[0].IP != c.ip {
				t.Fatalf("got %+v, want the address %s", status.Ingress, c.ip)
			}
			got, want := map[int32]string{}, map[int32]string{}
			if c.complaint != "" { // else there is nothing to say of any port
				for _, p := range c.service.Spec.Ports {
					want[p.Port] = c.errors[p.Port]
				}
			}
			for _, p := range status.Ingress[0].Ports {
				got[p.Port] = ""
				if p.Error != nil {
					got[p.Port] = *p.Error
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
		})
	}
}

// What has a class belongs to whoever knows that class: the VM's proxy, in the
// VM's cluster, or nobody here.
func TestClasses(t *testing.T) {
	classed := func(name, class string) *corev1.Service {
		s := service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 18001, 18003)
		s.Name, s.Spec.LoadBalancerClass = name, &class
		return s
	}
	client := fake.NewClientset(classed("vm", loadbalancer.VMClass), classed("other", "example.com/lb"), service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 18001))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := loadbalancer.Start(ctx, loadbalancer.Options{Client: client, Cluster: "cluster1", Gateway: at, Proxy: netip.MustParseAddrPort("127.0.0.1:18003"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for { // the services are worked on one after the other, "other" before the two that get an address
		got := map[string]string{}
		list, err := client.CoreV1().Services("istio-system").List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list.Items {
			for _, i := range s.Status.LoadBalancer.Ingress {
				got[s.Name] = i.IP
			}
		}
		if cmp.Equal(got, map[string]string{"vm": "127.0.0.1", "istio-ingressgateway": "127.0.0.2"}) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("got %v", got)
		case <-tick.C:
		}
	}
}

func TestFillsAndEmptiesTheStatus(t *testing.T) {
	client := fake.NewClientset(service(corev1.ServiceTypeLoadBalancer, "ingressgateway", 18001))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := loadbalancer.Start(ctx, loadbalancer.Options{Client: client, Cluster: "cluster1", Gateway: at, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	services := client.CoreV1().Services("istio-system")
	until := func(addresses int) *corev1.Service {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			s, err := services.Get(ctx, "istio-ingressgateway", metav1.GetOptions{})
			if err != nil {
				t.Fatalf("waiting for %d addresses: %v", addresses, err)
			}
			if len(s.Status.LoadBalancer.Ingress) == addresses {
				return s
			}
			select {
			case <-ctx.Done():
				t.Fatalf("got %d addresses, want %d", len(s.Status.LoadBalancer.Ingress), addresses)
			case <-tick.C:
			}
		}
	}
	s := until(1)
	s.Spec.Ports[0].Port = 80
	if _, err := services.Update(ctx, s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	until(0)
}
