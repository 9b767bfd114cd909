package istio

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	corefake "k8s.io/client-go/kubernetes/typed/core/v1/fake"
	clienttest "k8s.io/client-go/testing"

	"github.com/meshassay/assay/sandbox/fault"
)

// apiServer is a fake API server with one object.
type apiServer struct {
	clients
	dynamic *fake.FakeDynamicClient
	core    *clienttest.Fake
	gvr     schema.GroupVersionResource
	key     [2]string
}

func serve(t *testing.T, gvr schema.GroupVersionResource, u *unstructured.Unstructured) *apiServer {
	t.Helper()
	s := &apiServer{gvr: gvr, key: [2]string{u.GetNamespace(), u.GetName()}, core: &clienttest.Fake{}}
	s.dynamic = fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{gvr: u.GetKind() + "List"}, u)
	s.clients = clients{dynamic: s.dynamic, core: &corefake.FakeCoreV1{Fake: s.core}}
	return s
}

func (s *apiServer) get(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	u, err := s.dynamic.Resource(s.gvr).Namespace(s.key[0]).Get(t.Context(), s.key[1], metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s *apiServer) events() []*corev1.Event {
	var out []*corev1.Event
	for _, a := range s.core.Actions() {
		if c, ok := a.(clienttest.CreateAction); ok {
			out = append(out, c.GetObject().(*corev1.Event))
		}
	}
	return out
}

func virtualServiceObject(generation int64, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": "v", "namespace": "ns", "generation": generation, "resourceVersion": "1"}, "spec": spec}}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestReportOnIstioObject(t *testing.T) {
	bad := map[string]any{"hosts": []any{"*"}, "gateways": []any{"g"}, "tls": []any{map[string]any{}}}
	s := serve(t, virtualServices.gvr, virtualServiceObject(3, bad))
	of := func() report {
		v := readVirtualService(s.get(t))
		return reportOn(s.clients, readObject{meta: v.meta, kind: virtualServices}, map[string][]string{"ns/v": {"gateway ns/g does not exist"}})
	}
	r := newReporter(quiet(), func() { t.Error("asked to report again") })

	r.write(t.Context(), of())
	condition := func() map[string]any {
		t.Helper()
		c, _, _ := unstructured.NestedSlice(s.get(t).Object, "status", "conditions")
		if len(c) != 1 {
			t.Fatalf("conditions %v, want one", c)
		}
		m := c[0].(map[string]any)
		if m["lastTransitionTime"] == nil {
			t.Error("no lastTransitionTime")
		}
		return m
	}
	got := condition()
	if got["type"] != "Reconciled" || got["status"] != "False" || got["message"] != "not in force: spec.tls: the sandbox does not honour this field" || got["observedGeneration"] != int64(3) {
		t.Errorf("condition %v", got)
	}
	events := s.events()
	if len(events) != 1 || events[0].Type != "Warning" || events[0].Namespace != "ns" || events[0].InvolvedObject.Name != "v" || !strings.Contains(events[0].Message, "spec.tls") {
		t.Errorf("events %+v, want one Warning beside the object", events)
	}
	if again := of(); again.status != nil {
		t.Errorf("what is said already would be said again: %v", again.status)
	}

	good := s.get(t)
	unstructured.RemoveNestedField(good.Object, "spec", "tls")
	good.SetGeneration(4)
	if _, err := s.dynamic.Resource(s.gvr).Namespace("ns").Update(t.Context(), good, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	r.write(t.Context(), of())
	if got := condition(); got["status"] != "True" || got["message"] != "gateway ns/g does not exist" || got["observedGeneration"] != int64(4) {
		t.Errorf("condition %v", got)
	}
	if len(s.events()) != 1 {
		t.Error("an event about an object that is in force")
	}
}

func TestReportKeepsConditionsOfOthers(t *testing.T) {
	u := virtualServiceObject(1, map[string]any{"hosts": []any{"*"}, "gateways": []any{"g"}})
	other := map[string]any{"type": "Other", "status": "True"}
	u.Object["status"] = map[string]any{"conditions": []any{other, map[string]any{"type": "Reconciled", "status": "True", "reason": "Accepted",
		"observedGeneration": int64(0), "lastTransitionTime": "2026-01-01T00:00:00Z"}}}
	r := reportOn(clients{}, readObject{meta: readVirtualService(u).meta, kind: virtualServices}, nil)
	want := []any{other, map[string]any{"type": "Reconciled", "status": "True", "reason": "Accepted", "observedGeneration": int64(1),
		"lastTransitionTime": "2026-01-01T00:00:00Z"}} // it was True before
	if diff := cmp.Diff(want, r.status["conditions"]); diff != "" {
		t.Error(diff)
	}
}

func TestReportOnFault(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "sandbox.assay/v1", "kind": "Fault",
		"metadata": map[string]any{"name": "f", "generation": int64(2), "resourceVersion": "1"}, "spec": map[string]any{"blocks": map[string]any{"size": int64(0)}}}}
	s := serve(t, fault.Resource, u)
	r := newReporter(quiet(), func() { t.Error("asked to report again") })
	_, problems := fault.Read(u, []string{"cluster1"})
	r.write(t.Context(), reportOnFault(s.clients, u, problems, ""))
	got, _, _ := unstructured.NestedMap(s.get(t).Object, "status")
	want := map[string]any{"observedGeneration": int64(2), "state": "FAILED", "errors": []any{"spec.blocks.size: 0 is not between 1 and 1000000"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e := s.events(); len(e) != 1 || e[0].Namespace != "default" {
		t.Errorf("events %v, want one in default", e)
	}
	if again := reportOnFault(s.clients, s.get(t), problems, ""); again.status != nil {
		t.Errorf("what is said already would be said again: %v", again.status)
	}
	r.write(t.Context(), reportOnFault(s.clients, s.get(t), nil, "no effect yet"))
	got, _, _ = unstructured.NestedMap(s.get(t).Object, "status")
	if diff := cmp.Diff(map[string]any{"observedGeneration": int64(2), "state": "ACCEPTED", "message": "no effect yet"}, got); diff != "" {
		t.Error(diff)
	}
	r.write(t.Context(), reportOnFault(s.clients, s.get(t), nil, ""))
	got, _, _ = unstructured.NestedMap(s.get(t).Object, "status")
	if diff := cmp.Diff(map[string]any{"observedGeneration": int64(2), "state": "ACCEPTED"}, got); diff != "" {
		t.Error(diff)
	}
}

// A status that could not be written is tried again; one whose object has
// changed or gone is not, for a report on what it is now comes by itself.
func TestReporterTriesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		again bool
	}{
		"conflict":  {apierrors.NewConflict(virtualServices.gvr.GroupResource(), "v", errors.New("changed")), false},
		"not found": {apierrors.NewNotFound(virtualServices.gvr.GroupResource(), "v"), false},
		"other":     {errors.New("connection refused"), true},
	} {
		t.Run(name, func(t *testing.T) {
			u := virtualServiceObject(1, map[string]any{"hosts": []any{"*"}, "gateways": []any{"g"}})
			s := serve(t, virtualServices.gvr, u)
			s.dynamic.PrependReactor("patch", "virtualservices", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, c.err })
			again := make(chan struct{}, 1)
			r := newReporter(quiet(), func() { again <- struct{}{} })
			r.retry = 0
			r.write(t.Context(), reportOn(s.clients, readObject{meta: readVirtualService(u).meta, kind: virtualServices}, nil))
			if c.again {
				<-again // or the test hangs
			} else if len(again) > 0 {
				t.Error("asked to report again")
			}
		})
	}
}

func TestReporterWritesTheLatest(t *testing.T) {
	u := virtualServiceObject(1, map[string]any{"hosts": []any{"*"}, "gateways": []any{"g"}})
	s := serve(t, virtualServices.gvr, u)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := make(chan struct{}, 9)
	s.dynamic.PrependReactor("patch", "virtualservices", func(clienttest.Action) (bool, runtime.Object, error) {
		written <- struct{}{}
		return false, nil, nil
	})
	r := newReporter(quiet(), func() {})
	one := reportOn(s.clients, readObject{meta: readVirtualService(u).meta, kind: virtualServices}, nil)
	r.tell(ofIstio, []report{one, one, one})
	r.tell(ofFaults, []report{{}}) // nothing to say
	r.tell(ofIstio, []report{one})
	done := make(chan struct{})
	go func() { r.run(ctx); close(done) }()
	<-written
	cancel()
	<-done
	if len(written) > 0 {
		t.Errorf("%d statuses too many were written", len(written))
	}
}
