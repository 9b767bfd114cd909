// Package kube speaks to Kubernetes API servers, and is the only package of
// the runner that does: it applies objects, waits for them, reads them, deletes
// them and puts them back as they were. It stands on klient, the client of
// sigs.k8s.io/e2e-framework.
//
// It also reads manifests (YAML files and kustomize folders), because what it
// refuses in them it refuses for the API server's sake: an object without a
// kind or without a name can be neither applied nor put back.
//
// It knows the built-in kinds only. When an object of a mesh is ready is the
// business of package route.
package kube

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/e2e-framework/klient"
)

// Manager is the field manager under which everything is applied.
const Manager = "assay"

// connectLimit bounds the first conversation with an API server: a cluster
// that does not answer for so long is not there.
const connectLimit = 15 * time.Second

// Cluster is one API server, by the name that the environment gives it. It is
// safe for use by several goroutines at once.
type Cluster struct {
	Name    string // as the environment calls it
	Context string // of the kubeconfig

	config   *rest.Config
	warnings *warnings

	mu     sync.RWMutex
	client client.Client
}

// NoContext says that the kubeconfig has no such context. Known are those that
// it has, sorted, so that the caller can say which was perhaps meant.
type NoContext struct {
	Context string
	Files   []string
	Known   []string
	// Perhaps is what was perhaps meant ("did you mean mgmt?"), if the caller
	// knows.
	Perhaps string
}

func (e *NoContext) Error() string {
	files := strings.Join(e.Files, ", ")
	if len(e.Known) == 0 {
		return fmt.Sprintf("there is no context %q: the kubeconfig %s has no contexts at all; is KUBECONFIG set as in the shell where kubectl works?", e.Context, files)
	}
	return fmt.Sprintf("the kubeconfig %s has no context %q (it has: %s)%s; kubectl config get-contexts lists them", files, e.Context, e.listed(), e.meant())
}

// mostContexts is how many are named: some people have hundreds.
const mostContexts = 12

func (e *NoContext) listed() string {
	if more := len(e.Known) - mostContexts; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(e.Known[:mostContexts], ", "), more)
	}
	return strings.Join(e.Known, ", ")
}

func (e *NoContext) meant() string {
	if e.Perhaps == "" {
		return ""
	}
	return ": " + e.Perhaps
}

// Connect opens the cluster called name through a context of a kubeconfig and
// makes sure that its API server answers and accepts the credentials. An empty
// kubeconfig means client-go's default loading rules ($KUBECONFIG, else
// ~/.kube/config). Errors say what to do.
func Connect(ctx context.Context, name, kubeconfig, contextName string) (*Cluster, error) {
	config, err := load(kubeconfig, contextName)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	c := &Cluster{Name: name, Context: contextName, config: config, warnings: &warnings{}}
	config.WarningHandlerWithContext = c.warnings
	// The client's own throttle is off: the API server has a fairer one
	// (priority and fairness), and a wait that polls must not starve an apply.
	config.QPS = -1
	config.UserAgent = Manager
	config.Timeout = 30 * time.Second
	if err := c.Refresh(); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, c.advise(err))
	}
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	if err := c.ping(ctx); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, c.advise(err))
	}
	return c, nil
}

func load(kubeconfig, contextName string) (*rest.Config, error) {
	rules := rulesFor(kubeconfig)
	files := rules.GetLoadingPrecedence()
	if kubeconfig == "" && !slices.ContainsFunc(files, func(f string) bool { _, err := os.Stat(f); return err == nil }) {
		return nil, fmt.Errorf("no kubeconfig: none of %s exists; set KUBECONFIG to the one by which kubectl works", strings.Join(files, ", "))
	}
	raw, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read, is $KUBECONFIG right? %w", err)
	}
	entry, ok := raw.Contexts[contextName]
	if !ok {
		return nil, &NoContext{Context: contextName, Files: files, Known: slices.Sorted(maps.Keys(raw.Contexts))}
	}
	incomplete := fmt.Sprintf("context %q of the kubeconfig %s is incomplete", contextName, strings.Join(files, ", "))
	// client-go would say that nothing is configured at all.
	if _, ok := raw.Clusters[entry.Cluster]; !ok {
		return nil, fmt.Errorf("%s: it has no cluster %q, which the context names", incomplete, entry.Cluster)
	}
	if _, ok := raw.AuthInfos[entry.AuthInfo]; !ok && entry.AuthInfo != "" {
		return nil, fmt.Errorf("%s: it has no user %q, which the context names", incomplete, entry.AuthInfo)
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: contextName}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, contextName, overrides, rules).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%s; kubectl config view --context %s shows it: %w", incomplete, quoted(contextName), err)
	}
	return config, nil
}

// Contexts are the names of the contexts of a kubeconfig, sorted; an empty name
// means client-go's default loading rules, as for Connect.
func Contexts(kubeconfig string) ([]string, error) {
	raw, err := rulesFor(kubeconfig).Load()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read: %w", err)
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), nil
}

// rulesFor says which files are read.
func rulesFor(kubeconfig string) *clientcmd.ClientConfigLoadingRules {
	if kubeconfig != "" {
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}
	}
	return clientcmd.NewDefaultClientConfigLoadingRules()
}

// Refresh forgets what is known of the kinds that the API server serves, as is
// needed after a CustomResourceDefinition came, changed or went.
func (c *Cluster) Refresh() error {
	k, err := klient.New(c.config)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// klient's Resources keeps a namespace that every call of it overwrites, so
	// that two goroutines would list each other's: its client underneath does not.
	c.client = k.Resources().GetControllerRuntimeClient()
	return nil
}

func (c *Cluster) api() client.Client {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.client
}

// ping asks for the kinds of the core group, which takes valid credentials
// (/version and /healthz often answer to anybody).
func (c *Cluster) ping(ctx context.Context) error {
	done := make(chan error, 1)
	mapper := c.api().RESTMapper()
	go func() {
		_, err := mapper.RESTMapping(schema.GroupKind{Kind: "Namespace"}, "v1")
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Warnings returns what the API server warned of since the last call, each
// warning once, and forgets it.
func (c *Cluster) Warnings() []string { return c.warnings.take() }

type warnings struct {
	mu   sync.Mutex
	text []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.text, text) {
		w.text = append(w.text, text)
	}
}

func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.text
	w.text = nil
	return text
}

// isNoKind reports whether err says that the API server serves no such kind.
func isNoKind(err error) bool {
	return meta.IsNoMatchError(err)
}
