package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// clusters are the contexts that a sandbox's kubeconfig holds.
var clusters = []string{"mgmt", "cluster1", "cluster2"}

// answerWithin is how long a running sandbox may take to answer.
const answerWithin = 10 * time.Second

// attach uses the sandbox of a kubeconfig, having seen that all of its API
// servers answer.
func attach(ctx context.Context, file string, log io.Writer) (*Sandbox, error) {
	if err := Answers(ctx, file); err != nil {
		return nil, fmt.Errorf("$%s is %s: %w\n"+
			"start a sandbox there:       assay sandbox --kubeconfig %s\n"+
			"or let the run start one:    unset %s", Attach, file, err, file, Attach)
	}
	fmt.Fprintf(log, "using the sandbox of %s ($%s)\n", file, Attach)
	return &Sandbox{Kubeconfig: file, Contexts: slices.Clone(clusters), Attached: true}, nil
}

// Answers says why the sandbox of a kubeconfig cannot be used: the first thing
// that is wrong with each of its clusters. It is nil when all of them are ready.
func Answers(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err != nil {
		return errors.New("there is no such file")
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	failures := make([]error, len(clusters))
	var wait sync.WaitGroup
	for i, name := range clusters {
		wait.Go(func() { failures[i] = ready(ctx, file, name) })
	}
	wait.Wait()
	return errors.Join(failures...)
}

// ready asks the API server of one context whether it is ready.
func ready(ctx context.Context, file, name string) error {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: file},
		&clientcmd.ConfigOverrides{CurrentContext: name},
	).ClientConfig()
	if err != nil {
		return fmt.Errorf("context %s: %w", name, err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("context %s: %w", name, err)
	}
	// The connection is for this one question.
	defer client.CloseIdleConnections()
	url := strings.TrimSuffix(config.Host, "/") + "/readyz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("context %s: %w", name, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("context %s does not answer: %w", name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		return fmt.Errorf("context %s is not ready: %s: %s", name, response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// kubeconfigMark begins every kubeconfig that a sandbox writes.
const kubeconfigMark = "# Written by the Assay sandbox;"

// WroteKubeconfig says whether a sandbox has written a kubeconfig, so that
// nothing of anybody else is lost with it.
func WroteKubeconfig(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && strings.HasPrefix(string(text), kubeconfigMark)
}
