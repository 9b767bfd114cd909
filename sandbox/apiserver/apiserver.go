// Package apiserver runs complete kube-apiservers inside this process: TLS,
// client certificates, RBAC, admission, CRDs, server-side apply, watch.
//
// It is for the sandbox's main program. It refuses to be started in parallel
// with itself: feature gates and the log are global to the process, so servers
// are constructed one after the other; they may then run side by side.
package apiserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// shutdownTimeout is how long the server waits for its clients to hang up when
// it is told to end. Somebody's watch in another terminal would otherwise hold
// it for a minute, and what the sandbox itself asks for has ended by then.
const shutdownTimeout = time.Second

// Server is one control plane's API server.
type Server struct {
	// Name is the cluster's, and the context's in the kubeconfig.
	Name string
	// Config is an administrator's.
	Config *rest.Config
	// CA is what signs the server's certificate, PEM.
	CA []byte

	stop context.CancelFunc
	done chan struct{}
	err  error // of Run; valid when done is closed
}

// Start starts the control plane of that name with its keys in dir, which it
// makes, storing below /name in the etcd at endpoint. It returns before the
// server is ready. The server ends with Stop only, so that what works against
// it can be ended before it.
func Start(name, dir, endpoint string) (*Server, error) {
	fail := func(err error) (*Server, error) { return nil, fmt.Errorf("API server of %s: %w", name, err) }
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	keys, err := makeKeys(name, dir)
	if err != nil {
		return fail(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fail(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	run, err := construct(ctx, name, endpoint, listener, keys)
	if err != nil {
		stop()
		listener.Close()
		return fail(err)
	}
	s := &Server{Name: name, CA: keys.ca, stop: stop, done: make(chan struct{})}
	s.Config = &rest.Config{
		Host:            "https://" + listener.Addr().String(),
		TLSClientConfig: rest.TLSClientConfig{CAData: keys.ca, CertData: keys.admin.Cert, KeyData: keys.admin.Key},
		// No limit on the client's side: client and server share a process,
		// and the server has its own priority and fairness.
		QPS: -1,
	}
	go func() {
		defer close(s.done)
		s.err = run(ctx)
	}()
	return s, nil
}

// construct builds the chain of servers (extensions, Kubernetes, aggregator)
// and returns what runs it.
func construct(ctx context.Context, name, endpoint string, l net.Listener, k keys) (func(context.Context) error, error) {
	completed, err := settings(name, endpoint, l, k).Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("completing the options: %w", err)
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	config, err := app.NewConfig(completed)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	v := released{EffectiveVersion: config.KubeAPIs.ControlPlane.Generic.EffectiveVersion, tag: kubernetesVersion()}
	config.KubeAPIs.ControlPlane.Generic.EffectiveVersion = v
	config.ApiExtensions.GenericConfig.EffectiveVersion = v
	config.Aggregator.GenericConfig.EffectiveVersion = v
	complete, err := config.Complete()
	if err != nil {
		return nil, fmt.Errorf("completing the configuration: %w", err)
	}
	chain, err := app.CreateServerChain(complete)
	if err != nil {
		return nil, fmt.Errorf("server chain: %w", err)
	}
	chain.GenericAPIServer.ShutdownTimeout = shutdownTimeout
	prepared, err := chain.PrepareRun()
	if err != nil {
		return nil, fmt.Errorf("preparing to run: %w", err)
	}
	return prepared.Run, nil
}

// released gives the version a tag: a build from modules carries a placeholder
// only, which `kubectl version` cannot parse.
type released struct {
	basecompatibility.EffectiveVersion
	tag string
}

// Info is what GET /version answers.
func (r released) Info() *version.Info {
	info := r.EffectiveVersion.Info()
	info.GitVersion = r.tag
	info.GitCommit, info.GitTreeState = "", ""
	return info
}

// kubernetesVersion is the version of the module k8s.io/kubernetes that this
// program was linked with.
func kubernetesVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "k8s.io/kubernetes" {
				return module.Version
			}
		}
	}
	return "v0.0.0"
}

// WaitReady returns when the server says that it is ready.
func (s *Server) WaitReady(ctx context.Context) error {
	client, err := rest.HTTPClientFor(s.Config)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx, client, s.Config.Host+"/readyz") {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("API server of %s ended before it was ready: %w", s.Name, s.err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the API server of %s: %w", s.Name, ctx.Err())
		case <-tick.C:
		}
	}
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop asks the server to end and waits until it has. The error is that of
// its run.
func (s *Server) Stop() error {
	s.stop()
	<-s.done
	return s.err
}

func writeFile(dir, name string, data []byte) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, data, 0o600)
}
