package apiserver

import (
	"net"
	"slices"

	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"

	"github.com/meshassay/assay/sandbox/modelled"
)

const frontProxy = "front-proxy-client"

// settings are the server's command-line options, as values. Not
// app.NewAPIServerCommand: that installs signal handlers of its own.
func settings(name, endpoint string, l net.Listener, k keys) *options.ServerRunOptions {
	loopback := net.IPv4(127, 0, 0, 1)
	o := options.NewServerRunOptions()

	o.SecureServing.Listener = l
	o.SecureServing.BindAddress = loopback
	o.SecureServing.BindPort = l.Addr().(*net.TCPAddr).Port
	o.SecureServing.ExternalAddress = loopback
	o.SecureServing.ServerCert.CertKey.CertFile = k.serverCert
	o.SecureServing.ServerCert.CertKey.KeyFile = k.serverKey
	o.SecureServing.ServerCert.CertDirectory = k.dir
	o.GenericServerRunOptions.AdvertiseAddress = loopback
	o.GenericServerRunOptions.ExternalHost = loopback.String()

	o.Etcd.StorageConfig.Transport.ServerList = []string{endpoint}
	o.Etcd.StorageConfig.Prefix = "/" + name

	authenticate(o, k)
	admit(o)

	o.ServiceClusterIPRanges = serviceNetwork
	// The Service `kubernetes` gets no endpoints: an EndpointSlice may not hold
	// a loopback address, and no Pod here calls the API server.
	o.EndpointReconcilerType = "none"
	o.AllowPrivileged = true
	o.Features.EnableProfiling = false
	// Fair queues between clients that compete are for bigger clusters; here
	// they would only cost time at the start and when idle.
	o.Features.EnablePriorityAndFairness = false
	return o
}

// authenticate says who is believed: client certificates, service-account
// tokens, and the aggregator.
func authenticate(o *options.ServerRunOptions, k keys) {
	o.Authentication.ClientCert.ClientCA = k.caFile
	// Anonymous requests reach what RBAC gives system:unauthenticated: health
	// and version.
	o.Authentication.Anonymous.Allow = true
	o.Authentication.RequestHeader.ClientCAFile = k.frontCA
	o.Authentication.RequestHeader.AllowedNames = []string{frontProxy}
	o.Authentication.RequestHeader.UsernameHeaders = []string{"X-Remote-User"}
	o.Authentication.RequestHeader.GroupHeaders = []string{"X-Remote-Group"}
	o.Authentication.RequestHeader.ExtraHeaderPrefixes = []string{"X-Remote-Extra-"}
	o.ProxyClientCertFile = k.frontCert
	o.ProxyClientKeyFile = k.frontKey
	o.ServiceAccountSigningKeyFile = k.tokenKey
	o.Authentication.ServiceAccounts.Issuers = []string{"https://kubernetes.default.svc"}
	o.Authentication.ServiceAccounts.KeyFiles = []string{k.tokenKey}
	o.Authorization.Modes = []string{"RBAC"}
}

// admit refuses the kinds that nothing here would act on, beside what
// Kubernetes itself admits and refuses. Last in order: what is wrong in itself
// is told first.
func admit(o *options.ServerRunOptions) {
	admission := o.Admission.GenericAdmission
	modelled.Register(admission.Plugins)
	admission.RecommendedPluginOrder = append(slices.Clone(admission.RecommendedPluginOrder), modelled.Plugin)
}
