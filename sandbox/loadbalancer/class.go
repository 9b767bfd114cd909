package loadbalancer

import corev1 "k8s.io/api/core/v1"

// VMClass is the load balancer class of the Service whose address is the proxy
// by which calls go out through the VM's sidecar. A Service of any other class
// is left to whoever knows that class, as Kubernetes has it.
const VMClass = "sandbox.assay/vm"

// statusFor is what the status of a Service should be, and what there is to
// complain of; false where the Service is not this load balancer's.
func (o Options) statusFor(s *corev1.Service) (status corev1.LoadBalancerStatus, complaint string, ours bool) {
	class := s.Spec.LoadBalancerClass
	switch {
	case class == nil || s.Spec.Type != corev1.ServiceTypeLoadBalancer:
		status, complaint = StatusFor(s, o.Gateway)
		return status, complaint, true
	case *class == VMClass && o.Proxy.IsValid():
		status, complaint = addressed(s, o.Proxy, "the VM's proxy")
		return status, complaint, true
	}
	return corev1.LoadBalancerStatus{}, "", false
}
