// Package controllers runs, for one control plane, those upstream controllers
// that a cluster without machines still needs: deployments become replica sets
// become pods, jobs run, services get endpoints, namespaces get their service
// account and go away when deleted, garbage is collected.
//
// It is for the sandbox's main program. It refuses the rest of the controller
// manager: whatever concerns machines, volumes, quotas and autoscaling. Pods
// are run by package node.
package controllers

import (
	"context"
	"fmt"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// cluster is what every controller is built from. The informers are shared.
type cluster struct {
	client    *kubernetes.Clientset
	metadata  metadata.Interface
	informers informers.SharedInformerFactory
	later     <-chan struct{}
	ca        []byte // that signs the API server's certificate, PEM
}

// run is a controller that has been built; it works until its context ends.
type run func(ctx context.Context)

// Start starts the controllers against the API server of config, whose
// certificate ca (PEM) signs. They run until ctx ends. Garbage collection,
// which watches every kind there is, begins when later is closed: until then
// nothing is deleted, and other things are more urgent.
func Start(ctx context.Context, config *rest.Config, ca []byte, later <-chan struct{}) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	md, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	c := cluster{later: later, client: client, metadata: md, informers: informers.NewSharedInformerFactory(client, 0), ca: ca}
	var all []run
	for _, build := range []struct {
		name string
		new  func(context.Context, cluster) ([]run, error)
	}{
		{"workloads", workloads},
		{"identities", identities},
		{"namespaces", namespaces},
		{"garbage collection", garbage},
	} {
		runs, err := build.new(ctx, c)
		if err != nil {
			return fmt.Errorf("controllers for %s: %w", build.name, err)
		}
		all = append(all, runs...)
	}
	c.informers.Start(ctx.Done())
	for _, r := range all {
		go r(ctx)
	}
	return nil
}
