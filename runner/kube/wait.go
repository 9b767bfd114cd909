package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/e2e-framework/klient/wait"
)

// interval is how often a condition is looked at. A watch would learn of a
// change some 50 ms earlier, but would have to be opened, resumed and expired
// for every kind; a GET of one object costs an API server less than a millisecond.
const interval = 100 * time.Millisecond

// NotYet says that a condition did not come true in time, and why not.
type NotYet struct {
	After time.Duration
	Why   string
}

func (e *NotYet) Error() string {
	return fmt.Sprintf("not within %s: %s", e.After, e.Why)
}

// Never says that a condition will not come true by waiting, and why.
type Never struct{ Why string }

func (e *Never) Error() string { return e.Why }

// Until looks at a condition at once and then again and again until it is
// true. The check says why it is not yet true; an error of the check ends the
// wait, except one that may pass by itself (the API server is starting or
// busy). A timeout of 0 means that only the context limits the wait.
func (c *Cluster) Until(ctx context.Context, timeout time.Duration, check func(context.Context) (done bool, why string, err error)) error {
	started := time.Now()
	last := ""
	poll := func(ctx context.Context) (bool, error) {
		done, why, err := check(ctx)
		switch {
		case err != nil && ctx.Err() != nil && last != "":
			return false, nil // cut off in the middle of a request: that says nothing new
		case err != nil && passes(err):
			last = err.Error()
			return false, nil
		case why != "":
			last = why
		}
		return done, err
	}
	err := wait.For(poll, wait.WithContext(ctx), wait.WithTimeout(timeout), wait.WithInterval(interval), wait.WithImmediate())
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("stopped while waiting (%s): %w", last, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return &NotYet{After: time.Since(started).Round(100 * time.Millisecond), Why: last}
	}
	return err
}

// passes reports whether an error may go away by itself.
func passes(err error) bool {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return true // of the wait itself, which says so in its own words
	case apierrors.IsServerTimeout(err), apierrors.IsTimeout(err), apierrors.IsTooManyRequests(err),
		apierrors.IsInternalError(err), apierrors.IsServiceUnavailable(err), apierrors.IsConflict(err):
		return true
	case utilnet.IsConnectionRefused(err), utilnet.IsConnectionReset(err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return true
	}
	return errors.As(err, &network) && network.Timeout()
}

// Rule says of an object whether it is ready; known is false for a kind that
// the rule does not know.
type Rule func(object map[string]any) (r Readiness, known bool)

// Readiness is how far an object is.
type Readiness struct {
	Ready  bool
	Failed bool   // it will hardly become ready by waiting
	Why    string // why it is not ready
}

// refusalLasts is how long an object must be Failed until that is believed. A
// controller that sees one of several new objects before those that it refers
// to calls it invalid, and thinks better of it a moment later.
const refusalLasts = 3 * time.Second

// Ready waits until all objects are ready, by the first of the rules that
// knows its kind and then by those of the built-in kinds. An object of a kind
// that no rule knows is ready when it exists. The error says of each object
// that is not ready why. A timeout of 0 means that only the context limits it.
func (c *Cluster) Ready(ctx context.Context, objects []*Object, timeout time.Duration, rule Rule) error {
	waiting := objects
	why := make(map[*Object]string)
	refused := make(map[*Object]time.Time) // since when
	err := c.Until(ctx, timeout, func(ctx context.Context) (bool, string, error) {
		var still []*Object
		for _, o := range waiting {
			r, err := c.readiness(ctx, o, rule)
			switch {
			case err != nil && ctx.Err() != nil:
				return false, "", err // cut off: what was known of it stays
			case err != nil && !passes(err):
				return false, "", &ObjectError{Cluster: c.Name, Object: o, Err: err}
			case err != nil:
				r.Why = err.Error()
			case r.Ready:
				continue
			case !r.Failed:
				delete(refused, o)
			case refused[o].IsZero():
				refused[o] = time.Now()
			case time.Since(refused[o]) >= refusalLasts:
				return false, "", &ObjectError{Cluster: c.Name, Object: o, Err: &Never{Why: r.Why}}
			}
			why[o] = r.Why
			still = append(still, o)
		}
		waiting = still
		return len(waiting) == 0, waitingFor(waiting, why), nil
	})
	var late *NotYet
	if !errors.As(err, &late) {
		return err
	}
	// Its pods often know better why a workload is not ready. They are asked
	// once, at the end; the wait's own context may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for _, o := range waiting {
		if more := c.podsOf(ctx, o); more != "" {
			why[o] += "; " + more
		}
	}
	late.Why = c.Name + ": " + waitingFor(waiting, why)
	return late
}

func waitingFor(objects []*Object, why map[*Object]string) string {
	var lines []string
	for _, o := range objects {
		lines = append(lines, Describe(o)+": "+why[o])
	}
	return strings.Join(lines, "; ")
}

func (c *Cluster) readiness(ctx context.Context, o *Object, rule Rule) (Readiness, error) {
	live, err := c.Get(ctx, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
	if err != nil {
		return Readiness{}, err
	}
	if live == nil {
		return Readiness{Why: "it is gone"}, nil
	}
	if rule != nil {
		if r, known := rule(live.Object); known {
			return r, nil
		}
	}
	return builtin(live), nil
}
