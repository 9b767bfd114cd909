package kube

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// advise puts what to do before an error of the connection. Most of these
// errors cross an HTTP client and lose their type on the way, so some are told
// by their words.
func (c *Cluster) advise(err error) error {
	text := err.Error()
	for _, a := range advices {
		if found := a.is(err, text); found != "" {
			return fmt.Errorf("context %q (%s) %s; try: %s: %w", c.Context, c.config.Host, strings.ReplaceAll(a.say, "%s", found), c.try(), err)
		}
	}
	return fmt.Errorf("context %q (%s) cannot be used; try: %s: %w", c.Context, c.config.Host, c.try(), err)
}

// try is the command that shows the same by another program.
func (c *Cluster) try() string { return "kubectl --context " + quoted(c.Context) + " get namespaces" }

// quoted makes a name one word of a shell: contexts often hold @, / and :,
// which need no quotes, and seldom anything else.
func quoted(name string) string {
	if plain.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

var plain = regexp.MustCompile(`^[-A-Za-z0-9_.:/@]+$`)

// advice is what to say of one sort of error. The first that is so counts.
type advice struct {
	// is returns what stands for %s in say, or yes, where the error is of the
	// sort; else "".
	is  func(err error, text string) string
	say string
}

const yes = "yes"

var (
	execFailed  = regexp.MustCompile(`exec: executable (\S+) failed with exit code (\d+)`)
	execMissing = regexp.MustCompile(`exec: executable (\S+) not found`)
	expiredAt   = regexp.MustCompile(`certificate has expired or is not yet valid: (current time \S+ is (?:after|before) \S+)`)
)

var advices = []advice{
	{named(execMissing), "takes its credentials from the program %s, which is not installed: install it, or use another context"},
	{named(execFailed), "takes its credentials from the program %s, which fails: they have probably expired, so log in again (such as aws sso login, gcloud auth login, az login)"},
	{holding("getting credentials:"), "gives no credentials: log in again"},
	{when(func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }), "refuses connections: is the cluster running, and is the kubeconfig of this cluster and not of an earlier one?"},
	{func(err error, text string) string {
		if apierrors.IsUnauthorized(err) {
			return yes
		}
		return holding("Unauthorized", "the server has asked for the client to provide credentials")(err, text)
	}, "does not accept the credentials: they have expired or been withdrawn, so log in again, or get a new kubeconfig"},
	{when(apierrors.IsForbidden), "does not allow this user to list what it serves: it needs a role that may read and change what scenarios apply (kubectl auth can-i --list shows what it may do)"},
	{named(expiredAt), "shows a certificate that has expired, or this machine's clock is wrong (%s): renew the cluster's certificates"},
	{holding("x509: certificate signed by unknown authority", "x509: certificate relies on"), "shows a certificate of an authority that the kubeconfig does not name: it is the kubeconfig of another cluster, or of an earlier one of that name"},
	{holding("x509: certificate is valid for", "doesn't contain any IP SANs", "x509: cannot validate certificate for"), "shows a certificate for other names than its address: use the address that the certificate has, or set tls-server-name in the kubeconfig"},
	{holding("remote error: tls:"), "refuses the certificate of the kubeconfig: it has expired, or is of another cluster; get a new kubeconfig"},
	{holding("x509:", "tls:"), "shows a certificate that cannot be relied on: the kubeconfig belongs to another cluster, or certificates have expired"},
	{holding("server gave HTTP response to HTTPS client"), "speaks plain HTTP: the server's address in the kubeconfig is not that of an API server"},
	{holding("no such host"), "has a name that does not resolve: is the network (VPN) up?"},
	{when(func(err error) bool {
		return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
	}), "cannot be reached from here: is the network (VPN) up?"},
	{func(err error, text string) string {
		if errors.Is(err, context.DeadlineExceeded) || strings.Contains(text, "i/o timeout") || strings.Contains(text, "Client.Timeout exceeded") {
			return connectLimit.String()
		}
		return ""
	}, "did not answer within %s: is the cluster running, and is the network (VPN) up?"},
	{when(func(err error) bool { return apierrors.IsNotFound(err) || isNoKind(err) }), "answers, but not as an API server does: is the server's address in the kubeconfig right?"},
	{when(func(err error) bool {
		return apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsTimeout(err)
	}), "is up but not ready: it may be starting"},
}

func when(is func(error) bool) func(error, string) string {
	return func(err error, _ string) string {
		if is(err) {
			return yes
		}
		return ""
	}
}

func holding(parts ...string) func(error, string) string {
	return func(_ error, text string) string {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return yes
			}
		}
		return ""
	}
}

// named returns what a pattern's first group matches.
func named(pattern *regexp.Regexp) func(error, string) string {
	return func(_ error, text string) string {
		if m := pattern.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return ""
	}
}
