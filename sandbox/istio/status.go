package istio

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshassay/assay/sandbox/fault"
)

// readObject is an object that was read, with its kind.
type readObject struct {
	meta
	kind  kind
	shuts bool // not understood, it denies every call
}

// read lists all objects that were read, for their statuses.
func (s *snapshot) read() []readObject {
	var out []readObject
	add := func(m meta, k kind) { out = append(out, readObject{meta: m, kind: k}) }
	for _, o := range s.gateways {
		add(o.meta, gateways)
	}
	for _, o := range s.virtualServices {
		add(o.meta, virtualServices)
	}
	for _, o := range s.destinationRules {
		add(o.meta, destinationRules)
	}
	for _, o := range s.serviceEntries {
		add(o.meta, serviceEntries)
	}
	for _, o := range s.workloads {
		add(o.meta, workloadEntries)
	}
	for _, o := range s.authentications {
		add(o, peerAuthentications)
	}
	for _, o := range s.authorizations {
		_, guards := o.inForce()
		out = append(out, readObject{o.meta, authorizations, guards && len(o.problems) > 0})
	}
	return out
}

// report is the status that an object should have.
type report struct {
	clients  clients
	resource schema.GroupVersionResource
	object   *unstructured.Unstructured
	status   map[string]any // to be merged; nil: it is there already
	warning  string         // to say in an event when the status is written
}

// reportOn says in an Istio object's condition Reconciled whether it is in
// force. Conditions of others are kept.
func reportOn(c clients, o readObject, notes map[string][]string) report {
	r := report{clients: c, resource: o.kind.gvr, object: o.object}
	now := map[string]any{"type": "Reconciled", "status": "True", "reason": "Accepted", "observedGeneration": o.object.GetGeneration()}
	if o.kind == virtualServices && len(notes[o.String()]) > 0 {
		now["message"] = strings.Join(notes[o.String()], "; ")
	}
	if len(o.problems) > 0 {
		effect := "not in force: "
		if o.shuts {
			effect = "the workloads that it selects deny every call, for it says what is not understood: "
		}
		now["status"], now["reason"], now["message"] = "False", "Unsupported", effect+strings.Join(o.problems, "; ")
		r.warning = now["message"].(string)
	}
	conditions, _, _ := unstructured.NestedSlice(o.object.Object, "status", "conditions") // a copy
	var kept []any
	transition := metav1.Now().UTC().Format(time.RFC3339)
	for _, c := range conditions {
		before, _ := c.(map[string]any)
		if before["type"] != "Reconciled" {
			kept = append(kept, c)
			continue
		}
		if same(before, now, "status", "reason", "message", "observedGeneration") {
			return r // already said
		}
		if at, ok := before["lastTransitionTime"].(string); ok && before["status"] == now["status"] {
			transition = at
		}
	}
	now["lastTransitionTime"] = transition
	r.status = map[string]any{"conditions": append(kept, now), "observedGeneration": o.object.GetGeneration()}
	return r
}

// reportOnFault says in a Fault's status whether it is in force, and why it has
// no effect all the same.
func reportOnFault(c clients, u *unstructured.Unstructured, problems []string, idle string) report {
	r := report{clients: c, resource: fault.Resource, object: u}
	now := map[string]any{"observedGeneration": u.GetGeneration(), "state": "ACCEPTED", "errors": nil, "message": nil}
	if idle != "" {
		now["message"] = idle
	}
	if len(problems) > 0 {
		errs := make([]any, len(problems))
		for i, p := range problems {
			errs[i] = p
		}
		now["state"], now["errors"] = "FAILED", errs
		r.warning = strings.Join(problems, "; ")
	}
	before, _, _ := unstructured.NestedMap(u.Object, "status")
	if !same(before, now, "observedGeneration", "state", "errors", "message") {
		r.status = now
	}
	return r
}

func same(a, b map[string]any, keys ...string) bool {
	for _, k := range keys {
		if fmt.Sprint(a[k]) != fmt.Sprint(b[k]) {
			return false
		}
	}
	return true
}

// Who is reported on; each has a list of its own.
const (
	ofIstio = iota
	ofFaults
)

// reporter writes statuses, beside the loop that must not wait for it. Only
// the latest list of each sort counts.
type reporter struct {
	log   *slog.Logger
	again func()        // something could not be written: report anew
	retry time.Duration // after so long

	mu     sync.Mutex
	latest [2][]report
	word   chan struct{}
}

func newReporter(log *slog.Logger, again func()) *reporter {
	return &reporter{log: log, again: again, retry: time.Second, word: make(chan struct{}, 1)}
}

func (r *reporter) tell(sort int, reports []report) {
	r.mu.Lock()
	r.latest[sort] = reports
	r.mu.Unlock()
	signal(r.word)
}

func (r *reporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.word:
		}
		r.mu.Lock()
		lists := r.latest
		r.latest = [2][]report{}
		r.mu.Unlock()
		for _, list := range lists {
			for _, one := range list {
				if one.status != nil {
					r.write(ctx, one)
				}
			}
		}
	}
}

// write patches a status, on the very object that was judged: if it has
// changed since, its next report is on the way.
func (r *reporter) write(ctx context.Context, one report) {
	u := one.object
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": u.GetResourceVersion()},
		"status":   one.status,
	})
	if err != nil {
		r.log.Error("status cannot be written", "object", u.GetName(), "err", err)
		return
	}
	_, err = one.clients.dynamic.Resource(one.resource).Namespace(u.GetNamespace()).
		Patch(ctx, u.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "sandbox"}, "status")
	switch {
	case err == nil:
		r.warn(ctx, one)
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), ctx.Err() != nil:
	default:
		r.log.Warn("status was not written", "resource", one.resource.Resource, "object", u.GetNamespace()+"/"+u.GetName(), "err", err)
		time.AfterFunc(r.retry, r.again)
	}
}

// warn leaves a Warning event beside an object that is not in force.
func (r *reporter) warn(ctx context.Context, one report) {
	if one.warning == "" {
		return
	}
	u, now := one.object, metav1.Now()
	namespace := u.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault // where events about cluster-scoped objects live
	}
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%x", u.GetName(), now.UnixNano())},
		InvolvedObject: corev1.ObjectReference{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(),
			Name: u.GetName(), UID: u.GetUID(), ResourceVersion: u.GetResourceVersion()},
		Type: corev1.EventTypeWarning, Reason: "Unsupported", Message: one.warning,
		Source:         corev1.EventSource{Component: "sandbox"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
	if len(event.Message) > 1024 {
		event.Message = event.Message[:1021] + "..."
	}
	if _, err := one.clients.core.Events(namespace).Create(ctx, event, metav1.CreateOptions{}); err != nil && ctx.Err() == nil {
		r.log.Warn("event was not written", "object", u.GetName(), "err", err)
	}
}
