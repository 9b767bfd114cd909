package authorization

import "testing"

var (
	ingress = Caller{"cluster.local", "istio-system", "istio-ingressgateway-service-account"}
	vm      = Caller{"cluster.local", "vm-blue-green-canary", "vm-blue-green-canary"}
	get     = Request{"GET", "/api", "shop.example.com", 3000}
)

func TestAllowed(t *testing.T) {
	nothing := Policy{Name: "allow nothing"}
	everything := Policy{Name: "allow everything", Rules: []Rule{{}}}
	from := func(s Source) Policy { return Policy{Rules: []Rule{{From: []Source{s}}}} }
	to := func(o Operation) Policy { return Policy{Rules: []Rule{{To: []Operation{o}}}} }
	deny := func(p Policy) Policy { p.Deny = true; return p }
	for _, test := range []struct {
		name     string
		policies []Policy
		caller   Caller
		request  Request
		want     bool
	}{
		{"no policy", nil, Caller{}, get, true},
		{"a policy that allows nothing", []Policy{nothing}, ingress, get, false},
		{"a rule that says nothing allows everybody", []Policy{everything}, Caller{}, get, true},
		{"what one allows the others need not", []Policy{nothing, everything}, vm, get, true},
		{"a source that says nothing is anybody", []Policy{from(Source{})}, Caller{}, get, true},

		{"the principal", []Policy{from(Source{Principals: Names{ingress.Principal()}})}, ingress, get, true},
		{"another principal", []Policy{from(Source{Principals: Names{ingress.Principal()}})}, vm, get, false},
		{"any principal", []Policy{from(Source{Principals: Names{"*"}})}, vm, get, true},
		{"nobody is no principal", []Policy{from(Source{Principals: Names{"*"}})}, Caller{}, get, false},
		{"nobody is not one without a name either", []Policy{from(Source{Principals: Names{""}})}, Caller{}, get, false},
		{"not a principal is what nobody is", []Policy{from(Source{NotPrincipals: Names{"*"}})}, Caller{}, get, true},
		{"principals of a namespace", []Policy{from(Source{Principals: Names{"cluster.local/ns/vm-blue-green-canary/sa/*"}})}, vm, get, true},
		{"principals of another namespace", []Policy{from(Source{Principals: Names{"cluster.local/ns/vm-blue/sa/*"}})}, vm, get, false},
		{"a service account of any namespace", []Policy{from(Source{Principals: Names{"*/sa/vm-blue-green-canary"}})}, vm, get, true},
		{"not that principal", []Policy{from(Source{NotPrincipals: Names{vm.Principal()}})}, vm, get, false},
		{"the namespace", []Policy{from(Source{Namespaces: Names{"istio-system"}})}, ingress, get, true},
		{"another namespace", []Policy{from(Source{Namespaces: Names{"istio-system"}})}, vm, get, false},
		{"not that namespace", []Policy{from(Source{NotNamespaces: Names{"istio-*"}})}, ingress, get, false},
		{"all of a source must hold", []Policy{from(Source{Principals: Names{"*"}, Namespaces: Names{"default"}})}, ingress, get, false},

		{"the method", []Policy{to(Operation{Methods: Names{"PUT", "GET"}})}, vm, get, true},
		{"another method", []Policy{to(Operation{Methods: Names{"PUT"}})}, vm, get, false},
		{"methods are compared by case", []Policy{to(Operation{Methods: Names{"get"}})}, vm, get, false},
		{"not that method", []Policy{to(Operation{NotMethods: Names{"GET"}})}, vm, get, false},
		{"the path", []Policy{to(Operation{Paths: Names{"/api"}})}, vm, get, true},
		{"a path below", []Policy{to(Operation{Paths: Names{"/api"}})}, vm, Request{Path: "/api/x"}, false},
		{"a prefix", []Policy{to(Operation{Paths: Names{"/api*"}})}, vm, Request{Path: "/api/x"}, true},
		{"a suffix", []Policy{to(Operation{Paths: Names{"*.html"}})}, vm, Request{Path: "/a/b.html"}, true},
		{"a * in the middle is a *", []Policy{to(Operation{Paths: Names{"/a/*/c"}})}, vm, Request{Path: "/a/b/c"}, false},
		{"not that path", []Policy{to(Operation{NotPaths: Names{"/api*"}})}, vm, get, false},
		{"the host, in any case", []Policy{to(Operation{Hosts: Names{"*.Example.com"}})}, vm, Request{Host: "SHOP.example.com"}, true},
		{"the host has a port", []Policy{to(Operation{Hosts: Names{"shop.example.com"}})}, vm, Request{Host: "shop.example.com:80"}, false},
		{"not that host", []Policy{to(Operation{NotHosts: Names{"shop.*"}})}, vm, get, false},
		{"the port", []Policy{to(Operation{Ports: []int{3000}})}, vm, get, true},
		{"the service's port is not the workload's", []Policy{to(Operation{Ports: []int{8080}})}, vm, get, false},
		{"not that port", []Policy{to(Operation{NotPorts: []int{3000}})}, vm, get, false},
		{"all of an operation must hold", []Policy{to(Operation{Methods: Names{"GET"}, Paths: Names{"/"}})}, vm, get, false},
		{"who and what must both hold", []Policy{{Rules: []Rule{{
			From: []Source{{Namespaces: Names{"istio-system"}}}, To: []Operation{{Methods: Names{"PUT"}}}}}}}, ingress, get, false},

		{"a policy that denies nothing", []Policy{deny(nothing)}, vm, get, true},
		{"a policy that denies everything", []Policy{deny(everything)}, vm, get, false},
		{"denying is stronger", []Policy{everything, deny(from(Source{Namespaces: Names{"vm-*"}}))}, vm, get, false},
		{"denying others leaves the rest as it was", []Policy{deny(from(Source{Namespaces: Names{"vm-*"}}))}, ingress, get, true},
	} {
		if got := Allowed(test.policies, test.caller, test.request); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
	}
}

func TestGuard(t *testing.T) {
	onlyIngress := []Policy{{Rules: []Rule{{From: []Source{{Principals: Names{ingress.Principal()}}}}}}}
	g := &Guard{Caller: vm, Port: 8080, Own: []Policy{{Rules: []Rule{{To: []Operation{{Ports: []int{8080}}}}}}},
		Workloads: map[string][]Policy{"10.244.0.7": onlyIngress, "fd00::7": onlyIngress}}
	reaches := func(endpoint string) bool { return g.Reaches(endpoint, "GET", "/api", "a") }
	if !g.Enters("GET", "/", "a") || reaches("10.244.0.7:3000") || reaches("[fd00::7]:3000") || !reaches("10.244.0.8:3000") {
		t.Error("the workloads with policies must be closed to the VM, and no others")
	}
	g.Caller = ingress
	if !reaches("10.244.0.7:3000") || !reaches("[fd00::7]:3000") {
		t.Error("the ingress gateway must be let in")
	}
	if open := new(Guard); !open.Enters("GET", "/", "a") || !open.Reaches("10.244.0.7:3000", "GET", "/", "a") {
		t.Error("a guard without policies must let every call pass")
	}
}
