package kube

import (
	"context"

	"k8s.io/client-go/discovery"
)

// Host is the address of the API server.
func (c *Cluster) Host() string { return c.config.Host }

// Version asks the API server which version of Kubernetes it is: "v1.37.2".
func (c *Cluster) Version(ctx context.Context) (string, error) {
	d, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return "", err
	}
	v, err := d.ServerVersionWithContext(ctx)
	if err != nil {
		return "", err
	}
	return v.GitVersion, nil
}
