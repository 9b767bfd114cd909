package controllers

import (
	"context"

	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

// identities are the controllers for who is who: every namespace's default
// service account, without which no pod is admitted, the ConfigMap
// kube-root-ca.crt, and the roles admin, edit and view, which are sums of
// others.
func identities(ctx context.Context, c cluster) ([]run, error) {
	inNamespaces := c.informers.Core().V1().Namespaces()
	accounts, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx),
		c.informers.Core().V1().ServiceAccounts(), inNamespaces, c.client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, err
	}
	rootCA, err := rootcacertpublisher.NewPublisher(c.informers.Core().V1().ConfigMaps(), inNamespaces, c.client, c.ca)
	if err != nil {
		return nil, err
	}
	roles := clusterroleaggregation.NewClusterRoleAggregation(c.informers.Rbac().V1().ClusterRoles(), c.client.RbacV1())
	return []run{
		func(ctx context.Context) { accounts.Run(ctx, 1) },
		func(ctx context.Context) { rootCA.Run(ctx, 1) },
		func(ctx context.Context) { roles.Run(ctx, 1) },
	}, nil
}
